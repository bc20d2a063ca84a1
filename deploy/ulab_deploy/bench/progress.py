"""What someone sees on standard error while a measurement runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ulab_deploy.console import t


class Progress:
    """Stages as lines, students as two bars.

    Parameters
    ----------
    silent
        Show nothing: the reader is a program.
    """

    def __init__(self, silent: bool) -> None:
        self._console = Console(stderr=True, quiet=silent, highlight=False)

    def stage(self, message: str) -> None:
        """Say what goes on now.

        Parameters
        ----------
        message
            Marked for translation.
        """
        self._console.print(t(message), markup=False)

    @contextmanager
    def students(self, count: int) -> Iterator[Callable[[str], None]]:
        """Count the students whose server answers, and whose cell is done."""
        with Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        ) as bars:
            tasks = {
                "server": bars.add_task(t("servers that answer"), total=count),
                "cell": bars.add_task(t("torch cells that are done"), total=count),
            }
            yield lambda what: bars.advance(tasks[what])
