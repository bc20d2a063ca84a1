"""`ulab curricula convert`: a lab's source as a notebook for JupyterLab, and back."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t(
            "Turn a lab's lab.py into a lab.ipynb to write in JupyterLab, or back. What can't be "
            "turned without loss is refused, and the file stays as it is."
        ),
        epilog=t("Example: {example}", example="ulab curricula convert ./labs/agriculture/crops"),
    )
    def convert(
        lab: Annotated[str, typer.Argument(help=t("The lab's id, or the path of its folder."))],
        json: Json = False,
    ) -> None:
        from ulab_curricula.conversion import convert_lab
        from ulab_deploy.catalogue import lab_of_checkout

        made = convert_lab(lab_of_checkout(lab))
        if json:
            console.say_json({"file": str(made)})
        else:
            say(t("The lab is written in {file} now.", file=os.path.relpath(made)))
