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
            example="ulab datasets add soil soil.csv --title-zh 土壤 --title-en Soil "
            '--licence "CC BY 4.0" --source "Jilin soil survey 2025"',
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
        licence: Annotated[str, typer.Option(help=t("The licence's name."))] = "",
        source: Annotated[str, typer.Option(help=t("Where the data comes from."))] = "",
        title: Annotated[str, typer.Option(help=t("What people call it, in both languages."))] = "",
        title_zh: Annotated[str, typer.Option(help=t("The title in Chinese."))] = "",
        title_en: Annotated[str, typer.Option(help=t("The title in English."))] = "",
        summary: Annotated[
            str, typer.Option(help=t("What is in it, in a sentence, in both languages."))
        ] = "",
        summary_zh: Annotated[str, typer.Option(help=t("The sentence in Chinese."))] = "",
        summary_en: Annotated[str, typer.Option(help=t("The sentence in English."))] = "",
        url: Annotated[str, typer.Option(help=t("The source's address."))] = "",
        citation: Annotated[str, typer.Option(help=t("How to cite it."))] = "",
        card_file: Annotated[
            Path | None,
            typer.Option(
                "--card",
                metavar="FILE.yaml",
                help=t(
                    "A file that says all of this, and what the licence allows, splits and known "
                    "problems; instead of the options above."
                ),
            ),
        ] = None,
        by: Annotated[str, typer.Option(help=t("Who answers for it; you when left out."))] = "",
        team: Team = "",
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_core.manifest_files import find_manifest
        from ulab_datasets import adding
        from ulab_datasets.card import PAGE, Described, names
        from ulab_deploy.base import existing_base, open_base
        from ulab_teams import datasets as team_datasets

        who = by or getpass.getuser()
        if card_file is None:
            if not (licence and source):
                raise UserError(mark("Give --licence and --source, or --card FILE.yaml."))
            told = adding.briefly(
                adding.words(title, title_zh, title_en) or name, licence, source, who,
                summary=adding.words(summary, summary_zh, summary_en) or "",
                url=url, citation=citation,
            )  # fmt: skip
        else:
            said = (
                licence, source, title, title_zh, title_en, summary, summary_zh, summary_en, url,
                citation,
            )  # fmt: skip
            if any(said):
                raise UserError(
                    mark("{file} says it all: write what the other options say into it."),
                    file=card_file,
                )
            told = adding.Told(find_manifest(card_file, Described, PAGE).manifest, who)
        adding.refuse_twice([file.name for file in files])
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
                root, taken = base.layout.datasets, frozenset(names())
                card = adding.add(root, name, opened, told, taken=taken)
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
