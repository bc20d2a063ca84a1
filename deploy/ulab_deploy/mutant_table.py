"""The table that says how many small changes to solutions each lab's tests catch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulab_deploy import console
from ulab_deploy.console import t

if TYPE_CHECKING:
    from ulab_curricula import Report


def mutant_table(reports: Sequence[Report], *, markdown: bool = False) -> Iterator[str]:
    """A line for each lab whose mutants were run, after a heading; none when none were."""
    tried = [report for report in reports if report.mutants.run]
    if not tried:
        return
    heading = (t("lab"), t("changes"), t("tried"), t("caught"), t("share"), t("kept free"))
    rows = [heading, *(_row(report) for report in tried)]
    if not markdown:
        yield ""
        yield from console.table(rows)
        return
    yield f"| {' | '.join(rows[0])} |"
    yield f"| --- {'| ---: ' * (len(heading) - 1)}|"
    for row in rows[1:]:
        yield f"| {' | '.join(row)} |"


def _row(report: Report) -> tuple[str, ...]:
    found = report.mutants
    numbers = (len(found.all), found.run, found.caught)
    return (report.lab, *map(str, numbers), f"{found.share:.1%}", str(found.free))


def mutants_as_json(report: Report, root: Path | None) -> dict[str, Any]:
    """For machines: how many, and where those are that no test caught; as seen from `root`."""
    from ulab_curricula.places import place_of
    from ulab_curricula.theirs import below

    found, built = report.mutants, report.built
    if built is None or report.source is None:
        return {"made": 0, "tried": 0, "caught": 0, "free_lines": 0, "survivors": []}
    survivors = []
    for one in found.survivors:
        place = place_of(report.source, built.canonical, one.cell, one.mutation.line)
        survivors.append(
            {
                "file": str(below(root, place.file) if root else place.file),
                "line": place.line,
                "cell": one.cell,
                "code": place.code,
                "before": one.mutation.before,
                "after": one.mutation.after,
                "fate": one.fate.value,
            }
        )
    return {
        "made": len(found.all),
        "tried": found.run,
        "caught": found.caught,
        "free_lines": found.free,
        "survivors": survivors,
    }
