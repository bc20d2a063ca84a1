"""Prints, as Markdown, what each attempt gets from stock nbgrader and from U Lab.

``cd tests && python -m attacks.grading_table [NAME…]``. Stock nbgrader has no sandbox of its own.
Here all of it runs in one, as its grader's machine would be: it sees its course, its programs and
no other process, and has bounds on memory, files and time. What would fill or stop the machine all
the same is not given to it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from attacks.grading_notebooks import Attempt, attempts, built, lab, notebook, points

from ulab_core.errors import UserError
from ulab_core.layout import Layout
from ulab_core.process import adopt_orphans, end_all
from ulab_core.settings import Grading, Server, Settings
from ulab_deploy.bench.stock_grading import StockCourse, StockFailed
from ulab_deploy.grade import grade_files
from ulab_runtime.host import Host

CELL_S = 10
WHOLE_S = 90.0
MEMORY_MB = 6144
REST_S = 1.0
CHECKOUT = Path(__file__).parents[2]


def main() -> None:
    wanted = set(sys.argv[1:])
    chosen = [a for a in attempts() if not wanted or a.name in wanted]
    adopt_orphans()
    print("| attempt | what it does | due | stock nbgrader | U Lab |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="ulab-table-") as folder:
        ours = dict(of_ulab(Path(folder, "ulab"), chosen))
        for attempt in chosen:
            # A course of its own each, so that no attempt spoils another one's gradebook.
            stock = of_stock(Path(folder, "stock", attempt.name), attempt)
            row = (attempt.name, attempt.tries, due(attempt), stock, ours[attempt.name])
            print(f"| {' | '.join(row)} |", flush=True)


def due(attempt: Attempt) -> str:
    """The score that an attempt must get, in words."""
    bounds = attempt.bounds(points(attempt.lab))
    fewest, most = (sum(bound[i] for bound in bounds.values()) for i in (0, 1))
    if attempt.refused:
        return "refused"
    return f"{fewest:g}" if fewest == most else f"at most {most:g}"


def of_ulab(folder: Path, chosen: list[Attempt]) -> Iterator[tuple[str, str]]:
    folder.mkdir()
    settings = Settings(
        server=Server(state_dir=folder / "state"),
        grading=Grading(cell_timeout_s=CELL_S, job_timeout_s=int(WHOLE_S), memory_mb=1024),
    )
    layout = Layout.of(settings)
    layout.prepare()
    for name in sorted({attempt.lab for attempt in chosen}):
        files = []
        for attempt in chosen:
            if attempt.lab == name:
                files.append(folder / f"{attempt.name}.ipynb")
                files[-1].write_bytes(notebook(attempt))
        for result in grade_files(lab(name), files, settings, layout):
            yield result.file.stem, "refused" if result.problem else f"{result.points:g}"


def of_stock(folder: Path, attempt: Attempt) -> str:
    if attempt.stock:
        return f"not run: {attempt.stock}"
    folder.mkdir(parents=True)
    within = held(folder)
    course = StockCourse(folder, attempt.lab, built(attempt.lab), CELL_S, MEMORY_MB, within)
    course.submit("someone", notebook(attempt))
    try:
        course.autograde("someone", WHOLE_S)
    except StockFailed:
        return "breaks off"
    except subprocess.TimeoutExpired:
        return "does not end"
    finally:
        end_all(REST_S)
    try:
        found = course.grades("someone")
    except UserError:
        found = None
    return "breaks off" if found is None else _shown(found)


def held(folder: Path) -> list[str]:
    """A command's beginning that keeps the rest of the machine from it."""
    bwrap = Host.detect().bwrap
    shown = [
        word for path in (CHECKOUT, sys.prefix) for word in ("--ro-bind", str(path), str(path))
    ]
    return [
        str(bwrap), "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-net",
        "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
        "--tmpfs", "/tmp", *shown, "--bind", str(folder), str(folder), "--",
    ]  # fmt: skip


def _shown(found: Mapping[str, float]) -> str:
    return f"{sum(found.values()):g}"


if __name__ == "__main__":
    main()
