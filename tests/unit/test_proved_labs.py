"""What is remembered of labs that held, and when it is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.curricula_support import MANIFEST, SOURCE, write_lab

from ulab_core.layout import Layout
from ulab_core.settings import Grading, Server, Settings
from ulab_curricula import load_lab
from ulab_curricula.check import recalled
from ulab_curricula.execute import Run
from ulab_curricula.mutants import Fate, Mutant
from ulab_curricula.mutations import Mutation
from ulab_datasets.own import registry
from ulab_deploy.prove import How, Proved
from ulab_deploy.remembered import Remembered

HOW = How("zh", mutants=True)
CHANGED = {
    "the lab": lambda folder: (folder / "lab.py").write_text(SOURCE + "# more\n"),
    "an answer": lambda folder: (folder / "fixtures" / "wrong" / "same.py").unlink(),
    "a picture": lambda folder: (folder / "picture.png").write_bytes(b"new"),
}


def proved(folder: Path) -> Proved:
    mutant = Mutant("add", Mutation(5, "a + b", "a - b", "…"), Fate.SURVIVED)
    report = recalled(
        load_lab(folder), {"add-test": 2.0}, {"reference": Run("reference", {}, 1.5)}, [mutant], 300
    )
    return Proved(report, 9)


def test_a_lab_that_held_is_remembered_with_all_that_is_told_of_it(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    memory, kept = Remembered(tmp_path / "checked", Settings()), proved(folder)
    assert memory.find(load_lab(folder), HOW) is None
    memory.keep(load_lab(folder), HOW, kept)
    found = memory.find(load_lab(folder), HOW)
    assert found is not None
    assert (found.remembered, found.judged) == (True, 9)
    ours, theirs = found.report, kept.report
    assert (ours.points, ours.seconds, ours.peak_mb) == (theirs.points, 1.5, 300)
    assert ours.mutants == theirs.mutants
    assert [str(one) for one in ours.remarks] == [str(one) for one in theirs.remarks] != []


@pytest.mark.parametrize("what", CHANGED)
def test_it_is_forgotten_when_what_it_rests_on_changes(tmp_path: Path, what: str) -> None:
    folder = write_lab(tmp_path)
    memory = Remembered(tmp_path / "checked", Settings())
    memory.keep(load_lab(folder), HOW, proved(folder))
    assert memory.find(load_lab(folder), How("en", mutants=True)) is None
    stricter = Settings(grading=Grading(memory_mb=512))
    assert Remembered(tmp_path / "checked", stricter).find(load_lab(folder), HOW) is None
    assert memory.find(load_lab(folder), HOW) is not None
    CHANGED[what](folder)
    assert memory.find(load_lab(folder), HOW) is None
    memory.keep(load_lab(folder), HOW, proved(folder))
    assert len(list((tmp_path / "checked").iterdir())) == 1


def test_it_is_forgotten_when_a_wrong_answer_becomes_a_right_one(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    right, wrong = (folder / "fixtures" / kind for kind in ("right", "wrong"))
    # Their names stay in the same order, and so do their contents.
    for path in (*right.iterdir(), *wrong.iterdir()):
        if path.stem not in ("builtin", "square"):
            path.unlink()
    memory = Remembered(tmp_path / "checked", Settings())
    memory.keep(load_lab(folder), HOW, proved(folder))
    assert memory.find(load_lab(folder), HOW) is not None
    (wrong / "square.py").rename(right / "square.py")
    assert memory.find(load_lab(folder), HOW) is None


def test_it_is_forgotten_when_a_data_set_of_the_base_gets_a_new_card(tmp_path: Path) -> None:
    settings = Settings(server=Server(state_dir=tmp_path / "state"))
    card = registry(Layout.of(settings).datasets) / "rain" / "card.yaml"
    card.parent.mkdir(parents=True)
    card.write_text("id: rain\n")
    lab = load_lab(write_lab(tmp_path, MANIFEST.replace("datasets: []", "datasets: [rain]")))
    memory = Remembered(tmp_path / "checked", settings)
    memory.keep(lab, HOW, proved(lab.folder))
    assert memory.find(lab, HOW) is not None
    card.write_text("id: rain\n# another version\n")
    assert memory.find(lab, HOW) is None


def test_a_result_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    folder = write_lab(tmp_path)
    memory = Remembered(tmp_path / "checked", Settings())
    memory.keep(load_lab(folder), HOW, proved(folder))
    [file] = (tmp_path / "checked").iterdir()
    file.write_text("{")
    assert memory.find(load_lab(folder), HOW) is None
