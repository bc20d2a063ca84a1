"""`ulab curricula`: prove and publish what the checkout holds."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t


def register(app: typer.Typer) -> None:
    curricula = typer.Typer(
        help=t("Labs and curricula: check, publish, list."),
        epilog=t("Example: {example}", example="ulab curricula check garments"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(curricula, name="curricula")

    @curricula.command(
        "check",
        help=t(
            "Prove labs: the reference scores full, the empty release nothing, every listed wrong "
            "answer loses what it should. Exit code 1 when anything is wrong."
        ),
        epilog=t("Example: {example}", example="ulab curricula check garments"),
    )
    def check(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Labs or curricula; all when left out."))
        ] = None,
        lab_language: Annotated[
            str, typer.Option(metavar="zh|en", help=t("The language of the messages compared."))
        ] = "zh",
        json: Json = False,
    ) -> None:
        from ulab_curricula import check_lab
        from ulab_deploy.base import open_base
        from ulab_deploy.catalogue import labs_of_checkout
        from ulab_deploy.prepare import provide

        base = open_base()
        labs = labs_of_checkout(names or [])
        provide(base, [name for lab in labs for name in lab.manifest.datasets])
        reports = []
        for lab in labs:
            if not json:
                say(t("checking {lab}…", lab=lab.id))
            report = check_lab(lab, base.layout.dataset_store, language=lab_language)
            reports.append(report)
            if not json:
                for problem in report.problems:
                    say(f"  ✗ {sentence(problem)}")
                if report.ok:
                    say("  ✓ " + t("{count} runs as promised", count=len(report.runs)))
        if json:
            console.say_json(
                [
                    {
                        "lab": report.lab,
                        "ok": report.ok,
                        "problems": [sentence(problem) for problem in report.problems],
                        "points": dict(report.points),
                        "seconds": round(report.seconds, 1),
                    }
                    for report in reports
                ]
            )
        if not all(report.ok for report in reports):
            raise typer.Exit(1)

    @curricula.command(
        "publish",
        help=t("Publish curricula as immutable versions that courses can run."),
        epilog=t("Example: {example}", example="ulab curricula publish vision-foundations"),
    )
    def publish_(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Curricula; all when left out."))
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_curricula import publish
        from ulab_deploy.base import existing_base
        from ulab_deploy.catalogue import curricula_of_checkout

        base = existing_base()
        made = {
            found.id: publish(found, base.layout) for found in curricula_of_checkout(names or [])
        }
        if json:
            console.say_json(made)
        for name, version in ({} if json else made).items():
            say(t("{curriculum} is published as {version}", curriculum=name, version=version))

    @curricula.command(
        "list",
        help=t("List published curricula and their labs."),
        epilog=t("Example: {example}", example="ulab curricula list --json"),
    )
    def list_(json: Json = False) -> None:
        from ulab_curricula import published
        from ulab_deploy.base import existing_base

        found = published(existing_base().layout)
        if json:
            console.say_json(
                [
                    {
                        "curriculum": one.id,
                        "version": one.version,
                        "focus_area": one.focus_area,
                        "titles": dict(one.titles),
                        "labs": [lab.id for lab in one.labs],
                    }
                    for one in found
                ]
            )
            return
        language = console.language()
        for line in console.table(
            [
                (one.id, one.version, one.titles[language], " ".join(lab.id for lab in one.labs))
                for one in found
            ]
        ):
            say(line)
