"""Check labs from a checkout: ``python -m ulab_curricula labs/<focus-area>/<lab>…``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ulab_curricula.check import Report, check_lab
from ulab_curricula.labs import find_labs, load_lab


def main() -> int:
    """Print each lab's report; the exit code says whether all are sound."""
    parser = argparse.ArgumentParser(prog="python -m ulab_curricula", description=__doc__)
    parser.add_argument("labs", nargs="*", type=Path, help="folders of labs; none means all")
    parser.add_argument("--datasets", type=Path, default=Path("state/datasets/store"))
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--jobs", type=int, default=2, help="variants run at once")
    parser.add_argument("--mutants", action="store_true", help="try mutants of the solution too")
    parser.add_argument("--repeat", type=int, default=0, help="run tests so many times more")
    parser.add_argument("--whole", action="store_true", help="run every cell for each fixture")
    chosen = parser.parse_args()
    labs = [load_lab(folder) for folder in chosen.labs] or find_labs()
    reports = [
        check_lab(
            lab,
            chosen.datasets,
            language=chosen.language,
            jobs=chosen.jobs,
            whole=chosen.whole,
            mutants=chosen.mutants,
            repeat=chosen.repeat,
        )
        for lab in labs
    ]
    for report in reports:
        _show(report)
    return 0 if all(report.ok for report in reports) else 1


def _show(report: Report) -> None:
    full = sum(report.points.values())
    print(f"{report.lab}: {'sound' if report.ok else 'NOT SOUND'}")
    for run in report.runs.values():
        score = f"{run.score(report.points):g}/{full:g}" if run.finished else "not finished"
        print(f"  {run.name:32} {score:>10}  {run.seconds:6.1f} s")
    if report.mutants.all:
        print(f"  mutants: {report.mutants.caught} of {report.mutants.run} caught")
    for problem in [*report.problems, *report.remarks]:
        print(f"  ! {problem}")


if __name__ == "__main__":
    raise SystemExit(main())
