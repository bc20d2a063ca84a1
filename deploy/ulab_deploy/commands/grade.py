"""`ulab grade`: grade files on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t
from ulab_runtime.judge.verdicts import Kind

if TYPE_CHECKING:
    from ulab_coursework.marking import Question
    from ulab_deploy.grade import Graded


def register(app: typer.Typer) -> None:
    @app.command(
        help=t(
            "Grade notebook files of a lab in the same sandbox and by the same tests as "
            "submissions; no base has to run. Exit code 1 when a file can't be graded."
        ),
        epilog=t("Example: {example}", example="ulab grade garments garments.ipynb"),
    )
    def grade(
        lab: Annotated[str, typer.Argument(help=t("The lab's id."))],
        submissions: Annotated[list[Path], typer.Argument(help=t("Notebook files."))],
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import open_base
        from ulab_deploy.catalogue import lab_of_checkout
        from ulab_deploy.files import require_file
        from ulab_deploy.grade import grade_files
        from ulab_deploy.prepare import provide

        base = open_base()
        files = [require_file(path) for path in submissions]
        found = lab_of_checkout(lab)
        provide(base, list(found.manifest.datasets))
        console.passing(t("Getting ready …"))
        results = []
        for result in grade_files(found, files, base.settings, base.layout):
            results.append(result)
            console.passing(t("{done} of {of} graded", done=len(results), of=len(files)))
        console.passed()
        if json:
            console.say_json([_as_json(result) for result in results])
        else:
            for result in results:
                _tell(result)
        if any(result.problem for result in results):
            raise typer.Exit(1)


def _as_json(result: Graded) -> dict[str, Any]:
    return {
        "file": str(result.file),
        "points": result.points,
        "max_points": result.max_points,
        "problem": sentence(result.problem) if result.problem else None,
        "questions": [
            {
                "question": one.id,
                "points": one.points,
                "max_points": one.max_points,
                "verdict": one.verdict.kind if one.verdict else None,
                "reason": one.verdict.reason if one.verdict else "",
                "seconds": round(one.verdict.seconds, 4) if one.verdict else None,
            }
            for one in result.questions
        ],
    }


def _tell(result: Graded) -> None:
    if result.problem is not None:
        say(f"✗ {result.file}: {sentence(result.problem)}")
        return
    say(
        t(
            "{file}: {points:g} of {max_points:g} points",
            file=result.file,
            points=result.points,
            max_points=result.max_points,
        )
    )
    rows = [
        (f"  {one.id}", f"–/{one.max_points:g}", t("an instructor grades this"))
        if one.points is None
        else (f"  {one.id}", f"{one.points:g}/{one.max_points:g}", _why(one))
        for one in result.questions
    ]
    for line in console.table(rows):
        say(line)


def _why(question: Question) -> str:
    verdict = question.verdict
    if verdict is None or verdict.kind in (Kind.PASSED, Kind.PARTIAL):
        return ""
    return verdict.reason or t(ENDED[verdict.kind])


ENDED = {
    Kind.TIMED_OUT: mark("it took too long"),
    Kind.OUT_OF_MEMORY: mark("it used too much memory"),
    Kind.DIED: mark("the student's code ended its own process"),
    Kind.NOT_RUN: mark("it was not run, because earlier code used up the time or ended everything"),
    Kind.FAILED: mark("it failed"),
}
