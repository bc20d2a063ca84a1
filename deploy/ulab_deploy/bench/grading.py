"""`ulab bench grading`: the same submissions graded by stock nbgrader and by a base of our own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.process import adopt_orphans
from ulab_core.settings import Settings
from ulab_curricula.build import Built, build
from ulab_curricula.labs import Lab, load_lab
from ulab_deploy.bench.bare import bare_s
from ulab_deploy.bench.graded_class import mark_many, serving, wait_for_parents
from ulab_deploy.bench.hub_process import without_own_variables
from ulab_deploy.bench.progress import Progress
from ulab_deploy.bench.start import nothing_left, scratch, told_to_stop_is_ctrl_c
from ulab_deploy.bench.stock_grading import StockCourse
from ulab_deploy.console import t

LABS = Path(__file__).parent / "labs" / "bench"
NAMES = ("trivial", "torch")
MOST_ON_STOCK = 20
BARE_TIMES = 20
LANGUAGE = "en"
MOST = 10_000
MOST_ROUNDS = 20


class BadCount(UserError):
    """So many submissions, or rounds, can't be measured."""


@dataclass
class Graded:
    """What grading one lab came to.

    Attributes
    ----------
    cores
        How many cores U Lab used: one a slot.
    bare_s
        What the cells alone take on one core, in seconds.
    stock_s
        Wall time of one submission with stock nbgrader, in seconds, by round.
    wall_s
        The same with U Lab.
    """

    cores: int
    bare_s: float
    stock_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)

    def plain(self) -> dict[str, float]:
        """The medians; ``ulab_s`` is in seconds of one core, as ``bare_s`` is.

        What else a machine does moves both sides of a round, so the ratio is the median of the
        rounds' ratios.
        """
        ulab_s = median(self.wall_s) * self.cores
        ratios = [stock / ours for stock, ours in zip(self.stock_s, self.wall_s, strict=True)]
        return {
            "stock_per_min": round(60 / median(self.stock_s), 1),
            "ulab_per_min": round(60 / median(self.wall_s), 1),
            "bare_s": round(self.bare_s, 4),
            "ulab_s": round(ulab_s, 4),
            "ratio": round(median(ratios), 2),
            "over_bare": round(ulab_s / self.bare_s, 2),
        }


def measure(
    settings: Settings, submissions: int, rounds: int, progress: Progress
) -> dict[str, dict[str, float]]:
    """Grade so many submissions of each lab, in rounds of one side after the other.

    Stock nbgrader grades one after the other, as its command does, and no more than
    `MOST_ON_STOCK` a round. U Lab grades in as many slots of one worker as the machine has cores;
    its time runs from the first hand-in to the last score in the gradebook, with warm workers.

    Raises
    ------
    BadCount, StockFailed, NotGraded
    """
    if not (1 <= submissions <= MOST and 1 <= rounds <= MOST_ROUNDS):
        raise BadCount(
            mark(
                "{count} submissions in {rounds} rounds can't be measured: give from 1 to {most} "
                "submissions, and no more than {most_rounds} rounds."
            ),
            count=submissions,
            rounds=rounds,
            most=MOST,
            most_rounds=MOST_ROUNDS,
        )
    cores = os.cpu_count() or 1
    grading = settings.grading.model_copy(update={"workers": 1, "slots": cores})
    settings = settings.model_copy(update={"grading": grading})
    labs = {name: load_lab(LABS / name) for name in NAMES}
    built = {name: build(lab) for name, lab in labs.items()}
    adopt_orphans()
    with told_to_stop_is_ctrl_c(), nothing_left():
        progress.stage(mark("Executing the cells alone…"))
        env = without_own_variables(os.environ)
        found = {
            name: Graded(cores, bare_s(_cells(built[name]), BARE_TIMES, env)) for name in NAMES
        }
        progress.stage(mark("Starting U Lab…"))
        with scratch() as folder, serving(settings, folder, list(labs.values())) as base:
            for number, name in enumerate(NAMES, start=1):
                content = solved(built[name])
                mark_many(base, name, [f"first{number}" for number in range(cores)], content)
                wait_for_parents(base, number)
                mark_many(base, name, [f"warm{number}" for number in range(cores)], content)
            for turn in range(rounds):
                progress.stage(mark("Grading with stock nbgrader…"))
                for name in NAMES:
                    found[name].stock_s.append(_on_stock(labs[name], built[name], submissions))
                progress.stage(mark("Grading with U Lab…"))
                students = [f"student{turn:02}-{number:05}" for number in range(submissions)]
                for name in NAMES:
                    whole_s = mark_many(base, name, students, solved(built[name]))
                    found[name].wall_s.append(whole_s / submissions)
    return {name: one.plain() for name, one in found.items()}


def _on_stock(lab: Lab, built: Built, submissions: int) -> float:
    """Seconds that stock nbgrader takes for one of so many submissions."""
    count = min(submissions, MOST_ON_STOCK)
    with scratch() as folder:
        course = StockCourse(folder / "course", lab.id, built)
        for number in range(count):
            course.submit(f"student{number:05}", solved(built))
        begun = time.monotonic()
        course.autograde()
        return (time.monotonic() - begun) / count


def solved(built: Built) -> bytes:
    """The notebook of a student who has done everything right."""
    made = json.loads(json.dumps(built.releases[LANGUAGE]))
    for source, cell in zip(built.sources[LANGUAGE].cells, made["cells"], strict=True):
        if source.metadata.get("nbgrader", {}).get("solution"):
            cell["source"] = source.source
    return json.dumps(made).encode()


def _cells(built: Built) -> list[str]:
    return [cell.source for cell in built.sources[LANGUAGE].cells if cell.cell_type == "code"]


def rows(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The measurement as a table."""
    yield "", t("stock nbgrader"), "U Lab", t("ratio"), t("cells alone"), t("over the cells alone")
    for name, one in found.items():
        yield (
            name,
            t("{count:g} a minute", count=one["stock_per_min"]),
            t("{count:g} a minute", count=one["ulab_per_min"]),
            f"{one['ratio']:.1f} ×",
            f"{one['bare_s']:.3f} s",
            f"{one['over_bare']:.1f} ×",
        )


def sentences(found: dict[str, dict[str, Any]], submissions: int) -> Iterator[str]:
    yield t(
        "U Lab grades the torch notebook {ratio:.0f} times as fast as stock nbgrader.",
        ratio=found["torch"]["ratio"],
    )
    if submissions > MOST_ON_STOCK:
        yield t("stock_measured: stock nbgrader graded {count} of them.", count=MOST_ON_STOCK)
