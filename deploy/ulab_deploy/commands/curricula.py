"""`ulab curricula`: write, prove and publish labs and curricula."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands import (
    curricula_check,
    curricula_diff,
    curricula_new,
    curricula_preview,
)
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t


def register(app: typer.Typer) -> None:
    curricula = typer.Typer(
        help=t("Labs and curricula: write, check, compare, publish."),
        epilog=t("Example: {example}", example="ulab curricula check garments"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(curricula, name="curricula")

    curricula_new.register(curricula)
    curricula_check.register(curricula)
    curricula_preview.register(curricula)
    curricula_diff.register(curricula)

    @curricula.command(
        "publish",
        help=t("Publish curricula as immutable versions that courses can run."),
        epilog=t("Example: {example}", example="ulab curricula publish vision-foundations"),
    )
    def publish_(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Curricula; all when left out."))
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_curricula import publish
        from ulab_deploy.base import existing_base
        from ulab_deploy.catalogue import curricula_of_checkout

        base = existing_base()
        made = {
            found.id: publish(found, base.layout) for found in curricula_of_checkout(names or [])
        }
        if json:
            console.say_json(made)
        for name, version in ({} if json else made).items():
            say(t("{curriculum} is published as {version}", curriculum=name, version=version))

    @curricula.command(
        "list",
        help=t("List published curricula, their labs, and the courses that run them."),
        epilog=t("Example: {example}", example="ulab curricula list --json"),
    )
    def list_(json: Json = False) -> None:
        from ulab_deploy.base import existing_base
        from ulab_deploy.listings import curricula

        found = curricula(existing_base())
        if json:
            console.say_json(found)
            return
        language = console.language()
        rows = [
            (
                one["curriculum"],
                one["version"] if one["published_at"] else t("not published: {version}", **one),
                one["titles"][language],
                t("labs: {labs}", labs=" ".join(one["labs"])),
                t("courses: {courses}", courses=" ".join(one["courses"]) or "-"),
            )
            for one in found
        ]
        for line in console.table(rows):
            say(line)
