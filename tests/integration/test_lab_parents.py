"""A lab's processes are forked from a parent of its own, which has only what the lab imports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.judging_support import Answer, Test, judge, kinds, notebook, settled

from ulab_core.settings import Settings
from ulab_coursework import judging
from ulab_runtime.forkserver.client import modules_of
from ulab_runtime.forkserver.own import own_fork_server
from ulab_runtime.judge.parents import MOST, Parents, trusted

READY_S = 60.0


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    modules = ["ulab_runtime.judge.student", "ulab_runtime.judge.bench", "pandas"]
    with own_fork_server(modules) as path:
        assert path is not None
        yield path


@pytest.fixture
def parents(base: Path, tmp_path: Path) -> Iterator[Parents]:
    made = Parents(base, tmp_path / "labs")
    yield made
    made.end()


def test_the_bases_fork_server_does_until_a_labs_own_has_started(
    base: Path, parents: Parents
) -> None:
    assert parents.of("lab", ["json"]) == [base]
    own, *others = settled(parents, "lab", ["json"], READY_S)
    assert others == [base]
    assert own != base


def test_a_labs_own_parent_has_what_the_lab_imports_and_no_more(parents: Parents) -> None:
    with_pandas = settled(parents, "tables", ["pandas"], READY_S)[0]
    without = settled(parents, "plain", ["json"], READY_S)[0]
    assert "pandas" in modules_of(with_pandas)
    assert "pandas" not in modules_of(without)


def test_nothing_is_imported_outside_a_sandbox_that_the_base_had_not_imported(
    parents: Parents,
) -> None:
    own = settled(parents, "odd", ["antigravity", "pandas"], READY_S)[0]
    assert "antigravity" not in modules_of(own)
    assert "pandas" in modules_of(own)


def test_what_the_base_trusts_is_told_by_the_package() -> None:
    names = ["torch.nn", "torchvision", "antigravity", "ulab_deploy.demo"]
    assert trusted(names, ["torch", "torchvision", "ulab"]) == ["torch.nn", "torchvision"]


def test_the_least_recently_used_is_given_up(parents: Parents, base: Path) -> None:
    first = settled(parents, "0", [], READY_S)[0]
    for number in range(1, MOST + 1):
        parents.of(str(number), [])
    assert not modules_of(first)
    assert parents.of("0", []) == [base]


def test_one_that_has_ended_is_started_anew(parents: Parents, base: Path) -> None:
    first = settled(parents, "lab", [], READY_S)[0]
    parents._kept["lab"]._process.kill()
    parents._kept["lab"]._process.wait()
    assert parents.of("lab", []) == [base]
    assert settled(parents, "lab", [], READY_S)[0] != first


def test_grading_is_the_same_from_either_parent(base: Path, tmp_path: Path) -> None:
    settings = Settings()
    parents = Parents(base, tmp_path / "labs")
    made = judging.Judges(settings, tmp_path / "store", parents, settings.accounts.uid_base - 300)
    cells = ((Answer, "import pandas as pd\nx = pd.Series([1, 2]).sum()"), (Test, "assert x == 3"))
    try:
        assert kinds(judge(made, *cells, key="same")) == ["passed"]
        imports = judging.Tests.of(notebook(*cells), "same").imports
        assert len(settled(parents, "same", imports, READY_S)) == 2
        assert kinds(judge(made, *cells, key="same")) == ["passed"]
        wrong = ((Answer, "x = 4"), cells[1])
        assert kinds(judge(made, *wrong, key="same")) == ["failed"]
    finally:
        made.end()
    assert not list((tmp_path / "labs").iterdir())


SHELL_SEEN = """
import builtins, sys
from IPython import get_ipython
shell = get_ipython()
places = [str(p) for p in (shell.ipython_dir, shell.profile_dir.location, shell.home_dir)]
begun = shell.starting_dir
own_main = sys.modules["__main__"].__dict__ is globals()
shows = builtins.display is not None
"""
SEEN_AS = """
assert places == ["/tmp/.ipython", "/tmp/.ipython/profile_default", "/tmp"], places
assert begun == "/tmp", begun
assert own_main and shows
"""
JUDGE_HAS_NONE = """
import builtins, sys
from IPython import get_ipython
assert get_ipython() is None
assert not hasattr(builtins, "display"), "the judge has a student's shell"
"""


def test_a_shell_made_ahead_is_the_students_own_and_none_of_the_judges(
    base: Path, tmp_path: Path
) -> None:
    settings = Settings()
    parents = Parents(base, tmp_path / "labs")
    made = judging.Judges(settings, tmp_path / "store", parents, settings.accounts.uid_base - 300)
    cells = ((Answer, SHELL_SEEN), (Test, SEEN_AS), (Test, JUDGE_HAS_NONE))
    try:
        assert kinds(judge(made, *cells, key="shell")) == ["passed"] * 2
        imports = judging.Tests.of(notebook(*cells), "shell").imports
        own = settled(parents, "shell", imports, READY_S)[0]
        assert "IPython" in modules_of(own)
        assert kinds(judge(made, *cells, key="shell")) == ["passed"] * 2
    finally:
        made.end()


def test_without_fork_servers_there_are_none_of_labs_either(tmp_path: Path) -> None:
    parents = Parents(None, tmp_path / "labs")
    assert parents.of("lab", ["json"]) == []
    assert not (tmp_path / "labs").exists()
