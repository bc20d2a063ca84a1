"""Options that several verbs take."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy.console import t

Json = Annotated[bool, typer.Option("--json", help=t("Print JSON for machines."))]
