"""Lets plain `mlflow` calls inside a block log to its run."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

FLUENT = "mlflow.tracking.fluent"


class Adopted:
    """MLflow's active run while a block is open.

    MLflow has no way to make a run the active one without asking the server for it, which could
    take minutes when it is away. So its own stack is filled here; whatever goes wrong with that
    costs plain `mlflow` calls their run, and nothing else.
    """

    def __init__(
        self, run_id: str, experiment_id: str, name: str, start: int, workspace: str | None
    ) -> None:
        self._about = (run_id, experiment_id, name, start)
        self._workspace = workspace
        self._active: Any = None
        self._context: Any = None
        self._hook: _WhenImported | None = None
        if FLUENT in sys.modules:
            self._enter()
        else:
            self._hook = _WhenImported(FLUENT, self._enter)
            sys.meta_path.insert(0, self._hook)

    def _enter(self) -> None:
        with contextlib.suppress(Exception):
            from mlflow.entities import Run, RunData, RunInfo
            from mlflow.tracking import fluent

            run_id, experiment_id, name, start = self._about
            info = RunInfo(
                run_id, experiment_id, "", "RUNNING", start, None, "active", run_name=name
            )
            self._active = fluent.ActiveRun(Run(info, RunData()))
            fluent._active_run_stack.get().append(self._active)
            if self._workspace:
                # MLflow's own way of saying it: for this thread, those it starts, and processes.
                from mlflow.utils.workspace_context import WorkspaceContext

                context = WorkspaceContext(self._workspace)
                context.__enter__()
                self._context = context

    def leave(self) -> None:
        """Take the run off the stack, and whatever was begun in it and not ended."""
        if self._hook is not None and self._hook in sys.meta_path:
            sys.meta_path.remove(self._hook)
        if self._active is None:
            return
        if self._context is not None:
            with contextlib.suppress(Exception):
                self._context.__exit__(None, None, None)
        with contextlib.suppress(Exception):
            from mlflow.tracking import fluent

            stack = fluent._active_run_stack.get()
            if self._active in stack:
                del stack[stack.index(self._active) :]
            fluent._last_active_run_id.set(self._about[0])


def active_run_id() -> str | None:
    """The run that plain MLflow calls log to just now."""
    fluent = sys.modules.get(FLUENT)
    with contextlib.suppress(Exception):
        active = fluent.active_run() if fluent is not None else None
        return str(active.info.run_id) if active is not None else None
    return None


class _WhenImported(importlib.abc.MetaPathFinder):
    """Calls back once a module was imported."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            whole = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                whole(module)
                self._then()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
