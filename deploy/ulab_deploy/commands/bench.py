"""`ulab bench`: how many students this machine holds, and how fast they start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t, warn

FOUND_FAILURES = 1
INTERRUPTED = 130
Submissions = Annotated[int, typer.Option(metavar="N", help=t("How many are handed in."))]
Rounds = Annotated[
    int, typer.Option(metavar="N", help=t("How often each is measured; the median counts."))
]


def register(app: typer.Typer) -> None:
    bench = typer.Typer(
        help=t("Measure how many students this machine holds, and how fast they start."),
        epilog=t("Example: {example}", example="ulab bench start --students 4"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(bench, name="bench")

    @bench.command(
        "start",
        help=t(
            "Start students at once, first on a stock JupyterHub, then on a temporary base with "
            "the settings in force, and compare the time to the first torch cell and the memory. "
            "Both are removed afterwards; a base that serves is not touched, but slowed down."
        ),
        epilog=t("Example: {example}", example="ulab bench start --students 4"),
    )
    def start(
        students: Annotated[int, typer.Option(metavar="N", help=t("How many start at once."))],
        only: Annotated[
            str | None,
            typer.Option(metavar="ulab|stock", help=t("Measure one of the two alone.")),
        ] = None,
        json: Json = False,
    ) -> None:
        import os

        from ulab_core.settings import load_settings
        from ulab_deploy.bench import report
        from ulab_deploy.bench.progress import Progress
        from ulab_deploy.bench.start import STOCK, ULAB, measure

        with _stoppable():
            sides = measure(load_settings(), students, only, Progress(silent=json))
        stock, ours = sides.get(STOCK), sides.get(ULAB)
        found = report.plain(students, stock, ours)
        if json:
            console.say_json(found)
        else:
            for line in console.table(list(report.rows(found))):
                say(line)
            if ours is not None:
                for line in report.advice(students, ours, os.cpu_count() or 1):
                    say(line)
        failures = list(report.failures(sides))
        for line in failures:
            warn(f"! {line}")
        if failures:
            raise typer.Exit(FOUND_FAILURES)

    @bench.command(
        "datasets",
        help=t(
            "Let processes load the same data sets and read all of them: how long that takes, and "
            "how much memory they use together (RSS counts shared pages in each, PSS once)."
        ),
        epilog=t("Example: {example}", example="ulab bench datasets --processes 50"),
    )
    def datasets(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Data sets; all that are here when left out."))
        ] = None,
        processes: Annotated[
            int, typer.Option(metavar="N", min=1, help=t("How many processes have it at once."))
        ] = 50,
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import open_base
        from ulab_deploy.bench.datasets import measure, plain, rows

        store = open_base().layout.dataset_store
        here = sorted(card.parent.name for card in store.glob("*/card.json"))
        found = []
        for name in names or here:
            console.passing(name)
            found.append(measure(store, name, processes))
        console.passed()
        if json:
            console.say_json(plain(found))
        else:
            for line in console.table(rows(found)):
                say(line)

    @bench.command(
        "grading",
        help=t(
            "Grade the same submissions of a trivial and of a torch notebook with stock nbgrader "
            "and with a temporary base, and compare submissions a minute. ulab_s is the wall time "
            "of a submission times the cores in use, bare_s what its cells take on one core in a "
            "fork of a warmed process."
        ),
        epilog=t("Example: {example}", example="ulab bench grading --submissions 10"),
    )
    def grading(
        submissions: Submissions,
        rounds: Rounds = 3,
        json: Json = False,
    ) -> None:
        from ulab_core.settings import load_settings
        from ulab_deploy.bench.grading import measure, rows, sentences
        from ulab_deploy.bench.progress import Progress

        with _stoppable():
            found = measure(load_settings(), submissions, rounds, Progress(silent=json))
        _tell(json, found, rows(found), sentences(found, submissions))

    @bench.command(
        "pages",
        help=t(
            "Time the instructor's pages of a class that has handed in 12 labs, and what "
            "nbgrader's formgrader needs for the same lists of the same gradebook. A temporary "
            "base is made for it and removed afterwards."
        ),
        epilog=t("Example: {example}", example="ulab bench pages --submissions 1000"),
    )
    def pages(
        submissions: Submissions,
        json: Json = False,
    ) -> None:
        from ulab_core.settings import load_settings
        from ulab_deploy.bench.pages import measure, rows, sentences
        from ulab_deploy.bench.progress import Progress

        with _stoppable():
            found = measure(load_settings(), submissions, Progress(silent=json))
        _tell(json, found, rows(found), sentences(found))

    @bench.command(
        "memory",
        help=t(
            "Grade a class's submissions with a temporary base, and show after each tenth of them "
            "what memory the grading worker has, and what it forks its sandboxes from."
        ),
        epilog=t("Example: {example}", example="ulab bench memory --submissions 1000"),
    )
    def memory(
        submissions: Submissions,
        json: Json = False,
    ) -> None:
        from ulab_core.settings import load_settings
        from ulab_deploy.bench.grading_memory import measure, rows, sentences
        from ulab_deploy.bench.progress import Progress

        with _stoppable():
            found = measure(load_settings(), submissions, Progress(silent=json))
        _tell(json, found, rows(found), sentences(found))

    @bench.command(
        "tracking",
        help=t(
            "Compare MLflow without accounts, MLflow with its basic-auth, and U Lab's gateway with "
            "its MLflow: operations a second with 8 clients at once, a file of 600 MB up and down "
            "with the memory that takes, and what a notebook logs with ulab.track(). All are "
            "temporary, with as many worker processes each as the settings give MLflow."
        ),
        epilog=t("Example: {example}", example="ulab bench tracking --rounds 5"),
    )
    def tracking(
        rounds: Rounds = 5,
        seconds: Annotated[
            float, typer.Option(metavar="S", help=t("How long each is measured, in seconds."))
        ] = 2.0,
        database_url: Annotated[
            str,
            typer.Option(
                metavar="URL",
                help=t(
                    "A PostgreSQL server to make temporary databases on, as an SQLAlchemy "
                    "address; SQLite without it."
                ),
            ),
        ] = "",
        json: Json = False,
    ) -> None:
        from ulab_core.settings import load_settings
        from ulab_deploy.bench.progress import Progress
        from ulab_deploy.bench.tracking import Sizes, measure, rows, sentences

        sizes = Sizes(rounds, seconds)
        with _stoppable():
            found = measure(load_settings(), sizes, Progress(silent=json), database_url)
        _tell(json, found, rows(found), sentences(found))


@contextmanager
def _stoppable() -> Iterator[None]:
    """Say that nothing is left of a measurement that was interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        warn(t("Stopped; everything that was started is ended and removed."))
        raise typer.Exit(INTERRUPTED) from None


def _tell(
    json: bool, found: object, rows: Iterable[tuple[str, ...]], sentences: Iterable[str]
) -> None:
    """Show what was measured: as JSON, or as a table with sentences below it."""
    if json:
        console.say_json(found)
        return
    for line in (*console.table(list(rows)), *sentences):
        say(line)
