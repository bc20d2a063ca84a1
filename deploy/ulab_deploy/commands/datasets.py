"""`ulab datasets`: the data labs read."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t


def register(app: typer.Typer) -> None:
    datasets = typer.Typer(
        help=t("Data sets: fetch and verify, list."),
        epilog=t("Example: {example}", example="ulab datasets fetch elecdemand"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(datasets, name="datasets")

    @datasets.command(
        "fetch",
        help=t("Fetch data sets that are not there yet and verify them. Exit code 1 on failure."),
        epilog=t("Example: {example}", example="ulab datasets fetch elecdemand"),
    )
    def fetch(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Data sets; all when left out."))
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_datasets import card, store
        from ulab_deploy.base import open_base

        base = open_base()
        base.layout.prepare()

        def tell(name: str) -> None:
            if not json:
                say(t("fetching the data set {name}", name=name))

        results = store.ensure(base.layout.datasets, names or card.names(), progress=tell)
        if json:
            console.say_json(
                [
                    {
                        "dataset": result.name,
                        "ready": result.ready,
                        "fetched": result.fetched,
                        "problem": sentence(result.error) if result.error else None,
                    }
                    for result in results
                ]
            )
        else:
            for result in results:
                say(f"✗ {sentence(result.error)}" if result.error else f"✓ {result.name}")
        if not all(result.ready for result in results):
            raise typer.Exit(1)

    @datasets.command(
        "list",
        help=t("List the data sets there are, and which are fetched."),
        epilog=t("Example: {example}", example="ulab datasets list --json"),
    )
    def list_(json: Json = False) -> None:
        from ulab_datasets import card
        from ulab_deploy.base import open_base

        kept = open_base().layout.dataset_store
        cards = [
            (card.find_card(name), (kept / name / "card.json").is_file()) for name in card.names()
        ]
        if json:
            console.say_json(
                [
                    {
                        "dataset": found.id,
                        "titles": found.titles.model_dump(),
                        "licence": found.licence.model_dump(),
                        "fetched": there,
                    }
                    for found, there in cards
                ]
            )
            return
        language = console.language()
        for line in console.table(
            [
                (found.id, getattr(found.titles, language), t("fetched") if there else "")
                for found, there in cards
            ]
        ):
            say(line)
