"""`ulab version`: what is installed."""

from __future__ import annotations

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import t

SHOWN = ("ulab", "jupyterhub", "jupyterlab", "nbgrader", "mlflow", "dvc", "torch", "torchvision")


def register(app: typer.Typer) -> None:
    @app.command(
        help=t("Say which versions are installed."),
        epilog=t("Example: {example}", example="ulab version --json"),
    )
    def version(json: Json = False) -> None:
        from importlib.metadata import version as installed

        versions = {name: installed(name) for name in SHOWN}
        if json:
            console.say_json(versions)
        else:
            for line in console.table(list(versions.items())):
                console.say(line)
