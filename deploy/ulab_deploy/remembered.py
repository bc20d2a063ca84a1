"""Remembers which labs held, so that a lab isn't run again until something it rests on changes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_curricula import Lab, Report
from ulab_curricula.check import recalled
from ulab_curricula.execute import Run
from ulab_curricula.labs import CURRICULA
from ulab_curricula.mutants import Fate, Mutant
from ulab_curricula.mutations import Mutation
from ulab_datasets.own import registry_of
from ulab_deploy.prove import How, Proved

_CHECKOUT = CURRICULA.parent
# What a result rests on beside the lab: the checker and the judge, and the versions of the rest.
_CODE = (
    "curricula/ulab_curricula", "datasets/ulab_datasets", "deploy/ulab_deploy",
    "hub/ulab_core", "hub/ulab_coursework", "labs/ulab", "labs/ulab_runtime",
)  # fmt: skip
_LISTS = ("deploy/requirements.lock", "curricula/glossary.yaml")


class Remembered:
    """Results of labs that held, one file each.

    Parameters
    ----------
    folder
        Where they lie; made when missing.
    settings
        What the judge allows is part of what a result rests on.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._limits = settings.grading.model_dump_json()
        self._datasets = Layout.of(settings).datasets

    def find(self, lab: Lab, how: How) -> Proved | None:
        """What was found; None when it wasn't, or something has changed since."""
        try:
            facts = json.loads(self._file(lab, how).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return Proved(_report(lab, facts), facts["judged"], remembered=True)

    def keep(self, lab: Lab, how: How, proved: Proved) -> None:
        """Remember a lab that holds, in place of what it was before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._file(lab, how)
        with tempfile.NamedTemporaryFile("w", dir=self._folder, delete=False) as partial:
            json.dump(_facts(proved), partial)
        Path(partial.name).replace(file)
        for old in self._folder.glob(f"{_named(lab, how)}-*.json"):
            if old != file:
                with contextlib.suppress(FileNotFoundError):
                    old.unlink()

    def _file(self, lab: Lab, how: How) -> Path:
        whole = hashlib.sha256(f"{_code()}\n{platform.python_version()}\n{self._limits}".encode())
        for folder in _folders(lab, self._datasets):
            for file in _below(folder):
                # Where it lies says what it is: an answer that is right, or one that is wrong.
                whole.update(f"\n{file.relative_to(folder)}\n".encode())
                whole.update(hashlib.sha256(file.read_bytes()).digest())
        return self._folder / f"{_named(lab, how)}-{whole.hexdigest()[:32]}.json"


def _named(lab: Lab, how: How) -> str:
    """One file for each lab and way of checking; the lab may lie outside the checkout."""
    text = json.dumps([str(lab.folder.resolve()), dataclasses.asdict(how)], sort_keys=True)
    return f"{lab.id}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _folders(lab: Lab, datasets: Path) -> Iterator[Path]:
    yield lab.folder
    for name in lab.manifest.datasets:
        yield registry_of(datasets, name) / name


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@functools.cache
def _code() -> str:
    whole = hashlib.sha256()
    files = [path for name in _CODE for path in _below(_CHECKOUT / name) if path.suffix == ".py"]
    for file in [*files, *(_CHECKOUT / name for name in _LISTS)]:
        if file.is_file():
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def _facts(proved: Proved) -> dict[str, Any]:
    report = proved.report
    return {
        "judged": proved.judged,
        "points": dict(report.points),
        "peak_mb": report.peak_mb,
        "seconds": {name: run.seconds for name, run in report.runs.items()},
        "mutants": [dataclasses.asdict(mutant) for mutant in report.mutants.all],
    }


def _report(lab: Lab, facts: dict[str, Any]) -> Report:
    mutants = [
        Mutant(one["cell"], Mutation(**one["mutation"]), Fate(one["fate"]), one["by"])
        for one in facts["mutants"]
    ]
    runs = {name: Run(name, {}, seconds) for name, seconds in facts["seconds"].items()}
    return recalled(lab, facts["points"], runs, mutants, facts["peak_mb"])
