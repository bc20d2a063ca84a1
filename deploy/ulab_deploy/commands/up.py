"""`ulab up`: serve."""

from __future__ import annotations

import typer

from ulab_deploy.console import t


def register(app: typer.Typer) -> None:
    @app.command(
        help=t("Bring the base up and serve until Ctrl-C."),
        epilog=t("Example: {example}", example="ULAB_SERVER__PORT=9000 ulab up"),
    )
    def up() -> None:
        from ulab_deploy import up as serving

        serving.up()
