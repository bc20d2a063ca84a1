"""What a student does with an open run."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ulab.language import say
from ulab.tracking import current, later, mistakes, room, values, words
from ulab.tracking.spool import FILES
from ulab.tracking.training import Loop, model_params, optimizer_params

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ulab.tracking.opened import Opened


class Run:
    """A run that is being logged; everything is a no-op when there is nowhere to log to.

    Its methods may be called from any thread, and `log` from processes forked inside the block.
    """

    def __init__(self, opened: Opened | None) -> None:
        self.opened = opened
        self._lock = threading.Lock()
        self.next_step = 0
        self._params: set[str] = set()
        self._files = 0
        self._loop = Loop(self)
        if opened is not None:
            self._params |= opened.params

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run; None while the server has not answered."""
        return self.opened.run_id if self.opened is not None else None

    @property
    def experiment_id(self) -> str | None:
        """MLflow's id of the experiment the run belongs to; None while it is not known."""
        return self.opened.experiment_id if self.opened is not None else None

    def log(self, step: int | None = None, /, **metrics: Any) -> None:
        """Note numbers of one step, such as an epoch or a batch.

        Parameters
        ----------
        step
            The step; None means the one after the last.
        **metrics
            Name to number; a tensor or array with one element is a number too, and one that is on a
            GPU is fetched without making training wait.

        Examples
        --------
        >>> with track("small CNN", lr=0.1) as run:  # doctest: +SKIP
        ...     run.log(loss=0.52, accuracy=0.81)
        """
        with self._lock:
            step = self.next_step if step is None else mistakes.step_of(step)
            self.next_step = step + 1
        opened = self.opened
        if opened is None:
            return
        if not self._loop.listens:
            self._loop.begin()
        for value in metrics.values():
            if type(value) is not float:
                self.note_at(step, metrics)
                return
        opened.writer.note(["m", step, time.time_ns(), metrics])

    def note_at(self, step: int, metrics: dict[str, Any]) -> None:
        """Note numbers of a step, whatever step is the next and whatever holds the numbers."""
        if self.opened is None:
            return
        noted: dict[str, Any] = {}
        for name, value in metrics.items():
            try:
                noted[name] = later.Copy(value) if later.on_gpu(value) else values.number(value)
            except Exception:
                # Whatever a student's object does when it is asked for a number.
                self.opened.tell(words.no_number(name, type(value).__name__))
        if noted:
            self.opened.writer.note(["m", step, time.time_ns(), noted])

    def param(self, **params: Any) -> None:
        """Note parameters that are known only inside the block; one can't be changed later."""
        if self.opened is not None and params:
            noted = values.params(params)
            self._params |= noted.keys()
            self.opened.writer.note(["p", noted])

    def param_if_new(self, params: dict[str, Any]) -> None:
        """Note parameters, except those the student has named already."""
        self.param(**{name: value for name, value in params.items() if name not in self._params})

    def tag(self, **tags: Any) -> None:
        """Note tags: words to find the run by, which may be changed later."""
        if self.opened is not None and tags:
            self.opened.writer.note(["t", values.tags(tags)])

    def watch(self, model: Any, optimizer: Any = None) -> None:
        """Note what a PyTorch model is: its class, its number of parameters, and its layers.

        Parameters
        ----------
        model
            A `torch.nn.Module`. Its layers are kept as ``model.txt``.
        optimizer
            Noted too: its class and what it was given. One that steps inside the block is noted
            without being named here.
        """
        mistakes.check_model(model)
        if optimizer is not None:
            mistakes.check_optimizer(optimizer)
        if self.opened is None:
            return
        self.param_if_new(model_params(model))
        if optimizer is not None:
            self.param_if_new(optimizer_params(optimizer, "optimizer"))
        kept = self._new_file("model.txt")
        if kept is not None:
            try:
                (self.opened.spool.folder / kept).write_text(f"{model}\n", encoding="utf-8")
            except OSError:
                self.opened.tell(words.disk_is_full())
                return
            self.opened.writer.note(["f", kept, "model.txt"])

    def figure(self, figure: Figure, name: str) -> None:
        """Keep a matplotlib figure with the run, as ``<name>.png``."""
        mistakes.check_figure(figure, name)
        kept = self._new_file("figure.png")
        if self.opened is not None and kept is not None:
            try:
                figure.savefig(self.opened.spool.folder / kept, format="png")
            except OSError:
                self.opened.tell(words.disk_is_full())
                return
            self.opened.writer.note(["f", kept, f"{_inside(name)}.png"])

    def file(self, path: str | os.PathLike[str]) -> None:
        """Keep a copy of a file with the run, as it is now, such as a saved model."""
        source = Path(path)
        if not source.is_file():
            raise FileNotFoundError(
                say(zh=f"没有这个文件：{path}", en=f"There is no such file: {path}")
            )
        if self.opened is None:
            return
        size = source.stat().st_size
        if size > room.limit():
            self.opened.tell(words.too_large(source.name, size))
            return
        self.opened.make_room(size)
        kept = self._new_file("file")
        if kept is not None:
            try:
                # A copy: the next epoch may write over it before it is sent.
                shutil.copyfile(source, self.opened.spool.folder / kept)
            except OSError:
                (self.opened.spool.folder / kept).unlink(missing_ok=True)
                self.opened.tell(words.disk_is_full())
                return
            self.opened.writer.note(["f", kept, source.name])

    def is_current(self) -> bool:
        """Whether what happens now belongs to this run, rather than to one nested in it."""
        return current.run() is self

    def used(self, dataset: dict[str, Any] | None) -> None:
        """Note a data set that the run uses, as MLflow's `log-inputs` takes it."""
        if self.opened is not None and dataset is not None:
            self.opened.writer.note(["d", dataset])

    def begin(self) -> None:
        if self.opened is not None:
            self.opened.begin()
            self._loop.begin()

    def end(self, status: str) -> None:
        self._loop.end()
        if self.opened is not None:
            self.opened.end(status)

    def _new_file(self, name: str) -> str | None:
        """A place for a copy, below the run's folder."""
        if self.opened is None or self.opened.refused:
            return None
        with self._lock:
            self._files += 1
            number = self._files
        folder = self.opened.spool.folder / FILES / f"{os.getpid()}-{number}"
        try:
            folder.mkdir(parents=True)
        except OSError:
            self.opened.tell(words.disk_is_full())
            return None
        return f"{FILES}/{folder.name}/{name}"


def _inside(name: str) -> str:
    """A name as a path inside the run.

    Examples
    --------
    >>> _inside("val/curve"), _inside("../../etc/x"), _inside("/")
    ('val/curve', 'etc/x', 'figure')
    """
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", "..", ".")]
    return "/".join(parts) or "figure"
