"""`ulab course groups`: who hands in a lab together, listed, exported and imported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Course, Json, Lab
from ulab_deploy.console import say, t

ACTOR = "ulab course"


def register(course: typer.Typer) -> None:
    @course.command(
        "groups",
        help=t("List a lab's groups, write them into a file, or put students where a file says."),
        epilog=t(
            "Example: {example}",
            example="ulab course groups vision-2026 garments --import groups.csv",
        ),
    )
    def groups_(
        course: Course,
        lab: Lab,
        import_: Annotated[
            Path | None,
            typer.Option(
                "--import",
                exists=True,
                dir_okay=False,
                help=t("CSV with the columns name and group; an empty group takes out of one."),
            ),
        ] = None,
        export: Annotated[
            Path | None, typer.Option(help=t("Write every student's group into this file as CSV."))
        ] = None,
        json: Json = False,
    ) -> None:
        from dataclasses import asdict

        from ulab_core.database import Database
        from ulab_coursework.courses import find_assignment
        from ulab_coursework.forming import place
        from ulab_coursework.grouping import parse_groups
        from ulab_coursework.groups import groups_of, to_csv
        from ulab_coursework.regrading import follow
        from ulab_deploy.base import existing_base
        from ulab_deploy.files import write_text

        base = existing_base()
        db = Database.of(base.settings)
        if import_ is not None:
            rows = parse_groups(import_.read_bytes())
            with db.write() as session:
                moves = place(session, course, lab, rows, ACTOR)
            follow(db, base.layout, course, lab)
            if json:
                console.say_json([asdict(one) for one in moves])
                return
            for one in moves:
                say(f"{one.person}: {one.before or '-'} → {one.after or '-'}")
            say(t("Students moved: {count}", count=len(moves)))
            return
        with db.read() as session:
            found = find_assignment(session, course, lab)
            text = to_csv(session, found, console.language())
            groups = groups_of(session, found)
        if export is not None:
            write_text(export, text)
        if json:
            console.say_json(
                [
                    {
                        "group": one.name,
                        "code": one.code,
                        "members": list(one.people),
                        "submissions": one.handed_in,
                    }
                    for one in groups
                ]
            )
            return
        if not groups:
            say(t("There are no groups."))
        lines = [
            (one.name, one.code, ", ".join(one.people), _submissions(one.handed_in))
            for one in groups
        ]
        for line in console.table(lines):
            say(line)


def _submissions(count: int) -> str:
    return t("submissions: {count}", count=count)
