"""`ulab datasets`: the data labs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands import dataset_changes
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t

Name = Annotated[str, typer.Argument(help=t("The data set."))]
Names = Annotated[list[str] | None, typer.Argument(help=t("Data sets; all when left out."))]
Team = Annotated[str, typer.Option("--team", help=t("Of this team, instead of the base."))]


def register(app: typer.Typer) -> None:
    datasets = typer.Typer(
        help=t("Data sets: list, show, get, verify, add, remove."),
        epilog=t("Example: {example}", example="ulab datasets pull elecdemand"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(datasets, name="datasets")

    def pull(
        names: Names = None,
        version: Annotated[
            str, typer.Option(help=t("A version it had before, by the start of its revision."))
        ] = "",
        json: Json = False,
    ) -> None:
        from ulab_core.errors import UserError
        from ulab_core.i18n import mark
        from ulab_datasets import own, store, versions
        from ulab_datasets.remotes import remote_of
        from ulab_deploy.base import open_base

        base = open_base()
        base.layout.prepare()
        root, remote = base.layout.datasets, remote_of(base.settings.datasets)
        if version and len(names or []) != 1:
            raise UserError(mark("Name one data set with --version."))

        def tell(name: str) -> None:
            if not json:
                say(t("fetching the data set {name}", name=name))

        results = []
        for name in names or own.all_names(root):
            registry = own.registry_of(root, name)
            if version:
                registry = versions.find(root, name, version)[0].registry
            results += store.ensure(root, [name], tell, registry, remote)
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

    datasets.command(
        "pull",
        help=t("Get data sets that are not there yet and verify them. Exit code 1 on failure."),
        epilog=t("Example: {example}", example="ulab datasets pull elecdemand"),
    )(pull)
    # What it was called first.
    datasets.command("fetch", hidden=True, help=t("The same as pull."))(pull)

    @datasets.command(
        "push",
        help=t("Copy data sets to the remote that ulab.toml names."),
        epilog=t("Example: {example}", example="ulab datasets push elecdemand"),
    )
    def push(names: Names = None, json: Json = False) -> None:
        from ulab_core.errors import UserError
        from ulab_core.i18n import mark
        from ulab_datasets import dvc_repo, own
        from ulab_datasets.remotes import remote_of
        from ulab_deploy.base import open_base

        base = open_base()
        root, remote = base.layout.datasets, remote_of(base.settings.datasets)
        if remote is None:
            raise UserError(mark("No remote is set; write it into ulab.toml: [datasets] remote"))
        here = [
            name for name in own.all_names(root) if (root / "store" / name / "data.dvc").is_file()
        ]
        copied = {}
        for name in names or here:
            if name not in here:
                raise UserError(mark("Data set {name} is not here."), name=name)
            copied[name] = dvc_repo.push(root, root / "store" / name / "data.dvc", remote)
            if not json:
                say(t("✓ {name}: {count} new files there", name=name, count=copied[name]))
        if json:
            console.say_json(copied)

    @datasets.command(
        "verify",
        help=t("Read data sets again: checksums, shape, ranges. Exit code 1 when one differs."),
        epilog=t("Example: {example}", example="ulab datasets verify"),
    )
    def verify(names: Names = None, team: Team = "", json: Json = False) -> None:
        from ulab_core.errors import UserError
        from ulab_datasets import own, store

        root = _root(team)
        here = [path.parent.name for path in sorted(root.glob("store/*/card.json"))]
        problems: dict[str, str | None] = {}
        for name in names or here:
            console.passing(name)
            try:
                store.prove(root, name, own.registry_of(root, name))
                problems[name] = None
            except UserError as error:
                problems[name] = sentence(error)
            console.passed()
            if not json:
                say(f"✗ {problems[name]}" if problems[name] else f"✓ {name}")
        if json:
            console.say_json([{"dataset": name, "problem": one} for name, one in problems.items()])
        if any(problems.values()):
            raise typer.Exit(1)

    @datasets.command(
        "list",
        help=t("List the data sets there are, and which are here."),
        epilog=t("Example: {example}", example="ulab datasets list --json"),
    )
    def list_(team: Team = "", json: Json = False) -> None:
        from ulab_datasets import own
        from ulab_datasets.card import find_card

        root = _root(team)
        known = own.names(own.registry(root)) if team else own.all_names(root)
        cards = [
            (
                find_card(name, own.registry_of(root, name)),
                (root / "store" / name / "card.json").is_file(),
            )
            for name in known
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
        if team:
            from ulab_deploy.base import existing_base
            from ulab_teams.datasets import quota

            taken, whole = own.usage(root), quota(existing_base().settings)
            say(
                t(
                    "{used} MB of {quota} MB are taken",
                    used=f"{taken / 1e6:.1f}",
                    quota=f"{whole / 1e6:.0f}",
                )
            )

    @datasets.command(
        "show",
        help=t("Show a data set's card: source, licence, files, shape, known problems."),
        epilog=t("Example: {example}", example="ulab datasets show wind-turbines"),
    )
    def show(name: Name, team: Team = "", json: Json = False) -> None:
        from ulab_datasets import own
        from ulab_datasets.card import find_card
        from ulab_deploy.dataset_card import lines

        root = _root(team)
        card = find_card(name, own.registry_of(root, name))
        here = (root / "store" / name / "card.json").is_file()
        if json:
            console.say_json(card.model_dump(mode="json", exclude_none=True) | {"fetched": here})
            return
        for line in lines(card, console.language(), here):
            say(line)

    @datasets.command(
        "versions",
        help=t("List the versions of a data set that this base has had, the newest first."),
        epilog=t("Example: {example}", example="ulab datasets versions elecdemand"),
    )
    def versions(name: Name, team: Team = "", json: Json = False) -> None:
        from ulab_datasets import store, versions

        root = _root(team)
        found = versions.of(root, name)
        try:
            current = store.stored_card(root, name)["md5"]
        except (OSError, ValueError, KeyError):
            current = None
        if json:
            console.say_json(
                [
                    {
                        "revision": one.revision,
                        "at": one.at,
                        "bytes": one.bytes,
                        "here": one.cached,
                        "current": one.revision == current,
                    }
                    for one in found
                ]
            )
            return
        if not found:
            say(t("The data set {name} was never here.", name=name))
        for line in console.table(
            [
                (
                    one.revision,
                    f"{one.at.astimezone():%Y-%m-%d %H:%M}",
                    f"{one.bytes / 1e6:.1f} MB",
                    t("current") if one.revision == current else "",
                    "" if one.cached else t("only in the remote"),
                )
                for one in found
            ]
        ):
            say(line)

    dataset_changes.register(datasets)


def _root(team: str) -> Path:
    """The DVC repository of the base's data sets, or of a team's."""
    from ulab_deploy.base import existing_base, open_base

    if not team:
        return open_base().layout.datasets
    from ulab_core.database import Database
    from ulab_teams.teams import find_team

    base = existing_base()
    with Database.of(base.settings).read() as session:
        find_team(session, team)
    return base.layout.team_datasets(team)
