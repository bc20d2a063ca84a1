"""One lab's bench: loads its tests once, and forks a judge for each submission."""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import types
from pathlib import Path
from typing import Any

from ulab_core.i18n import mark, translations
from ulab_core.process import die_with_parent
from ulab_runtime.forkserver.mend import close_all_but
from ulab_runtime.judge.at_student import at_student, note_source
from ulab_runtime.judge.emptiness import refuse_empty_answers
from ulab_runtime.judge.frames import (
    CONTROL_LIMIT,
    Broken,
    Ended,
    receive_with_descriptors,
    send,
)
from ulab_runtime.judge.judge import Test, judge
from ulab_runtime.judge.seeds import seed_all

SEED = 0
BROKEN = mark("The test “{question}” can't be prepared: {error}")


class Bench:
    """The tests of one version of a lab, in one language.

    Parameters
    ----------
    control
        Where the controller asks.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._tests: dict[str, Test] = {}
        self._names: dict[str, Any] = {}
        self._judges: dict[int, int] = {}

    def serve(self) -> None:
        """Do what the controller asks until it closes."""
        woken, wakes = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._control:
                        try:
                            self._hear()
                        except (Ended, Broken):
                            return
                    else:
                        with contextlib.suppress(BlockingIOError):
                            os.read(woken, 4096)
                self._reap()

    def _hear(self) -> None:
        asked, descriptors = receive_with_descriptors(self._control, 2)
        if "load" in asked:
            send(self._control, self._load(asked["load"]), CONTROL_LIMIT)
        elif "sit" in asked:
            self._sit(asked["sit"], descriptors)
        elif "rise" in asked and (pid := self._judges.get(asked["rise"])):
            os.kill(pid, signal.SIGKILL)

    def _load(self, lab: dict[str, Any]) -> dict[str, Any]:
        os.environ["ULAB_LANGUAGE"] = lab["language"]
        prepare_modules()
        refuse_empty_answers(
            source for step in lab["steps"] for source in (*step["given"], step["source"])
        )
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        self._names = main.__dict__
        self._tests = {}
        seed_all(SEED)
        for step in lab["steps"]:
            try:
                self._prepare(step)
            except BaseException as error:
                said = translations(lab["language"]).gettext(BROKEN)
                what = f"{type(error).__name__}: {error}"[:1000]
                return {"broken": said.format(question=step["id"], error=what)}
        gc.collect()
        # A judge's collector would otherwise write to, and so copy, all that it shares with others.
        gc.freeze()
        return {"ready": True}

    def _prepare(self, step: dict[str, Any]) -> None:
        for place, source in enumerate(step["given"]):
            file = f"<given {step['id']} {place}>"
            note_source(file, source)
            exec(compile(source, file, "exec"), self._names)
        self._tests[step["id"]] = compiled(step)

    def _sit(self, number: int, descriptors: list[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._judges[number] = pid
            for descriptor in descriptors:
                os.close(descriptor)
            return
        try:
            become_judge(parent, descriptors)
            control, link = (socket.socket(fileno=number) for number in descriptors)
            judge(control, link, self._tests, self._names)
        finally:
            # Not through what follows in the bench, nor through its exit handlers.
            os._exit(0)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._judges = {n: pid for n, pid in self._judges.items() if pid != ended}


def become_judge(parent: int, descriptors: list[int]) -> None:
    """In a forked judge: keep nothing of the bench's, and end with it."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    close_all_but({0, 1, 2, *descriptors})


def prepare_modules() -> None:
    """Have `ulab.at_student` send helpers, and no library start threads: a fork would lose them."""
    importlib.import_module("ulab").at_student = at_student  # type: ignore[attr-defined]
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def compiled(step: dict[str, Any]) -> Test:
    """A test cell, ready to run.

    Raises
    ------
    SyntaxError
        It isn't Python, IPython's additions included.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    file = f"<test {step['id']}>"
    source = TransformerManager().transform_cell(step["source"])
    note_source(file, source)
    tree = ast.parse(source, file)
    last = None
    ended = step["source"].rstrip().endswith(";")
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not ended:
        expression = tree.body.pop()
        assert isinstance(expression, ast.Expr)
        last = _compile(ast.Expression(expression.value), file, "eval")
    asks, defines = tuple(step["asks"]), frozenset(step["defines"])
    return Test(_compile(tree, file, "exec"), last, asks, file, defines)


def _compile(tree: ast.Module | ast.Expression, file: str, mode: str) -> types.CodeType:
    code: types.CodeType = compile(tree, file, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


def main() -> None:
    """Serve until the controller closes its descriptor."""
    if sys.path[:1] == [str(Path.cwd())] or sys.path[:1] == [""]:
        del sys.path[0]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if ahead := sys.modules.get("ulab_runtime.judge.ahead"):
        ahead.forget()
    Bench(socket.socket(fileno=int(sys.argv[1]))).serve()
    os._exit(0)


if __name__ == "__main__":
    main()
