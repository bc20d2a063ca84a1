"""`ulab doctor`: check this machine."""

from __future__ import annotations

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import t

SIGNS = {"ok": "✓", "warning": "!", "problem": "✗"}


def register(app: typer.Typer) -> None:
    @app.command(
        help=t("Check what could keep a base from working here, and say what to do."),
        epilog=t("Example: {example}", example="ulab doctor --json"),
    )
    def doctor(json: Json = False) -> None:
        from ulab_deploy.base import open_base
        from ulab_deploy.doctor import examine
        from ulab_deploy.facts import gather
        from ulab_deploy.findings import Level

        findings = examine(gather(open_base()))
        if json:
            console.say_json(
                [
                    {
                        "check": finding.check,
                        "level": finding.level,
                        "sentence": finding.sentence(t),
                        "what_to_do": finding.what_to_do(t),
                    }
                    for finding in findings
                ]
            )
        else:
            for finding in findings:
                console.say(f"{SIGNS[finding.level]} {finding.sentence(t)}")
                if finding.advice:
                    console.say(f"    {finding.what_to_do(t)}")
        if any(finding.level is Level.PROBLEM for finding in findings):
            raise typer.Exit(1)
