"""`ulab curricula publishers`: who may publish a curriculum besides administrators."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.commands.session import writing
from ulab_deploy.console import say, t

ACTOR = "ulab curricula"


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t(
            "Say who may publish a curriculum besides administrators, let one more person do so, "
            "or one less; both at once hand it over."
        ),
        epilog=t(
            "Example: {example}",
            example="ulab curricula publishers farm-foundations --add lina --remove zhangwei",
        ),
    )
    def publishers(
        curriculum: Annotated[str, typer.Argument(help=t("The published curriculum's id."))],
        add: Annotated[
            list[str] | None,
            typer.Option(help=t("An account that may publish it, and its labs, from now on.")),
        ] = None,
        remove: Annotated[
            list[str] | None, typer.Option(help=t("An account that no longer may."))
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_coursework.publishers import holders, let, unlet
        from ulab_deploy.base import existing_base

        layout = existing_base().layout
        with writing() as session:
            for name in add or []:
                let(session, layout, curriculum, name, ACTOR)
            for name in remove or []:
                unlet(session, layout, curriculum, name, ACTOR)
            found = holders(session, layout, curriculum)
        if json:
            console.say_json({"curriculum": curriculum, "publishers": found})
        elif found:
            say(
                t(
                    "{curriculum} is published by administrators and {names}",
                    curriculum=curriculum,
                    names=", ".join(found),
                )
            )
        else:
            say(t("{curriculum} is published by administrators alone", curriculum=curriculum))
