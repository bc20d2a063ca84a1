"""`ulab curricula`: write, prove and publish labs and curricula."""

from __future__ import annotations

import typer

from ulab_deploy import console
from ulab_deploy.commands import (
    curricula_check,
    curricula_convert,
    curricula_diff,
    curricula_new,
    curricula_preview,
    curricula_publish,
    curricula_publishers,
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
    curricula_convert.register(curricula)
    curricula_check.register(curricula)
    curricula_preview.register(curricula)
    curricula_diff.register(curricula)
    curricula_publish.register(curricula)
    curricula_publishers.register(curricula)

    @curricula.command(
        "list",
        help=t(
            "List published curricula with their labs, publishers and the courses that run them."
        ),
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
                t("by: {publisher}", publisher=one["published_by"] or "-"),
            )
            for one in found
        ]
        for line in console.table(rows):
            say(line)
