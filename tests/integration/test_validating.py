"""Validating in the student's own server: the tests are run, and nothing else is left of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import nbformat
import pytest
from integration.coursework_support import COURSE, LAB, answer

from ulab_coursework.validating import told_by, validate
from ulab_mlflow.marker import FILE

TRACKING = """import os, pathlib, mlflow, ulab
    with ulab.track("mine") as run:
        pathlib.Path("noted").write_text(f"{run.run_id} {ulab.grading()}")
    with mlflow.start_run():
        mlflow.log_metric("loss", 1)
    return a + b"""


def test_validating_logs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where a run would go: had anything been sent there, the notebook would have failed.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9/services/mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / FILE).write_text(json.dumps({"course": COURSE, "assignment": LAB}))
    notebook = tmp_path / f"{LAB}.ipynb"
    notebook.write_bytes(answer(TRACKING))
    found = asyncio.run(validate(notebook))
    assert found == {}, "every test passes"
    assert (tmp_path / "noted").read_text() == "None True"
    assert {path.name for path in tmp_path.iterdir()} == {FILE, notebook.name, "noted"}
    assert nbformat.read(notebook, as_version=4), "the notebook itself is not touched"


def test_the_tests_own_sentence_comes_before_its_source(tmp_path: Path) -> None:
    notebook = tmp_path / f"{LAB}.ipynb"
    notebook.write_bytes(answer("return 0"))
    [failed] = asyncio.run(validate(notebook))["failed"]
    assert failed["source"].startswith("add(1, 2) must be 3\n\nassert add(1, 2) == 3")
    notebook.write_bytes(answer("return nothing"))
    failed, _ = asyncio.run(validate(notebook))["failed"]
    assert failed["source"].startswith("NameError: name 'nothing' is not defined\n\nassert")
    assert told_by("no traceback at all") == ""
    assert told_by("ValueError: a: b\nof two lines") == "ValueError: a: b\nof two lines"
