"""`ulab curricula preview`: a lab as students will see it."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t("Show a lab as students get it, in both languages, in the browser or as files."),
        epilog=t("Example: {example}", example="ulab curricula preview garments --out preview"),
    )
    def preview(
        lab: Annotated[str, typer.Argument(help=t("The lab's id, or the path of its folder."))],
        solutions: Annotated[
            bool, typer.Option("--solutions", help=t("With solutions and hidden tests."))
        ] = False,
        out: Annotated[
            Path | None,
            typer.Option(help=t("Write the pages into this folder and open no browser.")),
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_coursework.previewpage import write_preview
        from ulab_deploy.catalogue import lab_of_checkout

        found = lab_of_checkout(lab)
        folder = out or Path(tempfile.mkdtemp(prefix="ulab-preview-"))
        pages = write_preview(found, folder, solutions=solutions)
        if json:
            console.say_json({language: str(page) for language, page in pages.items()})
        else:
            for page in pages.values():
                say(str(page))
        if out is None and not json:
            webbrowser.open(pages[console.language()].as_uri())
