"""`ulab bench pages` for real, with three students: its figures, and that nothing is left."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ulab_core.settings import load_settings
from ulab_deploy.bench.pages import BadClass, measure, rows, sentences
from ulab_deploy.bench.progress import Progress
from ulab_deploy.cli import build


def test_it_measures_both_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = measure(load_settings(), 3, Progress(silent=True))
    assert not any(tmp_path.iterdir())
    assert list(found) == ["submissions", "labs", "stock", "ulab", "ratio"]
    assert (found["submissions"], found["labs"]) == (3, 12)
    assert list(found["stock"]) == ["lab", "by_hand"]
    assert list(found["ulab"]) == ["lab", "refreshed", "course", "scores_csv"]
    assert min(*found["stock"].values(), *found["ulab"].values(), found["ratio"]) > 0
    assert [len(cells) for cells in rows(found)] == [4] * 6
    assert len(list(sentences(found))) == 1


def test_what_cant_be_measured_is_refused() -> None:
    for count in (0, 10_001):
        with pytest.raises(BadClass, match="a number from 1 to 10000"):
            measure(load_settings(), count, Progress(silent=True))


def test_help_has_an_example() -> None:
    shown = CliRunner().invoke(build(), ["bench", "pages", "--help"])
    assert shown.exit_code == 0
    assert "ulab bench pages --submissions 1000" in shown.output
