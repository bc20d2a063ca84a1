"""`ulab.track`: a block, or a function, that is logged as one run."""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, overload

from ulab import loaded
from ulab.errors import ULabError
from ulab.language import say
from ulab.machine import grading
from ulab.tracking import current, errand, provenance, values, words
from ulab.tracking.inputs import dataset_input
from ulab.tracking.opened import Opened
from ulab.tracking.place import Aim, Chosen, aim
from ulab.tracking.plain import active_run_id
from ulab.tracking.run import Run
from ulab.tracking.system import switched_on
from ulab_mlflow.marker import Marker, find_marker

Function = TypeVar("Function", bound=Callable[..., Any])
# A function's parameter of this name is given the run.
RUN_PARAMETER = "run"


@overload
def track(name: Function) -> Function: ...
@overload
def track(
    name: str | None = None,
    *,
    workspace: str | None = None,
    experiment: str | None = None,
    **params: Any,
) -> Block: ...
def track(
    name: Any = None,
    *,
    workspace: str | None = None,
    experiment: str | None = None,
    **params: Any,
) -> Any:
    """Log a block or a function as a run, in the experiment of the lab that is open.

    Parameters
    ----------
    name
        What the run is called in the list of runs; MLflow makes one up, and a function gives its
        own.
    workspace
        A team or another course to log to, instead of the course of this lab.
    experiment
        Which experiment there. In a team it is made when there is none, and is otherwise called as
        the notebook is; in a course it is an assignment.
    **params
        What was chosen before training: the learning rate, the width of a layer. A function's
        arguments are added when they are numbers, strings or None.

    Returns
    -------
    Block
        To be used with ``with``, which gives the `Run`, or as a decorator. A function with a
        parameter ``run`` is given the run.

    Notes
    -----
    What is logged is written to a file in the home and sent by another process, so a server that is
    slow or away costs training nothing, and what it has not taken is sent later. While a submission
    is graded, and where there is no tracking server, it does nothing.

    Examples
    --------
    >>> with track("small CNN", lr=0.1, epochs=5) as run:  # doctest: +SKIP
    ...     for epoch in range(5):
    ...         run.log(loss=train_one_epoch())

    >>> @track  # doctest: +SKIP
    ... def train(run, lr=0.1):
    ...     run.log(loss=train_one_epoch(lr))
    """
    if callable(name):
        return Block(None, workspace, experiment, {})(name)
    return Block(None if name is None else str(name), workspace, experiment, params)


class Block:
    """What `track` gives: a context manager and a decorator; it may be used again and again."""

    def __init__(
        self,
        name: str | None,
        workspace: str | None,
        experiment: str | None,
        params: dict[str, Any],
    ) -> None:
        self._name = name
        self._workspace = workspace
        self._experiment = experiment
        self._params = params
        self._runs: list[Run] = []

    def __enter__(self) -> Run:
        run = Run(None if grading() else self._open())
        current.entered(run)
        self._runs.append(run)
        try:
            run.begin()
        except BaseException as error:
            # An interrupt while it waits: the block is never entered, so nothing would end the run.
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return run

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        run = self._runs.pop()
        current.left(run)
        try:
            run.end(status(kind))
        except Exception as mistake:
            # One of ours must not cost a student what was trained for hours.
            words.tell(words.not_recorded(f"{type(mistake).__name__}: {mistake}."))

    def __call__(self, function: Function) -> Function:
        """Make each call of a function a run."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise ULabError(
                say(
                    zh="ulab.track 不能用在含 yield 的函数上，请在函数里面写 with ulab.track()。",
                    en="ulab.track can't log a function that yields; write `with ulab.track()` "
                    "inside it.",
                )
            )
        signature = inspect.signature(function)

        def block_for(given: tuple[Any, ...], named: dict[str, Any]) -> Block:
            params = arguments(signature, given, named) | self._params
            name = self._name or function.__name__
            return Block(name, self._workspace, self._experiment, params)

        def also(run: Run, given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
            wanted = RUN_PARAMETER in signature.parameters
            taken = wanted and RUN_PARAMETER in signature.bind_partial(*given, **named).arguments
            return {**named, RUN_PARAMETER: run} if wanted and not taken else named

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def tracked_task(*given: Any, **named: Any) -> Any:
                with block_for(given, named) as run:
                    return await function(*given, **also(run, given, named))

            return tracked_task  # type: ignore[return-value]

        @functools.wraps(function)
        def tracked(*given: Any, **named: Any) -> Any:
            with block_for(given, named) as run:
                return function(*given, **also(run, given, named))

        return tracked  # type: ignore[return-value]

    def _open(self) -> Opened | None:
        base = errand.base()
        if base is None:
            words.tell_of_no_server()
            return None
        try:
            about = describe(self._name, self._workspace, self._experiment)
            opened = Opened(base, about)
        except OSError:
            words.tell(words.not_recorded(words.disk_is_full()))
            return None
        if self._params:
            noted = values.params(self._params)
            opened.params = set(noted)
            opened.writer.note(["p", noted])
        for name, card in loaded.cards.items():
            if (used := dataset_input(name, card)) is not None:
                opened.writer.note(["d", used])
        return opened


def status(kind: type[BaseException] | None) -> str:
    """MLflow's word for how a block ended.

    Examples
    --------
    >>> status(None), status(ValueError), status(KeyboardInterrupt)
    ('FINISHED', 'FAILED', 'KILLED')
    """
    if kind is None:
        return "FINISHED"
    return "KILLED" if issubclass(kind, KeyboardInterrupt) else "FAILED"


def arguments(
    signature: inspect.Signature, given: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any]:
    """A call's arguments, defaults too, as far as they say how the function was called."""
    bound = signature.bind_partial(*given, **named)
    bound.apply_defaults()
    found: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            found |= value
        elif name != RUN_PARAMETER:
            found[name] = value
    return {name: value for name, value in found.items() if values.simple(value)}


def describe(name: str | None, workspace: str | None, experiment: str | None) -> dict[str, Any]:
    """What is noted of a run at its beginning."""
    marker = _marker()
    outer = current.run()
    above = outer.opened if outer is not None else None
    if above is not None and workspace is None and experiment is None:
        where = Aim(**above.about["aim"])
    else:
        notebook = provenance.notebook()
        default = notebook.stem if notebook else (_folder().name or "notebook")
        where = aim(workspace, experiment, marker.place if marker else None, _chosen(), default)
    parent = None
    if above is not None:
        if Aim(**above.about["aim"]).workspace == where.workspace:
            parent = {"key": above.spool.key, "run_id": above.run_id}
    elif workspace is None and (active := active_run_id()):
        parent = {"run_id": active}
    return {
        "name": name,
        "start": int(time.time() * 1000),
        "aim": where._asdict(),
        "tags": values.tags(provenance.tags(where, marker, name)),
        "parent": parent,
        "watch": switched_on(),
        **_process(),
    }


def _marker() -> Marker | None:
    # Where the notebook lies, whatever folder it has changed to.
    notebook = provenance.notebook()
    return (find_marker(notebook.parent) if notebook else None) or find_marker(_folder())


def _folder() -> Path:
    try:
        return Path.cwd()
    except OSError:
        # It was removed.
        return Path.home()


def _chosen() -> Chosen:
    """What MLflow was told; its `set_workspace` and `set_experiment` write these variables too."""
    names = ("MLFLOW_WORKSPACE", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID")
    return Chosen(*(os.environ.get(name, "").strip() or None for name in names))


def _process() -> dict[str, Any]:
    import psutil

    return {"process": os.getpid(), "created": psutil.Process().create_time()}


def _note_dataset(name: str, card: dict[str, Any]) -> None:
    run = current.run()
    if run is not None:
        run.used(dataset_input(name, card))


loaded.listeners.append(_note_dataset)
