"""Arguments and options that several verbs take."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy.console import t

Json = Annotated[bool, typer.Option("--json", help=t("Print JSON for machines."))]
Course = Annotated[str, typer.Argument(help=t("The course's id."))]
Lab = Annotated[str, typer.Argument(help=t("The lab's id."))]
People = Annotated[list[str], typer.Argument(help=t("Account names."))]
Team = Annotated[str, typer.Argument(help=t("The team's id."))]
