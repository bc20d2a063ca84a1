"""`ulab bench memory`: what grading holds in memory while a class goes through one worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psutil

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import adopt_orphans, descendants
from ulab_core.settings import Settings
from ulab_curricula.build import build
from ulab_curricula.labs import load_lab
from ulab_deploy.bench.graded_class import mark_many, serving, wait_for_parents
from ulab_deploy.bench.grading import LABS, solved
from ulab_deploy.bench.memory import MEBIBYTE, look
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.start import nothing_left, scratch, told_to_stop_is_ctrl_c
from ulab_deploy.console import t

LAB = "trivial"
STEPS = 10
MOST = 10_000
WORKER = "ulab_coursework.worker"


class BadCount(UserError):
    """So many submissions can't be measured."""


def measure(settings: Settings, submissions: int, progress: Progress) -> dict[str, Any]:
    """Grade so many trivial submissions and look at the memory after each tenth of them.

    Memory is PSS in MiB: a page that several processes map counts once. The worker is one process;
    all that its sandboxes are forked from, and what they leave, is beside it.

    Raises
    ------
    BadCount, NotGraded
    """
    if not STEPS <= submissions <= MOST:
        raise BadCount(
            mark("{count} submissions can't be measured: give a number from {least} to {most}."),
            count=submissions,
            least=STEPS,
            most=MOST,
        )
    slots = os.cpu_count() or 1
    grading = settings.grading.model_copy(update={"workers": 1, "slots": slots})
    settings = settings.model_copy(update={"grading": grading})
    lab = load_lab(LABS / LAB)
    content = solved(build(lab))
    adopt_orphans()
    along = []
    with (
        told_to_stop_is_ctrl_c(),
        nothing_left(),
        scratch() as folder,
        serving(settings, folder, [lab]) as base,
    ):
        progress.stage(mark("Grading with U Lab…"))
        mark_many(base, LAB, [f"first{number}" for number in range(slots)], content)
        wait_for_parents(base, 1)
        for step in range(STEPS):
            first, last = submissions * step // STEPS, submissions * (step + 1) // STEPS
            students = [f"student{number:05}" for number in range(first, last)]
            mark_many(base, LAB, students, content)
            along.append({"graded": last, **_memory()})
    return {
        "submissions": submissions,
        "along": along,
        "growth_mb": {
            name: round(along[-1][name] - along[0][name], 1) for name in ("worker_mb", "forks_mb")
        },
    }


def _memory() -> dict[str, float]:
    """The worker's own memory, and that of everything else which was started for it."""
    found = look(descendants(os.getpid()))
    mine = {process.pid for process in found if _is_worker(process.pid)}
    sizes = {process.pid: (process.pss or 0) / MEBIBYTE for process in found}
    worker = sum(size for pid, size in sizes.items() if pid in mine)
    return {"worker_mb": round(worker, 1), "forks_mb": round(sum(sizes.values()) - worker, 1)}


def _is_worker(pid: int) -> bool:
    try:
        return WORKER in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False  # a sandbox's that has just ended


def rows(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The measurement as a table."""
    yield t("graded"), t("grading worker"), t("what it forks from")
    for one in found["along"]:
        yield str(one["graded"]), f"{one['worker_mb']:.0f} MB", f"{one['forks_mb']:.0f} MB"


def sentences(found: dict[str, Any]) -> Iterator[str]:
    first, growth = found["along"][0]["graded"], found["growth_mb"]
    yield t(
        "From {first} to {last} submissions the worker grew by {worker:.1f} MB and the rest by "
        "{forks:.1f} MB.",
        first=first,
        last=found["submissions"],
        worker=growth["worker_mb"],
        forks=growth["forks_mb"],
    )
