"""`ulab curricula check`: prove labs, and say whose the names in their tests are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, mark, translations
from ulab_deploy import console
from ulab_deploy.base import Base
from ulab_deploy.commands.curricula_names import list_names
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, sentence, t
from ulab_deploy.mutant_table import mutant_table, mutants_as_json
from ulab_deploy.stopping import ended_at_once

if TYPE_CHECKING:
    from ulab_curricula import Lab, Report
    from ulab_deploy.prove import How, Proved


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
        everything: Annotated[
            bool, typer.Option("--all", help=t("All labs, which is what no name means too."))
        ] = False,
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
        repeat: Annotated[
            int,
            typer.Option(
                min=0, help=t("Run each test so many times more, with other random numbers.")
            ),
        ] = 20,
        cache: Annotated[
            bool,
            typer.Option(help=t("Skip labs that held when all they rest on was the same as now.")),
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
        origin: Annotated[
            str,
            typer.Option(
                "--from",
                metavar="FOLDER|FILE.zip|URL",
                help=t(
                    "Check curricula of others, in sandboxes alone: a folder, a zip file, or a Git "
                    "repository (https:// or ssh://). Names are curricula then."
                ),
            ),
        ] = "",
        ref: Annotated[str, typer.Option(help=t("A branch or a tag of the Git repository."))] = "",
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import open_base
        from ulab_deploy.catalogue import labs_of_checkout

        language = _language(lab_language)
        if origin:
            if plain or table or whose:
                raise UserError(
                    mark(
                        "With --from, leave out --plain, --table and --names: others' labs are "
                        "proved by the judge."
                    )
                )
            _check_others(language, origin, ref, names or [], whole, mutants, repeat, json)
            return
        labs = labs_of_checkout([] if everything else names or [])
        if whose:
            list_names(labs, json)
            return
        from ulab_deploy.prove import How

        how = (
            How(language, judged=False, listed=False, mutants=True)
            if table
            else How(
                language, judged=not plain, whole=whole, mutants=mutants, repeat=repeat, both=True
            )
        )
        found: dict[str, Proved] = {}
        for proved in _proved(open_base(), labs, how, cache and not table):
            found[proved.report.lab] = proved
            if not (json or table):
                tell_proved(proved)
            elif table and not proved.report.ok:
                for problem in proved.report.problems:
                    console.warn(f"✗ {proved.report.lab}: {sentence(problem)}")
        ordered = [found[lab.id] for lab in labs]
        if json:
            console.say_json([as_json(proved) for proved in ordered])
        else:
            for line in mutant_table([proved.report for proved in ordered], markdown=table):
                say(line)
        if not all(proved.report.ok for proved in ordered):
            raise typer.Exit(1)


def _check_others(
    language: str,
    origin: str,
    ref: str,
    names: list[str],
    whole: bool,
    mutants: bool,
    repeat: int,
    json: bool,
) -> None:
    from ulab_deploy.base import open_base
    from ulab_deploy.outside import check_others
    from ulab_deploy.prove import How

    base = open_base()
    require_sandbox(base)
    how = How(language, whole=whole, mutants=mutants, repeat=repeat, others=True)
    reports: list[Report] = []
    told: list[dict[str, Any]] = []
    with ended_at_once():
        for proved, root in check_others(base, origin, names, how, ref=ref, tell=tell_passing):
            console.passed()
            reports.append(proved.report)
            if json:
                told.append(as_json(proved, root))
            else:
                tell_proved(proved)
    if json:
        console.say_json(told)
    else:
        for line in mutant_table(reports):
            say(line)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def tell_passing(message: str, **values: object) -> None:
    """Say how far it is, where that is looked at."""
    console.passing(t(message, **values))


def _language(chosen: str) -> str:
    if chosen and chosen not in LANGUAGES:
        raise UserError(mark("A notebook's language is zh or en, not {language}."), language=chosen)
    return chosen or console.language()


def _proved(base: Base, labs: Sequence[Lab], how: How, cache: bool) -> Iterator[Proved]:
    from ulab_deploy.prepare import provide
    from ulab_deploy.prove import prove
    from ulab_deploy.remembered import Remembered

    if how.judged:
        require_sandbox(base)
    provide(base, [name for lab in labs for name in lab.manifest.datasets])
    done = 0

    def tell(message: str, **values: object) -> None:
        console.passing(f"[{done}/{len(labs)}] {t(message, **values)}")

    memory = Remembered(base.layout.checked, base.settings) if cache else None
    with ended_at_once():
        for proved in prove(labs, base.settings, base.layout, how, memory=memory, tell=tell):
            console.passed()
            done += 1
            yield proved


def require_sandbox(base: Base) -> None:
    """Refuse where the judge can't work.

    Raises
    ------
    NoSandbox
    """
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


def tell_proved(proved: Proved) -> None:
    """Say what came of proving a lab."""
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
    if proved.remembered:
        return t("nothing has changed since it was checked last")
    if proved.judged:
        said = t("the judge gave all {count} answers what they should get", count=proved.judged)
    else:
        said = t("{count} runs as promised", count=len(report.runs))
    used = t("{seconds:.0f} s, {memory} MiB", seconds=report.seconds, memory=report.peak_mb)
    return f"{said} ({used})"


def as_json(proved: Proved, root: Path | None = None) -> dict[str, Any]:
    """What came of proving a lab, for machines; files of others as seen from `root`."""
    report = proved.report
    return {
        "lab": report.lab,
        "ok": report.ok,
        "problems": [sentence(problem) for problem in report.problems],
        "remarks": [sentence(remark) for remark in report.remarks],
        "points": dict(report.points),
        "seconds": round(report.seconds, 1),
        "memory_mb": report.peak_mb,
        "judged": proved.judged,
        "remembered": proved.remembered,
        "mutants": mutants_as_json(report, root),
    }
