"""`ulab grade`: grade files on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t


def register(app: typer.Typer) -> None:
    @app.command(
        help=t(
            "Grade notebook files of a lab in the same sandbox and by the same tests as "
            "submissions; no base has to run. Exit code 1 when a file can't be graded."
        ),
        epilog=t("Example: {example}", example="ulab grade garments garments.ipynb"),
    )
    def grade(
        lab: Annotated[str, typer.Argument(help=t("The lab's id."))],
        submissions: Annotated[list[Path], typer.Argument(help=t("Notebook files."))],
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import open_base
        from ulab_deploy.catalogue import lab_of_checkout
        from ulab_deploy.files import require_file
        from ulab_deploy.grade import grade_files
        from ulab_deploy.prepare import provide

        base = open_base()
        files = [require_file(path) for path in submissions]
        found = lab_of_checkout(lab)
        provide(base, list(found.manifest.datasets))
        results = []
        for result in grade_files(found, files, base.settings, base.layout):
            results.append(result)
            if json:
                continue
            if result.problem is not None:
                say(f"✗ {result.file}: {sentence(result.problem)}")
                continue
            say(
                t(
                    "{file}: {points:g} of {max_points:g} points",
                    file=result.file,
                    points=result.points,
                    max_points=result.max_points,
                )
            )
            for line in console.table(
                [
                    (f"  {c.cell}", f"–/{c.max_points:g}", t("an instructor grades this"))
                    if c.points is None
                    else (f"  {c.cell}", f"{c.points:g}/{c.max_points:g}", c.said)
                    for c in result.cells
                ]
            ):
                say(line)
        if json:
            console.say_json(
                [
                    {
                        "file": str(result.file),
                        "points": result.points,
                        "max_points": result.max_points,
                        "problem": sentence(result.problem) if result.problem else None,
                        "cells": [vars(cell) for cell in result.cells],
                    }
                    for result in results
                ]
            )
        if any(result.problem for result in results):
            raise typer.Exit(1)
