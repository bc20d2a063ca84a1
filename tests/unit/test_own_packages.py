"""Which of a person's own packages a process takes in the place of the base's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ulab_runtime.own_modules import MOST_NAMED, sentence
from ulab_runtime.own_packages import CUSTOMIZATION, VARIABLE, importable, shadowed, user_site

PRELOADED = ["numpy", "six", "torch", "attr", "google"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), VARIABLE: sys.prefix, "PYTHONPATH": str(CUSTOMIZATION)}


@pytest.fixture
def own(env: dict[str, str]) -> Path:
    folder = user_site(env)
    assert folder is not None
    folder.mkdir(parents=True)
    return folder


def test_own_packages_lie_where_pip_puts_them(env: dict[str, str], tmp_path: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert user_site(env) == tmp_path / ".local" / "lib" / version / "site-packages"
    elsewhere = {**env, "PYTHONUSERBASE": "/elsewhere"}
    assert user_site(elsewhere) == Path("/elsewhere", "lib", version, "site-packages")


@pytest.mark.parametrize(
    "changes",
    [
        {VARIABLE: ""},
        {VARIABLE: "/home/ann/env"},
        {"PYTHONNOUSERSITE": "1"},
        {"HOME": ""},
        {"PYTHONUSERBASE": "relative"},
    ],
)
def test_elsewhere_there_are_none(env: dict[str, str], changes: dict[str, str]) -> None:
    """Such as in grading, and in a virtual environment of the person's own."""
    assert user_site(env | changes) is None


def test_nothing_is_shadowed_by_a_folder_that_is_not_there(env: dict[str, str]) -> None:
    assert shadowed(env, PRELOADED) == []


def test_modules_packages_and_extensions_can_be_imported(tmp_path: Path) -> None:
    for name in ("six.py", "fast.cpython-311-x86_64-linux-gnu.so", "old.pyc", "notes.txt"):
        (tmp_path / name).touch()
    for name in ("torch", "torch-9.0.dist-info", "not-a-name"):
        (tmp_path / name).mkdir()
    # A distribution says which modules it has when it does not lie here itself.
    (tmp_path / "torch-9.0.dist-info" / "top_level.txt").write_text("torch\nfunctorch\n")
    found = importable(tmp_path)
    assert {"six", "old", "torch", "functorch"} <= found
    assert found.isdisjoint({"notes", "not-a-name", "torch-9"})
    assert importable(tmp_path / "missing") == set()


def test_only_what_was_imported_before_is_shadowed(env: dict[str, str], own: Path) -> None:
    (own / "six.py").touch()
    (own / "hat.py").touch()
    (own / "attr").mkdir()
    assert shadowed(env, PRELOADED) == ["attr", "six"]
    assert shadowed({**env, VARIABLE: ""}, PRELOADED) == []


def test_the_standard_library_comes_before_own_packages(env: dict[str, str], own: Path) -> None:
    (own / "dataclasses.py").touch()
    assert shadowed(env, [*PRELOADED, "dataclasses"]) == []


def test_what_pythonpath_names_comes_before_everything(env: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "dataclasses.py").touch()
    env["PYTHONPATH"] += f":{folder}:"
    assert shadowed(env, [*PRELOADED, "dataclasses"]) == ["dataclasses"]


def test_our_own_customization_is_nobodys_package(env: dict[str, str], own: Path) -> None:
    assert (CUSTOMIZATION / "sitecustomize.py").is_file()
    assert shadowed(env, [*PRELOADED, "sitecustomize"]) == []
    (own / "usercustomize.py").touch()
    assert shadowed(env, PRELOADED) == ["usercustomize"]


def test_a_package_being_developed_is_found_where_its_pth_file_points(
    env: dict[str, str], own: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "six-checkout"
    checkout.mkdir()
    (checkout / "six.py").touch()
    lines = f"# mine\nimport sys; sys.path\n\n{checkout}\n"
    (own / "mine.pth").write_text(lines)
    assert shadowed(env, PRELOADED) == ["six"]


def test_the_sentence_names_a_few_modules_in_the_persons_language() -> None:
    few, many = "attr,six", ",".join(f"m{number}" for number in range(MOST_NAMED + 1))
    assert "(attr, six)" in sentence(few, "en")
    assert "（attr, six）" in sentence(few, "zh")
    assert f"m{MOST_NAMED - 1}, …" in sentence(many, "en")
    assert f"m{MOST_NAMED}," not in sentence(many, "en")
