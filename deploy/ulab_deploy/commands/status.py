"""`ulab status`: is it running, and what is in it."""

from __future__ import annotations

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t


def register(app: typer.Typer) -> None:
    @app.command(
        help=t("Say whether the base serves and what is in it; exit code 1 when it doesn't serve."),
        epilog=t("Example: {example}", example="ulab status --json"),
    )
    def status(json: Json = False) -> None:
        from ulab_deploy import listings
        from ulab_deploy.base import existing_base

        found = listings.status(existing_base())
        if json:
            console.say_json(found)
        else:
            if found["serves"]:
                say(t("The base serves on {url} (process {process}).", **found))
                if not found["warm"]:
                    say(t("Fork servers are loading or off: servers and kernels start slowly."))
            elif found["running"]:
                say(t("The base is starting or in trouble (process {process}).", **found))
            else:
                say(t("The base is not running. Start it with: ulab up"))
            say(
                t(
                    "People: {people}, courses: {courses}, assignments: {assignments}; "
                    "submissions waiting for grading: {waiting_jobs}, failed: {failed_jobs}.",
                    **found,
                )
            )
        if not found["serves"]:
            raise typer.Exit(1)
