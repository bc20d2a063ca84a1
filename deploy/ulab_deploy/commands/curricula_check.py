"""`ulab curricula check`: prove labs, and say whose the names in their tests are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, mark, translations
from ulab_deploy import console
from ulab_deploy.base import Base
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t
from ulab_deploy.mutant_table import mutant_table, mutants_as_json

if TYPE_CHECKING:
    from ulab_curricula import Lab
    from ulab_curricula.whose import Named
    from ulab_deploy.prove import Proved


class NoSandbox(UserError):
    """The judge can't be asked on this machine."""

    exit_code = 4


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t(
            "Prove labs: the judge gives the reference full points, the empty release none, and "
            "every listed answer what it should get, and the tests catch small changes to the "
            "solution. Exit code 1 when anything is wrong."
        ),
        epilog=t("Example: {example}", example="ulab curricula check garments"),
    )
    def check(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Labs or curricula; all when left out."))
        ] = None,
        lab_language: Annotated[
            str,
            typer.Option(
                metavar="zh|en",
                help=t("The language of the notebooks and their messages; yours when left out."),
            ),
        ] = "",
        whole: Annotated[
            bool,
            typer.Option(
                "--whole", help=t("Run all cells of each answer, not only those it can affect.")
            ),
        ] = False,
        plain: Annotated[
            bool,
            typer.Option(
                "--plain", help=t("Run labs as plain notebooks, without a judge or a sandbox.")
            ),
        ] = False,
        mutants: Annotated[
            bool,
            typer.Option(help=t("Try the tests on small changes to the reference solution.")),
        ] = True,
        table: Annotated[
            bool,
            typer.Option(
                "--table",
                help=t("Only try changes, and print the table of those caught in Markdown."),
            ),
        ] = False,
        whose: Annotated[
            bool,
            typer.Option("--names", help=t("Only list whose the names are that each test uses.")),
        ] = False,
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import open_base
        from ulab_deploy.catalogue import labs_of_checkout

        language = _language(lab_language)
        labs = labs_of_checkout(names or [])
        if whose:
            _list_names(labs, json)
            return
        found = []
        for proved in _proved(
            open_base(), labs, language, whole, plain or table, mutants or table, listed=not table
        ):
            console.passed()
            found.append(proved)
            if not (json or table):
                _tell(proved)
        if json:
            console.say_json([_as_json(proved) for proved in found])
        else:
            for line in mutant_table([proved.report for proved in found], markdown=table):
                say(line)
        if not all(proved.report.ok for proved in found):
            raise typer.Exit(1)


def _language(chosen: str) -> str:
    if chosen and chosen not in LANGUAGES:
        raise UserError(mark("A notebook's language is zh or en, not {language}."), language=chosen)
    return chosen or console.language()


def _proved(
    base: Base,
    labs: Sequence[Lab],
    language: str,
    whole: bool,
    plain: bool,
    mutants: bool,
    *,
    listed: bool = True,
) -> Iterator[Proved]:
    from ulab_curricula import check_lab
    from ulab_deploy.prepare import provide
    from ulab_deploy.prove import MUTATING, RUNNING, Proved, prove

    if not plain:
        _require_sandbox(base)
    provide(base, [name for lab in labs for name in lab.manifest.datasets])
    if not plain:
        yield from prove(
            labs,
            base.settings,
            base.layout,
            language=language,
            whole=whole,
            mutants=mutants,
            tell=_passing,
        )
        return
    for lab in labs:
        _passing(MUTATING if mutants else RUNNING, lab=lab.id)
        yield Proved(
            check_lab(
                lab,
                base.layout.dataset_store,
                language=language,
                whole=whole,
                listed=listed,
                mutants=mutants,
            )
        )


def _require_sandbox(base: Base) -> None:
    from ulab_deploy.doctor import check_sandbox
    from ulab_deploy.facts import gather
    from ulab_deploy.findings import Level

    for finding in check_sandbox(gather(base)):
        if finding.level is Level.PROBLEM:
            gettext = translations(console.language()).gettext
            raise NoSandbox(
                mark(
                    "The judge needs a sandbox. {what} {advice} To check labs as plain notebooks "
                    "only: ulab curricula check --plain"
                ),
                what=finding.sentence(gettext),
                advice=finding.what_to_do(gettext),
            )


def _passing(message: str, **values: object) -> None:
    console.passing(t(message, **values))


def _tell(proved: Proved) -> None:
    from ulab_curricula.errors import BadTest

    report = proved.report
    say(f"{'✓' if report.ok else '✗'} {report.lab}: {_summary(proved)}")
    gettext = translations(console.language()).gettext
    for mark_, problems in (("✗", report.problems), ("!", report.remarks)):
        for problem in problems:
            if not isinstance(problem, BadTest):
                say(f"  {mark_} {sentence(problem)}")
                continue
            say(f"  {mark_} {problem.where(gettext)}")
            if problem.place.code:
                say(f"      {problem.place.code}")
            say(f"    {problem.what(gettext)}")


def _summary(proved: Proved) -> str:
    report = proved.report
    if not report.ok:
        return t("{count} to mend", count=len(report.problems))
    if proved.judged:
        return t("the judge gave all {count} answers what they should get", count=proved.judged)
    return t("{count} runs as promised", count=len(report.runs))


def _as_json(proved: Proved) -> dict[str, Any]:
    report = proved.report
    return {
        "lab": report.lab,
        "ok": report.ok,
        "problems": [sentence(problem) for problem in report.problems],
        "remarks": [sentence(remark) for remark in report.remarks],
        "points": dict(report.points),
        "seconds": round(report.seconds, 1),
        "judged": proved.judged,
        "mutants": mutants_as_json(report),
    }


def _list_names(labs: Sequence[Lab], json: bool) -> None:
    from ulab_curricula.build import build
    from ulab_curricula.whose import whose_names

    found = {lab.id: whose_names(build(lab).canonical) for lab in labs}
    if json:
        console.say_json(
            {
                lab: [
                    {
                        "test": each.question,
                        "name": each.name,
                        "whose": each.whose.value,
                        "why": _why(each),
                    }
                    for each in names
                ]
                for lab, names in found.items()
            }
        )
        return
    for lab, names in found.items():
        say(lab)
        for line in console.table([_row(each) for each in names]):
            say(f"  {line}")


def _row(named: Named) -> tuple[str, str, str, str]:
    return named.question, named.name, t(WHOSE[named.whose.value]), _why(named)


def _why(named: Named) -> str:
    source = named.source
    return "" if source is None else t(WHY[source.why.value], cell=source.cell, name=source.name)


WHOSE = {
    "own": mark("the test's"),
    "given": mark("the lab's"),
    "student": mark("the student's"),
}
WHY = {
    "bound": mark("cell {cell}"),
    "changed": mark("changed by the student's code in cell {cell}"),
    "depends": mark("cell {cell} makes it with {name}, which is the student's"),
    "unseen": mark("no cell defines it"),
}
