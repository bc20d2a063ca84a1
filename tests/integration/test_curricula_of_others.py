"""Publishing what others wrote: it is proved in sandboxes, and none of their code runs beside."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from integration.coursework_support import Base
from integration.git_server import git, serving
from sqlalchemy import select
from unit.curricula_support import MANIFEST, SOURCE, write_curriculum, write_lab

from ulab_core.errors import UserError
from ulab_core.models import AuditEntry
from ulab_curricula import load_curriculum, published
from ulab_curricula.labs import LABS
from ulab_curricula.receiving import NotTaken, take_in
from ulab_curricula.repositories import fetched
from ulab_deploy.base import Base as DeployedBase
from ulab_deploy.outside import Outcome, check_others, publish_others, taken_in
from ulab_deploy.prove import How, Proved


def publish(base: Base, origin: Path | str) -> Outcome:
    [found] = publish_others(DeployedBase(base.settings, base.layout), str(origin), actor="tester")
    return found


def versions(base: Base) -> list[str]:
    return [one.version for one in published(base.layout) if one.id == "adding"]


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def version_in(origin: Path | str) -> tuple[str, str]:
    """The version that a curriculum of others would have, and where it came from."""
    with taken_in(str(origin)) as (root, source):
        return load_curriculum(root / "curricula" / "adding").version, source


def test_a_sound_curriculum_is_published_and_a_zip_of_it_is_the_same_version(
    base: Base, tmp_path: Path
) -> None:
    write_curriculum(tmp_path / "theirs")
    made = publish(base, tmp_path / "theirs")
    assert made.version
    assert [proved.judged for proved in made.proved] == [9, 9]
    assert version_in(zipped(tmp_path / "theirs"))[0] == made.version
    assert versions(base).count(made.version) == 1
    with base.db.read() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "curriculum.publish")
        ).all()
        assert {entry.target for entry in entries} == {f"adding/{made.version}"}
        assert entries[0].actor == "tester"
        assert entries[0].detail["origin"] == str(tmp_path / "theirs")


def test_one_that_does_not_hold_is_not_published(base: Base, tmp_path: Path) -> None:
    write_curriculum(tmp_path / "theirs")
    # Passes whatever is answered, so that nothing is lost by what should lose points.
    source = SOURCE.replace("assert double(4) == 8", "assert double")
    write_lab(tmp_path / "theirs" / "labs", source=source)
    before = versions(base)
    made = publish(base, tmp_path / "theirs")
    assert made.version == ""
    said = [str(problem) for one in made.proved for problem in one.report.problems]
    # Named as it lies with them: the copy that was proved is gone when they read it.
    place = "labs/image-recognition/sums/lab.py"
    assert any(sentence.startswith(f"{place}:") and "double-test" in sentence for sentence in said)
    assert not any("ulab-outside" in sentence for sentence in said)
    assert versions(base) == before


def test_a_manifest_that_can_not_be_used_is_named_as_they_have_it(
    base: Base, tmp_path: Path
) -> None:
    write_curriculum(tmp_path / "theirs")
    write_lab(tmp_path / "theirs" / "labs", MANIFEST.replace("minutes: 5", "minutes: many"))
    with pytest.raises(UserError) as refused:
        publish(base, tmp_path / "theirs")
    assert str(refused.value).startswith("labs/image-recognition/sums/lab.yaml can't be used")


def checked(base: Base, folder: Path, *, repeat: int = 4) -> Proved:
    how = How("en", others=True, mutants=True, repeat=repeat)
    given = DeployedBase(base.settings, base.layout)
    [(found, _)] = check_others(given, str(folder), [], how)
    return found


def test_their_labs_are_checked_as_ours_are(base: Base, tmp_path: Path) -> None:
    write_curriculum(tmp_path / "theirs")
    found = checked(base, tmp_path / "theirs")
    assert [str(problem) for problem in found.report.problems] == []
    assert found.judged == 9
    assert found.report.mutants.run == found.report.mutants.caught > 0
    assert found.report.peak_mb > 0
    assert found.report.seconds > 0


HOG = "import ulab\n_held = bytearray(400 << 20)\n"


def test_their_budgets_and_weak_tests_are_noticed(base: Base, tmp_path: Path) -> None:
    write_curriculum(tmp_path / "theirs")
    source = SOURCE.replace("import ulab\n", HOG, 1)
    for equal in ("add(1, 2) == 3", "add(-4, 4) == 0", "double(4) == 8"):
        source = source.replace(equal, equal.replace("==", ">=") + " - 9")
    write_lab(tmp_path / "theirs" / "labs", f"{MANIFEST}memory_mb: 256\n", source)
    said = [str(problem) for problem in checked(base, tmp_path / "theirs").report.problems]
    assert any("MiB of memory; memory_mb says 256" in sentence for sentence in said)
    assert any("the tests catch" in sentence for sentence in said)


def test_their_tests_that_luck_decides_are_noticed(base: Base, tmp_path: Path) -> None:
    write_curriculum(tmp_path / "theirs")
    # Passes with the seed that nobody gave, and fails with those that repeating gives.
    lucky = "assert all(random.getstate() != random.Random(_seed).getstate() for _seed in range(9))"
    test = "assert double(4) == 8"
    source = SOURCE.replace(test, f"import random\n{lucky}\n{test}")
    write_lab(tmp_path / "theirs" / "labs", source=source)
    said = [str(problem) for problem in checked(base, tmp_path / "theirs").report.problems]
    assert any("not with other random numbers" in sentence for sentence in said), said


ACTS = """\
import os, sys, pathlib
for place in ("MARKER", os.path.expanduser("~/evil"), "/tmp/ulab-evil"):
    try:
        pathlib.Path(place).write_text("acted")
    except OSError:
        pass
for place in SECRETS:
    assert not os.path.exists(place), place
"""


def test_their_code_runs_in_sandboxes_alone(base: Base, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    # Solutions and hidden tests of others: where labs are written, and where they are published.
    secrets = [str(path) for path in (LABS / "image-recognition", base.layout.root)]
    assert all(Path(place).is_dir() for place in secrets)
    acts = ACTS.replace("MARKER", str(marker)).replace("SECRETS", str(secrets))
    folder = write_curriculum(tmp_path / "theirs")
    source = SOURCE.replace("import ulab\n", f"import ulab\n{acts}", 1)
    source = source.replace("assert double(4) == 8", f"{acts}assert double(4) == 8")
    lab = write_lab(tmp_path / "theirs" / "labs", source=source)
    for place in (lab, folder, tmp_path / "theirs"):
        # What Python would import by itself, if it looked there.
        for name in ("ulab", "numpy", "conftest", "sitecustomize", "usercustomize", "jupytext"):
            (place / f"{name}.py").write_text(acts, "utf-8")
    evil = (Path("~/evil").expanduser(), Path("/tmp/ulab-evil"))
    assert publish(base, tmp_path / "theirs").version
    assert not marker.exists()
    assert not any(path.exists() for path in evil)


PARSED: dict[str, tuple[Callable[[Path], Path], Callable[[str], str], str]] = {
    "a tag in the manifest": (
        lambda lab: lab / "lab.yaml",
        lambda text: text.replace("minutes: 5", "minutes: !!python/object/apply:os.system [ACT]"),
        "may not be used",
    ),
    "a tag in the fixture's header": (
        lambda lab: lab / "fixtures" / "wrong" / "minus.py",
        lambda text: text.replace(
            "# loses:", "# note: !!python/object/apply:os.system [ACT]\n# loses:"
        ),
        "may not be used",
    ),
    "an expression as a cell's metadata": (
        lambda lab: lab / "lab.py",
        lambda text: text.replace('"points": 2', '"points": __import__("os").system("ACT")'),
        "",
    ),
    "a header of the notebook": (
        lambda lab: lab / "lab.py",
        # The header is no header that is known; the cell without its pair is what is refused.
        lambda text: (
            "# ---\n# jupyter: !!python/object/apply:os.system [ACT]\n# ---\n\n"
            f'# %% [markdown] lang="zh"\n# x\n\n{text}'
        ),
        "pair them",
    ),
    "a nest": (
        lambda lab: lab / "lab.py",
        lambda text: text.replace("return add(a, a)", "return " + "(" * 5000 + "a" + ")" * 5000),
        "",
    ),
    "a chain": (
        lambda lab: lab / "lab.py",
        lambda text: text.replace("return add(a, a)", "return " + "-" * 100_000 + "a"),
        "",
    ),
}


@pytest.mark.parametrize("what", PARSED)
def test_reading_a_lab_runs_nothing_of_it(base: Base, tmp_path: Path, what: str) -> None:
    where, change, sentence = PARSED[what]
    marker = tmp_path / "marker"
    write_curriculum(tmp_path / "theirs")
    file = where(tmp_path / "theirs" / "labs" / "image-recognition" / "sums")
    text = change(file.read_text("utf-8"))
    assert text != file.read_text("utf-8")
    file.write_text(text.replace("ACT", f"touch {marker}"), "utf-8")
    before = versions(base)
    problems: list[UserError] = []
    try:
        problems += [
            p for one in publish(base, tmp_path / "theirs").proved for p in one.report.problems
        ]
    except UserError as error:
        problems.append(error)
    assert not marker.exists()
    assert any(sentence in str(problem) for problem in problems)
    assert versions(base) == before


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A repository with a sound curriculum."""
    root = tmp_path / "repositories" / "lessons"
    write_curriculum(root)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=first")
    return root


@pytest.fixture
def address(theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serving(theirs.parent, tmp_path) as (url, certificate):
        monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
        yield f"{url}/lessons/.git"


def taken(url: str, target: Path, ref: str = "") -> list[str]:
    with fetched(url, ref) as repository:
        take_in(repository.entries(), target)
    return sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())


def test_a_repository_is_the_same_version_and_said_by_its_commit(
    theirs: Path, address: str
) -> None:
    version, source = version_in(address)
    assert version == load_curriculum(theirs / "curricula" / "adding").version
    assert source == f"{address}@{git(theirs, 'rev-parse', 'HEAD')}"


def test_a_branch_is_fetched_and_what_does_not_exist_is_said(
    theirs: Path, address: str, tmp_path: Path
) -> None:
    git(theirs, "checkout", "--quiet", "-b", "next")
    (theirs / "labs" / "NOTES.md").write_text("next")
    git(theirs, "add", "--all")
    git(theirs, "commit", "--quiet", "--message=next")
    git(theirs, "checkout", "--quiet", "main")
    assert "labs/NOTES.md" in taken(address, tmp_path / "next", "next")
    assert "labs/NOTES.md" not in taken(address, tmp_path / "main")
    with pytest.raises(NotTaken, match="Git could not fetch it: fatal: Remote branch nowhere"):
        taken(address, tmp_path / "no", "nowhere")
    with pytest.raises(NotTaken, match="Git could not fetch it"):
        taken(address.replace("lessons", "none"), tmp_path / "none")


def test_hooks_and_filters_of_a_repository_are_never_used(
    theirs: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    act = f"#!/bin/sh\ntouch {marker}\ncat\n"
    for hook in ("post-checkout", "post-merge", "reference-transaction"):
        path = theirs / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(act)
        path.chmod(0o755)
    (theirs / ".gitattributes").write_text("*.py filter=evil\nlab.py ident export-subst\n")
    (theirs / ".lfsconfig").write_text("[lfs]\nurl = https://elsewhere.invalid\n")
    git(theirs, "add", "--all")
    git(theirs, "commit", "--quiet", "--message=hooks")
    # The settings of whoever publishes know the filter and the hooks; they are not read.
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[filter "evil"]\nsmudge = {theirs}/hooks/post-checkout\n'
        f"[core]\nhooksPath = {theirs}/hooks\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    files = taken(address, tmp_path / "in")
    assert "labs/image-recognition/sums/lab.py" in files
    assert not any(name.startswith((".git", "hooks")) for name in files)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        ("120000 {link} labs/x", "labs/x is a link"),
        ("160000 {commit} labs/x", "labs/x is neither a file nor a folder"),
        ("100644 {pointer} labs/x", "is kept in Git LFS"),
        ("100644 {large} labs/x", "labs/x is larger than 5 MiB"),
    ],
)
def test_a_repository_with_more_than_plain_files_is_refused(
    theirs: Path, address: str, tmp_path: Path, add: str, sentence: str
) -> None:
    objects = {
        "link": "/etc/passwd",
        "pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "large": "\n" * (5 * 1024 * 1024 + 1),
    }
    names = {
        name: git(theirs, "hash-object", "-w", "--stdin", given=text)
        for name, text in objects.items()
    }
    line = add.format(**names, commit=git(theirs, "rev-parse", "HEAD"))
    git(theirs, "update-index", "--add", "--cacheinfo", line.replace(" ", ","))
    git(theirs, "commit", "--quiet", "--message=odd")
    with pytest.raises(NotTaken, match=sentence):
        taken(address, tmp_path / "in")


def test_a_submodule_beside_the_rooms_is_not_fetched(
    theirs: Path, address: str, tmp_path: Path
) -> None:
    (theirs / ".gitmodules").write_text(
        '[submodule "x"]\npath = x\nurl = ext::sh -c "touch marker"\n'
    )
    git(theirs, "add", ".gitmodules")
    commit = git(theirs, "rev-parse", "HEAD")
    git(theirs, "update-index", "--add", "--cacheinfo", f"160000,{commit},x")
    git(theirs, "commit", "--quiet", "--message=submodule")
    files = taken(address, tmp_path / "in")
    assert "labs/image-recognition/sums/lab.py" in files
    assert all(name.startswith(("labs/", "curricula/")) for name in files)
    assert not list(tmp_path.rglob("marker"))
