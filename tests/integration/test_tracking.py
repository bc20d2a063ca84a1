"""`ulab.track()` in a student's kernel, with a real MLflow behind the real gateway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from integration.mlflow_support import VISION, Site
from integration.tracking_support import Kernel, join_team, kernel_of, lab, wait_until

__all__ = ["lab"]

TRACKED = """
import ulab, mlflow
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
with ulab.track("second", lr=0.1, epochs=700) as run:
    for epoch in range(700):
        run.log(loss=1 / (epoch + 1), accuracy=0.5)
    run.figure(plt.figure(), "curve")
    open("model.pt", "w").write("weights")
    run.file("model.pt")
    open("model.pt", "w").write("written over")
assert mlflow.active_run() is None
print(run.run_id)
"""


def test_every_number_file_and_parameter_arrives(lab: Kernel) -> None:
    done = lab.run(TRACKED)
    assert done.stderr == ""
    run_id = done.stdout.strip()
    run = lab.the_run(run_id)
    assert run["info"]["status"] == "FINISHED"
    assert run["info"]["run_name"] == "second"
    assert lab.site is not None
    assert run["info"]["experiment_id"] == lab.site.experiment_of("lin")
    assert lab.params(run_id) == {"lr": "0.1", "epochs": "700"}
    assert [point["step"] for point in lab.history(run_id, "loss")] == list(range(700))
    assert lab.history(run_id, "loss")[699]["value"] == 1 / 700
    assert sorted(lab.files(run_id)) == ["curve.png", "model.pt"]
    with lab.site.client("lin") as client:
        kept = client.get("/get-artifact", params={"path": "model.pt", "run_id": run_id})
        assert kept.text == "weights"
    assert lab.spools() == [], "nothing is left of what has arrived"
    # The assignment's folder has what the student put there.
    assert sorted(path.name for path in lab.folder.iterdir()) == [".ulab.json", "model.pt"]


def test_a_run_says_what_it_came_from(lab: Kernel) -> None:
    lab.mark(curriculum="vision-foundations", version="3")
    cells = [("code", ["x = 1\n", "x"]), ("markdown", ["words"]), ("code", "print(x)")]
    notebook = {
        "cells": [{"cell_type": kind, "source": source, "outputs": [1]} for kind, source in cells]
    }
    path = lab.folder / "garments.ipynb"
    path.write_text(json.dumps(notebook))
    code = """
import ulab
with ulab.track() as run:
    pass
print(run.run_id)
"""
    tags = lab.tags(lab.value(code, JPY_SESSION_NAME=str(path)))
    assert tags["ulab.course"] == VISION
    assert tags["ulab.assignment"] == "garments"
    assert tags["ulab.curriculum"] == "vision-foundations"
    assert tags["ulab.lab_version"] == "3"
    assert tags["ulab.notebook"] == "garments.ipynb"
    assert tags["mlflow.user"] == "lin"
    # printf '["x = 1\\nx", "print(x)"]' | sha256sum
    expected = "ebad3b0eeba3c7444ee959c8a9b0e823ba55dbd7a0870e6e1f2533bcfd801946"
    assert tags["ulab.notebook_sha256"] == expected


def test_a_decorated_function_is_a_run_each_time(lab: Kernel) -> None:
    code = """
import asyncio
import ulab

@ulab.track
def bare(run, lr=0.5, data=None, layers=(1, 2)):
    run.log(loss=lr)
    return run.run_id

@ulab.track("named", epochs=3)
def named(lr):
    return lr * 2

@ulab.track
async def later(run):
    return run.run_id

print(bare(), bare(lr=0.25), asyncio.run(later()), named(4))
try:
    ulab.track(lambda: (yield))
except ulab.ULabError as error:
    assert "yields" in str(error)
else:
    raise AssertionError
"""
    first, second, third, doubled = lab.value(code).split()
    assert doubled == "8"
    assert lab.params(first) == {"lr": "0.5", "data": "None"}
    assert lab.params(second)["lr"] == "0.25"
    assert lab.the_run(first)["info"]["run_name"] == "bare"
    assert lab.the_run(third)["info"]["run_name"] == "later"
    [run] = lab.runs_named("named")
    assert lab.params(run["info"]["run_id"]) == {"epochs": "3", "lr": "4"}


@pytest.mark.parametrize("early", [True, False])
def test_plain_mlflow_inside_a_block_logs_to_its_run(lab: Kernel, early: bool) -> None:
    """Whether MLflow is imported before the block, as in a warm kernel, or inside it."""
    code = f"""
import ulab
{"import mlflow" if early else ""}
with ulab.track("outer") as run:
    run.log(mine=1)
    import mlflow
    with mlflow.start_run(run_name="inner", nested=True) as inner:
        mlflow.log_metric("nested", 3)
    mlflow.log_metric("plain", 2)
    mlflow.log_param("by", "hand")
    mlflow.log_text("words", "notes.txt")
    with ulab.track("also inner") as ours:
        mlflow.log_metric("deep", 4)
    assert mlflow.active_run().info.run_id == run.run_id
assert mlflow.active_run() is None
print(run.run_id, inner.info.run_id, ours.run_id)
"""
    run_id, inner, ours = lab.value(code).split()
    assert [point["value"] for point in lab.history(run_id, "plain")] == [2]
    assert [point["value"] for point in lab.history(run_id, "mine")] == [1]
    assert lab.params(run_id) == {"by": "hand"}
    assert lab.files(run_id) == ["notes.txt"]
    for nested in (inner, ours):
        assert lab.tags(nested)["mlflow.parentRunId"] == run_id
        assert lab.the_run(nested)["info"]["status"] == "FINISHED"
    assert lab.history(inner, "nested")
    assert lab.history(ours, "deep")


def test_a_block_inside_a_plain_run_is_nested_in_it(lab: Kernel) -> None:
    code = """
import mlflow, ulab
with mlflow.start_run() as outer:
    with ulab.track() as run:
        pass
    assert mlflow.active_run().info.run_id == outer.info.run_id
print(outer.info.run_id, run.run_id)
"""
    outer, run_id = lab.value(code).split()
    assert lab.tags(run_id)["mlflow.parentRunId"] == outer


@pytest.mark.parametrize(
    ("raised", "status"),
    [("1 / 0", "FAILED"), ("raise KeyboardInterrupt", "KILLED"), ("pass", "FINISHED")],
)
def test_how_a_block_ends_is_how_the_run_ends(lab: Kernel, raised: str, status: str) -> None:
    code = f"""
import ulab
try:
    with ulab.track("ends") as run:
        run.log(loss=1.0)
        {raised}
except (ZeroDivisionError, KeyboardInterrupt) as error:
    assert {status!r} != "FINISHED"
print(run.run_id)
"""
    run_id = lab.value(code)
    assert lab.the_run(run_id)["info"]["status"] == status
    assert len(lab.history(run_id, "loss")) == 1


VALUES = """
import numpy as np, torch, ulab
with ulab.track("values", text="词" * 7000, nothing=None) as run:
    run.log(a=float("nan"), b=float("inf"), c=-1e400, d=10**400, e=True, f=np.float32(0.5))
    run.log(a=torch.tensor(2.0, requires_grad=True), b=np.array([3]), c=torch.tensor([[4]]))
    run.log(7, **{"val/accuracy@1": 1, "损失": 0.25, "../x": 1, "long" * 100: 1})
    run.log(a="0.5", b=[1, 2], c=None, d=torch.ones(3), e=6.0)
print(run.run_id)
"""


def test_whatever_is_logged_is_a_number_or_a_sentence(lab: Kernel) -> None:
    done = lab.run(VALUES)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "a is no single number (but str) and was not logged.\n"
    run_id = done.stdout.strip()

    def values(name: str) -> dict[int, object]:
        return {point["step"]: point["value"] for point in lab.history(run_id, name)}

    largest = 1.7976931348623157e308
    assert values("a") == {0: "NaN", 1: 2}
    assert values("b") == {0: largest, 1: 3}
    assert values("c") == {0: -largest, 1: 4}
    assert values("d") == {0: largest}
    assert values("e") == {0: 1, 8: 6}
    assert values("f") == {0: 0.5}
    assert values("损失") == {7: 0.25}
    names = {metric["key"] for metric in lab.the_run(run_id)["data"]["metrics"]}
    assert {"val/accuracy_1", "_/x", ("long" * 100)[:250]} <= names
    assert len(lab.params(run_id)["text"]) == 6000
    assert lab.params(run_id)["nothing"] == "None"


def test_threads_and_forked_processes_log_to_the_run(lab: Kernel) -> None:
    code = """
import os, threading, ulab
with ulab.track("many") as run:
    def work(name):
        for step in range(300):
            run.log(step, **{name: step})
    threads = [threading.Thread(target=work, args=(f"thread_{n}",)) for n in range(4)]
    for thread in threads: thread.start()
    child = os.fork()
    if child == 0:
        work("forked")
        os._exit(0)
    for thread in threads: thread.join()
    assert os.waitpid(child, 0)[1] == 0
print(run.run_id)
"""
    run_id = lab.value(code)
    assert lab.the_run(run_id)["info"]["status"] == "FINISHED"
    for name in ("thread_0", "thread_1", "thread_2", "thread_3", "forked"):
        assert [point["step"] for point in lab.history(run_id, name)] == list(range(300))


def test_a_plain_torch_loop_tells_its_optimizer_and_learning_rate(lab: Kernel) -> None:
    code = """
import ulab
with ulab.track("loop", optimizer="mine") as run:
    import torch
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    model[1].bias.requires_grad = False
    run.log(-1, begun=1)
    run.watch(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.1)
    for step in range(4):
        optimizer.zero_grad()
        loss = model(torch.ones(1, 3)).sum()
        loss.backward()
        optimizer.step()
        schedule.step()
        run.log(loss=loss)
before = run
with ulab.track("after") as run:
    pass
optimizer.step()
print(before.run_id)
"""
    run_id = lab.value(code)
    params = lab.params(run_id)
    assert params["optimizer"] == "mine", "what the student said stays"
    assert (params["optimizer/lr"], params["optimizer/momentum"]) == ("0.5", "0.9")
    assert params["optimizer/parameters"] == "11"
    assert params["model"] == "Sequential"
    assert (params["model/parameters"], params["model/trainable_parameters"]) == ("11", "10")
    rates = {point["step"]: point["value"] for point in lab.history(run_id, "optimizer/lr")}
    assert rates == {0: 0.5, 2: 0.05}
    assert lab.files(run_id) == ["model.txt"]


def test_what_is_written_for_tensorboard_is_noted(lab: Kernel) -> None:
    """TensorBoard does not come with the base: its writer's one method stands for it."""
    code = """
import sys, types, torch, ulab
class SummaryWriter:
    written = []
    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False):
        self.written.append((tag, global_step, new_style))
board = sys.modules["torch.utils.tensorboard"] = types.ModuleType("torch.utils.tensorboard")
board.SummaryWriter = SummaryWriter
whole = SummaryWriter.add_scalar
writer = SummaryWriter()
with ulab.track("board") as run:
    with ulab.track("inner") as inner:
        writer.add_scalar("loss/train", torch.tensor(0.5), 7, new_style=True)
    writer.add_scalar("outer", 1)
assert SummaryWriter.add_scalar is whole
assert writer.written == [("loss/train", 7, True), ("outer", None, False)]
print(run.run_id, inner.run_id)
"""
    run_id, inner = lab.value(code).split()
    [point] = lab.history(inner, "loss/train")
    assert (point["step"], point["value"]) == (7, 0.5)
    assert lab.history(run_id, "loss/train") == []
    assert len(lab.history(run_id, "outer")) == 1


def test_torch_is_not_imported_for_a_student_who_does_not_use_it(lab: Kernel) -> None:
    code = """
import sys, ulab
with ulab.track() as run:
    run.log(loss=1)
assert run.run_id
print(*[name for name in ("torch", "mlflow", "numpy", "requests") if name in sys.modules], "-")
"""
    assert lab.value(code) == "-"


def test_the_machine_and_the_kernel_are_watched(lab: Kernel) -> None:
    code = """
import time, ulab
with ulab.track("watched") as run:
    run.log(loss=1)
    time.sleep(4)
print(run.run_id)
"""
    run_id = lab.value(code, MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL="1")
    found = {m["key"]: m["value"] for m in lab.the_run(run_id)["data"]["metrics"]}
    assert 0 < found["system/system_memory_usage_percentage"] < 100
    assert 5 < found["system/process_memory_megabytes"] < 500
    assert "system/cpu_utilization_percentage" in found
    assert len(lab.history(run_id, "system/process_cpu_percentage")) >= 2
    off = lab.value(code, MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING="false")
    assert [m["key"] for m in lab.the_run(off)["data"]["metrics"]] == ["loss"]


# Where a run goes ------------------------------------------------------------------------------


def test_one_argument_switches_to_the_team(lab: Kernel) -> None:
    assert lab.site is not None
    join_team(lab.site, "lin", "windfarm")
    code = """
import mlflow, ulab
with ulab.track("for the team", workspace="windfarm", experiment="day-ahead") as run:
    run.log(loss=1)
    mlflow.log_metric("plain", 2)
    with mlflow.start_run(nested=True) as nested:
        mlflow.log_metric("nested", 3)
    with ulab.track("inner") as inner:
        inner.log(loss=2)
with ulab.track("default", workspace="windfarm") as default:
    pass
with ulab.track("course") as own:
    mlflow.log_metric("plain", 2)
print(run.run_id, nested.info.run_id, inner.run_id, default.run_id, own.run_id)
"""
    run_id, nested, inner, default, own = lab.value(code).split()
    team = "windfarm"
    found = lab.the_run(run_id, team)["info"]["experiment_id"]
    named = lab.ask("/experiments/get", team, experiment_id=found)["experiment"]["name"]
    assert named == "day-ahead"
    assert lab.history(run_id, "plain", team)
    for below in (nested, inner):
        assert lab.the_run(below, team)["info"]["experiment_id"] == found
        assert lab.tags(below, team)["mlflow.parentRunId"] == run_id
    other = lab.the_run(default, team)["info"]["experiment_id"]
    # The notebook's folder names what nobody has named.
    assert lab.ask("/experiments/get", team, experiment_id=other)["experiment"]["name"] == "lab"
    assert lab.the_run(own)["info"]["experiment_id"] == lab.site.experiment_of("lin")
    assert lab.history(own, "plain")


def test_an_assignment_is_named_from_anywhere(mlflow_site: Site, tmp_path: Path) -> None:
    with kernel_of(mlflow_site, tmp_path) as kernel:
        code = f"""
import ulab
with ulab.track(workspace="{VISION}", experiment="garments") as run:
    pass
print(run.run_id)
"""
        found = kernel.the_run(kernel.value(code))["info"]["experiment_id"]
        assert found == mlflow_site.experiment_of("lin")


def test_what_mlflow_was_told_before_is_kept_to(mlflow_site: Site, tmp_path: Path) -> None:
    join_team(mlflow_site, "wang", "told")
    with kernel_of(mlflow_site, tmp_path, "wang") as kernel:
        kernel.mark()
        code = """
import mlflow, ulab
mlflow.set_experiment("by hand")
with ulab.track() as run:
    pass
print(run.run_id)
"""
        run_id = kernel.value(code, MLFLOW_WORKSPACE="told")
        found = kernel.the_run(run_id, "told")["info"]["experiment_id"]
        asked = kernel.ask("/experiments/get", "told", experiment_id=found)
        assert asked["experiment"]["name"] == "by hand"


# Refusals --------------------------------------------------------------------------------------

SHORT = """
import ulab
with ulab.track({arguments}) as run:
    for _ in range(3):
        run.log(loss=1)
    run.file(__import__("os").__file__)
print(run.run_id)
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "from the folder of an assignment"),
        ("workspace='windfarm-of-others'", "no course or team called windfarm-of-others"),
        (f"workspace='{VISION}', experiment='of-my-own'", "can't make the experiment “of-my-own”"),
        (f"workspace='{VISION}'", f'ulab.track(workspace="{VISION}", experiment="assignment")'),
    ],
)
def test_a_run_that_is_not_wanted_is_one_sentence(
    mlflow_site: Site, tmp_path: Path, arguments: str, said: str
) -> None:
    with kernel_of(mlflow_site, tmp_path) as kernel:
        done = kernel.run(SHORT.format(arguments=arguments))
        assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr
        [sentence] = done.stderr.splitlines()
        assert said in sentence
        assert sentence.endswith("This run is not recorded; all else goes on.")
        assert kernel.spools() == [], "what nobody wants is not kept"


def test_who_is_not_in_the_course_is_told_so(mlflow_site: Site, tmp_path: Path) -> None:
    with kernel_of(mlflow_site, tmp_path, "stranger") as kernel:
        kernel.mark()
        done = kernel.run(SHORT.format(arguments=""))
        assert (done.returncode, done.stdout) == (0, "None\n")
        [sentence] = done.stderr.splitlines()
        assert VISION in sentence


def test_a_refused_parameter_costs_the_run_nothing_else(lab: Kernel) -> None:
    code = """
import ulab
with ulab.track("twice", lr=0.1) as run:
    run.param(lr=0.2, other=3)
    for step in range(50):
        run.log(loss=step)
print(run.run_id)
"""
    done = lab.run(code)
    assert done.stderr == (
        "1 of what was logged the server did not take: the parameter lr has another value already "
        "and can't become 0.2.\n"
    )
    run_id = done.stdout.strip()
    assert lab.params(run_id) == {"lr": "0.1", "other": "3"}
    assert len(lab.history(run_id, "loss")) == 50


def test_grading_sends_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    with kernel_of(None, tmp_path, uri="http://127.0.0.1:9/services/mlflow") as kernel:
        kernel.mark()
        done = kernel.run(TRACKED, ULAB_GRADING="1")
        assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")
        assert kernel.bases == []


def test_without_a_server_the_notebook_goes_on(tmp_path: Path) -> None:
    with kernel_of(None, tmp_path) as kernel:
        done = kernel.run(2 * SHORT.format(arguments=""), ULAB_LANGUAGE="zh")
        assert (done.returncode, done.stdout) == (0, "None\nNone\n")
        assert done.stderr == "这里没有实验跟踪服务。运行不会被记录，其余照常。\n"


def test_the_sender_goes_when_its_folder_does(lab: Kernel) -> None:
    lab.value(SHORT.format(arguments=""))
    [sender] = lab.senders()
    [base] = lab.bases
    base.rename(base.with_name("elsewhere"))
    wait_until(lambda: not Path(f"/proc/{sender}").exists())
