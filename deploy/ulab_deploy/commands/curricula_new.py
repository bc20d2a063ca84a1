"""`ulab curricula new`: a lab that holds already and says what to write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.manifest import Words
from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t(
            "Start a lab: a small one in both languages, with tests and listed answers, that "
            "passes the check and says in each place what to write."
        ),
        epilog=t(
            "Example: {example}",
            example="ulab curricula new crop-photos --area agriculture "
            "--area-zh 智慧农业 --area-en Agriculture",
        ),
    )
    def new(
        lab: Annotated[str, typer.Argument(help=t("The new lab's id."))],
        area: Annotated[str, typer.Option(help=t("The focus area's id."))],
        level: Annotated[
            str, typer.Option(help=t("foundation, core, advanced or capstone"))
        ] = "foundation",
        title_zh: Annotated[str, typer.Option(help=t("The lab's Chinese title."))] = "",
        title_en: Annotated[str, typer.Option(help=t("The lab's English title."))] = "",
        area_zh: Annotated[
            str, typer.Option(help=t("The Chinese title of a focus area that is new too."))
        ] = "",
        area_en: Annotated[
            str, typer.Option(help=t("The English title of a focus area that is new too."))
        ] = "",
        curriculum: Annotated[
            str, typer.Option(help=t("Start a curriculum of this id with the lab."))
        ] = "",
        into: Annotated[
            Path | None,
            typer.Option(
                help=t("A folder with labs and curricula of its own; this checkout when left out.")
            ),
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_curricula.labs import CURRICULA
        from ulab_curricula.scaffolding import NewLab, start_lab

        root = into or CURRICULA.parent
        titles = _words(title_zh, title_en, "--title-zh", "--title-en")
        area_titles = _words(area_zh, area_en, "--area-zh", "--area-en")
        written = start_lab(NewLab(lab, area, level, titles, area_titles, curriculum), root)
        folder = os.path.relpath(root / "labs" / area / lab)
        if json:
            console.say_json({"folder": folder, "files": [str(path) for path in written]})
            return
        for path in written:
            say(os.path.relpath(path))
        say(t("Each place that begins with “Write” or “写” is yours. Then prove the lab:"))
        say(f"  ulab curricula check {lab if into is None else folder}")


def _words(zh: str, en: str, option_zh: str, option_en: str) -> Words | None:
    if zh and en:
        return Words(zh=zh, en=en)
    if zh or en:
        raise UserError(
            mark("Titles come in both languages: give {zh} and {en}."), zh=option_zh, en=option_en
        )
    return None
