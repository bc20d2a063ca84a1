"""`ulab curricula check --names`: whose the names are that tests use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.console import say, t

if TYPE_CHECKING:
    from ulab_curricula import Lab
    from ulab_curricula.whose import Named


def list_names(labs: Sequence[Lab], json: bool) -> None:
    """Say of each name in each test of the labs whose it is."""
    from ulab_curricula.build import build
    from ulab_curricula.whose import whose_names

    found = {lab.id: whose_names(build(lab).canonical) for lab in labs}
    if json:
        console.say_json(
            {
                lab: [
                    {
                        "test": each.question,
                        "name": each.name,
                        "whose": each.whose.value,
                        "why": _why(each),
                    }
                    for each in names
                ]
                for lab, names in found.items()
            }
        )
        return
    for lab, names in found.items():
        say(lab)
        for line in console.table([_row(each) for each in names]):
            say(f"  {line}")


def _row(named: Named) -> tuple[str, str, str, str]:
    return named.question, named.name, t(WHOSE[named.whose.value]), _why(named)


def _why(named: Named) -> str:
    source = named.source
    return "" if source is None else t(WHY[source.why.value], cell=source.cell, name=source.name)


WHOSE = {
    "own": mark("the test's"),
    "given": mark("the lab's"),
    "student": mark("the student's"),
}
WHY = {
    "bound": mark("cell {cell}"),
    "changed": mark("changed by the student's code in cell {cell}"),
    "depends": mark("cell {cell} makes it with {name}, which is the student's"),
    "unseen": mark("no cell defines it"),
}
