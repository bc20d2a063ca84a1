"""`ulab curricula diff`: what a version has other than another one, in words."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ulab_core.i18n import mark, translations
from ulab_deploy import console
from ulab_deploy.base import Base
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t

if TYPE_CHECKING:
    from ulab_curricula import PublishedCurriculum
    from ulab_curricula.differences import Difference


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t(
            "Say in words what a version has other than another one: cells, points, tests, texts."
        ),
        epilog=t("Example: {example}", example="ulab curricula diff vision-foundations"),
    )
    def diff(
        curriculum: Annotated[
            str, typer.Argument(help=t("The curriculum's id, or the path of its folder."))
        ],
        before: Annotated[
            str,
            typer.Argument(
                metavar="[BEFORE]", help=t("A published version; the newest when left out.")
            ),
        ] = "",
        after: Annotated[
            str,
            typer.Argument(
                metavar="[AFTER]",
                help=t("A published version; what the folder holds now when left out."),
            ),
        ] = "",
        json: Json = False,
    ) -> None:
        from ulab_curricula.differences import differences
        from ulab_deploy.base import existing_base

        base = existing_base()
        with _sides(base, curriculum, before, after) as (old, new):
            found = differences(old, new)
        if json:
            console.say_json(as_json(old.version, new.version, found))
            return
        say(t(HEAD, curriculum=new.id, before=old.version, after=new.version))
        tell(found)


HEAD = mark("{curriculum}: what {after} has other than {before}")


def as_json(before: str, after: str, found: Sequence[Difference]) -> dict[str, object]:
    """The differences for machines."""
    gettext = translations(console.language()).gettext
    return {
        "before": before,
        "after": after,
        "differences": [
            {"lab": one.lab, "cell": one.cell, "said": one.said(gettext), "tests": one.tests}
            for one in found
        ],
    }


def tell(found: Sequence[Difference]) -> None:
    """Say differences, those of each lab together."""
    gettext = translations(console.language()).gettext
    if not found:
        say(t("  nothing"))
    for lab, ones in itertools.groupby(found, key=lambda one: one.lab):
        if lab:
            say(f"  {lab}")
        for one in ones:
            say(f"  {'  ' if lab else ''}{'!' if one.tests else '-'} {one.said(gettext)}")
    if any(one.tests for one in found):
        say(t("What stands after “!” may change what an answer earns."))


@contextmanager
def _sides(
    base: Base, curriculum: str, before: str, after: str
) -> Iterator[tuple[PublishedCurriculum, PublishedCurriculum]]:
    from ulab_curricula.publication import build_version, load_version
    from ulab_deploy.catalogue import curricula_of_checkout, published_version

    if after:
        old, new = (published_version(base, curriculum, version) for version in (before, after))
        yield old, new
        return
    found = curricula_of_checkout([curriculum])[0]
    with tempfile.TemporaryDirectory(prefix="ulab-diff-") as scratch:
        build_version(found, Path(scratch))
        yield published_version(base, found.id, before), load_version(Path(scratch))
