"""`ulab datasets add` and `remove`: what a base or a team brings itself."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path
from typing import Annotated

import typer

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t

ACTOR = "ulab datasets"
Name = Annotated[str, typer.Argument(help=t("The data set."))]
Team = Annotated[str, typer.Option("--team", help=t("Of this team, instead of the base."))]


def register(datasets: typer.Typer) -> None:
    @datasets.command(
        "add",
        help=t("Add files as a data set, or as a new version of one that was added before."),
        epilog=t(
            "Example: {example}",
            example='ulab datasets add soil soil.csv --licence "CC BY 4.0" --source "Jilin soil '
            'survey 2025"',
        ),
    )
    def add(
        name: Name,
        files: Annotated[
            list[Path],
            typer.Argument(
                help=t("One .csv is a table, .npy files are arrays; others stay files.")
            ),
        ],
        licence: Annotated[str, typer.Option(help=t("The licence's name."))],
        source: Annotated[str, typer.Option(help=t("Where the data comes from."))],
        title: Annotated[str, typer.Option(help=t("What people call it."))] = "",
        summary: Annotated[str, typer.Option(help=t("What is in it, in a sentence."))] = "",
        url: Annotated[str, typer.Option(help=t("The source's address."))] = "",
        citation: Annotated[str, typer.Option(help=t("How to cite it."))] = "",
        by: Annotated[str, typer.Option(help=t("Who answers for it; you when left out."))] = "",
        team: Team = "",
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_datasets import own
        from ulab_datasets.card import names
        from ulab_datasets.own import Told
        from ulab_deploy.base import existing_base, open_base
        from ulab_teams import datasets as team_datasets

        told = Told(title, licence, source, by or getpass.getuser(), summary, url, citation)
        own.refuse_twice([file.name for file in files])
        with contextlib.ExitStack() as stack:
            opened = {}
            for file in files:
                try:
                    opened[file.name] = stack.enter_context(file.open("rb"))
                except OSError as error:
                    raise UserError(
                        mark("{file} can't be read: {reason}."), file=file, reason=error.strerror
                    ) from None
            if team:
                base = existing_base()
                db = Database.of(base.settings)
                card = team_datasets.add(
                    base.settings, db, team, name, opened, told, actor=ACTOR, person=None
                )
            else:
                base = open_base()
                base.layout.prepare()
                card = own.add(base.layout.datasets, name, opened, told, taken=frozenset(names()))
        called = f"{team}/{name}" if team else name
        if json:
            console.say_json({"dataset": called, "card": card.model_dump(mode="json")})
        else:
            say(
                t("Added {name}. Read it with: ulab.load({quoted})", name=name, quoted=repr(called))
            )

    @datasets.command(
        "remove",
        help=t("Remove a data set with all its versions from this machine."),
        epilog=t("Example: {example}", example="ulab datasets remove soil"),
    )
    def remove(
        name: Name,
        team: Team = "",
        force: Annotated[
            bool, typer.Option("--force", help=t("Even if published labs read it."))
        ] = False,
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_datasets import own
        from ulab_deploy.base import existing_base, open_base
        from ulab_teams import datasets as team_datasets

        if team:
            base = existing_base()
            db = Database.of(base.settings)
            given_back = team_datasets.remove(base.settings, db, team, name, ACTOR, None)
        else:
            base = open_base()
            if not force:
                _refuse_needed(name)
            given_back = own.remove(base.layout.datasets, name)
        if json:
            console.say_json({"dataset": name, "team": team or None, "bytes": given_back})
        else:
            say(
                t(
                    "Removed {name}; {size} MB are free again.",
                    name=name,
                    size=f"{given_back / 1e6:.1f}",
                )
            )


def _refuse_needed(name: str) -> None:
    from ulab_curricula import load_curriculum
    from ulab_curricula.labs import CURRICULA
    from ulab_datasets.errors import InUse
    from ulab_deploy.prepare import needed_datasets

    paths = sorted(CURRICULA.glob("*/curriculum.yaml"))
    labs = needed_datasets(load_curriculum(path.parent) for path in paths).get(name)
    if labs:
        raise InUse(
            mark("The labs {labs} read {name}. Say --force to remove it all the same."),
            labs=", ".join(labs),
            name=name,
        )
