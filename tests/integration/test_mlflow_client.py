"""A student's notebook with plain MLflow, as a process of its own in a folder."""

from __future__ import annotations

from pathlib import Path

from integration.mlflow_support import VISION, Site
from integration.tracking_support import Kernel, kernel_of, lab

__all__ = ["lab"]

PLAIN = """
import mlflow
with mlflow.start_run(run_name="first"):
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", 0.5)
    mlflow.log_text("hello", "notes.txt")
print(mlflow.last_active_run().info.run_id)
"""


def test_plain_mlflow_lands_in_the_own_experiment(lab: Kernel) -> None:
    run_id = lab.value(PLAIN)
    assert lab.site is not None
    info = lab.the_run(run_id)["info"]
    assert info["experiment_id"] == lab.site.experiment_of("lin")
    tags = lab.tags(run_id)
    assert tags["ulab.course"] == VISION
    assert tags["ulab.assignment"] == "garments"
    assert tags["mlflow.user"] == "lin"
    assert lab.files(run_id) == ["notes.txt"]


def test_the_link_that_mlflow_prints_leads_to_the_run(lab: Kernel) -> None:
    """Its pages know a run by its workspace only."""
    printed = lab.run(PLAIN).stdout
    links = [line.split(" at: ")[1] for line in printed.splitlines() if " at: " in line]
    assert ["/runs/" in link for link in links] == [True, False]
    assert all(link.endswith(f"?workspace={VISION}") for link in links)


def test_outside_an_assignment_a_sentence_says_where_to_run_it(
    mlflow_site: Site, tmp_path: Path
) -> None:
    with kernel_of(mlflow_site, tmp_path) as kernel:
        plain = kernel.run(PLAIN)
        assert plain.returncode != 0
        assert "from the folder of an assignment" in plain.stderr


TRACED = """
import mlflow
@mlflow.trace
def square(x):
    return x * x
square(3)
mlflow.flush_trace_async_logging()
[trace] = mlflow.search_traces(return_type="list")
print(trace.data.spans[0].name, trace.data.spans[0].outputs)
"""


def test_what_is_traced_is_kept_without_a_word(lab: Kernel) -> None:
    """OpenTelemetry's way in is closed, so MLflow's client keeps it as a file."""
    kept = lab.run(TRACED)
    assert kept.stdout.strip().splitlines()[-1] == "square 9", kept.stderr
    assert "WARNING" not in kept.stderr
    assert "Failed" not in kept.stderr
