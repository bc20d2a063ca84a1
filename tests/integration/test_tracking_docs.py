"""The examples of docs/tracking.md do what they say."""

from __future__ import annotations

import re
from pathlib import Path

from integration.tracking_support import Kernel, join_team, lab

__all__ = ["lab"]

PAGE = Path(__file__).parents[2] / "docs" / "tracking.md"


def test_every_example_runs_and_is_tracked(lab: Kernel) -> None:
    assert lab.site is not None
    join_team(lab.site, "lin", "windfarm")
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 4
    for example in examples:
        done = lab.run(example)
        assert (done.returncode, done.stderr) == (0, ""), example
    [first] = lab.runs_named("small CNN")
    assert lab.params(first["info"]["run_id"]) == {"lr": "0.1", "epochs": "5"}
    assert len(lab.history(first["info"]["run_id"], "accuracy")) == 5
    trained = {lab.params(run["info"]["run_id"])["lr"] for run in lab.runs_named("train")}
    assert trained == {"0.1", "0.01"}
    [longer] = lab.runs_named("longer")
    assert lab.params(longer["info"]["run_id"]) == {"epochs": "10"}
    [both] = lab.runs_named("both ways")
    assert lab.files(both["info"]["run_id"]) == ["notes.txt"]
    [fold] = lab.runs_named("fold 1")
    assert lab.tags(fold["info"]["run_id"])["mlflow.parentRunId"] == both["info"]["run_id"]
    [forecast] = lab.runs_named("forecast", "windfarm")
    assert lab.history(forecast["info"]["run_id"], "loss", "windfarm")
