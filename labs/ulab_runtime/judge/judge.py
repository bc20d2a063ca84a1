"""One submission's judge: runs tests with stand-ins for the student's names."""

from __future__ import annotations

import asyncio
import inspect
import math
import numbers
import os
import socket
import time
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ulab_core.i18n import mark, translations
from ulab_runtime.judge.at_student import at_link
from ulab_runtime.judge.capturing import captured_text
from ulab_runtime.judge.crossing import CannotCross, Forged, NotPlain
from ulab_runtime.judge.frames import CONTROL_LIMIT, Ended, receive, send
from ulab_runtime.judge.link import Link, StudentGone
from ulab_runtime.judge.proxy import Proxy
from ulab_runtime.judge.seeds import seed_all
from ulab_runtime.judge.verdicts import Kind

REASON_LENGTH = 2000
HOW_TO_CROSS = mark(
    "{fault} Put what needs it into a helper marked @ulab.at_student: that runs beside the "
    "student's code."
)
COMPARED = mark(
    "It compared an object of the student's, of the type {name}, with a value. Such an object "
    "stays with the student and equals no value: compare what its attributes or methods give."
)
NOT_FINITE = mark("The test gave no finite number.")


@dataclass(frozen=True)
class Test:
    """A test cell, compiled.

    Parameters
    ----------
    body
        All of it, but for a last expression.
    last
        The last expression, or None.
    asks
        The names that come from the student.
    file
        What its lines are said to be of.
    defines
        Operators and methods that the solution's own classes have.
    """

    body: types.CodeType
    last: types.CodeType | None
    asks: tuple[str, ...]
    file: str
    defines: frozenset[str] = frozenset()


def judge(control: socket.socket, link: socket.socket, tests: dict[str, Test], names: Any) -> None:
    """Answer the controller's questions until it closes."""
    asking = Link(link)
    with at_link(asking):
        while True:
            try:
                asked = receive(control, CONTROL_LIMIT)
                send(control, verdict(asking, tests[asked["test"]], names, asked["seed"]))
            except Ended:
                return


def verdict(link: Link, test: Test, names: dict[str, Any], seed: int) -> dict[str, Any]:
    """Run a test and say what came of it."""
    begun = time.monotonic()
    value, error = None, None
    try:
        link.begin(seed, test.defines)
        seed_all(seed)
        with captured_text():
            _fetch(link, test, names)
            value = _run(test, names)
    except BaseException as raised:
        error = raised
    gettext = translations(os.environ.get("ULAB_LANGUAGE", "en")).gettext
    said = decided(link.fault, error, value, gettext)
    return {
        "verdict": "failed",
        "value": None,
        "reason": "",
        **said,
        "hint": _clean(gettext(COMPARED).format(name=link.compared)) if link.compared else "",
        "test_lines": _lines(link.fault or error, test.file),
        "student_traceback": [] if error is None else [_clean(line) for line in link.lines],
        "seconds": time.monotonic() - begun,
    }


def decided(
    fault: Exception | None,
    error: BaseException | None,
    value: Any,
    gettext: Callable[[str], str] = str,
) -> dict[str, Any]:
    """The kind of a verdict, its points and its reason.

    Parameters
    ----------
    fault
        What went wrong on the link, even if the test caught it.
    error
        What ended the test.
    value
        The value of its last expression.
    gettext
        Puts a sentence into the notebook's language.
    """
    if isinstance(fault, CannotCross):
        reason = gettext(HOW_TO_CROSS).format(fault=fault.sentence(gettext))
        return {"verdict": Kind.UNDECIDED.value, "reason": _clean(reason)}
    if isinstance(fault, NotPlain):
        return {"verdict": Kind.FAILED.value, "reason": _clean(fault.sentence(gettext))}
    if isinstance(fault, StudentGone):
        return {"verdict": Kind.DIED.value, "reason": str(fault)}
    if isinstance(fault, Forged):
        return {"verdict": Kind.FAILED.value, "reason": _clean(f"Forged: {fault}")}
    if error is not None:
        return {"verdict": Kind.FAILED.value, "reason": _reason(error)}
    points = _points(value)
    if points is None:
        return {"verdict": Kind.PASSED.value}
    if not math.isfinite(points):
        return {"verdict": Kind.UNDECIDED.value, "reason": gettext(NOT_FINITE)}
    return {"verdict": Kind.PARTIAL.value, "value": points}


def _fetch(link: Link, test: Test, names: dict[str, Any]) -> None:
    for name in test.asks:
        try:
            names[name] = link.ask("name", name=name)
        except NameError:
            names.pop(name, None)  # the test says so itself, where it uses the name


def _run(test: Test, names: dict[str, Any]) -> Any:
    for code in (test.body, test.last):
        value = None if code is None else eval(code, names)
        if inspect.iscoroutine(value) and code is not None and code.co_flags & inspect.CO_COROUTINE:
            value = asyncio.run(value)
    return value


def _points(value: Any) -> float | None:
    """The number that a test ends with; True and False are none."""
    if issubclass(type(value), Proxy) or type(value).__name__ in ("bool", "bool_"):
        return None
    if not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        return math.nan


def _reason(error: BaseException) -> str:
    try:
        said = str(error)
    except BaseException:
        said = ""
    return _clean(f"{type(error).__name__}: {said}" if said else type(error).__name__)


def _clean(text: str) -> str:
    return text[:REASON_LENGTH].encode("utf-8", "replace").decode()


def _lines(error: BaseException | None, file: str) -> list[int]:
    """Where in the test it went wrong: its lines' numbers, and nothing of what they say."""
    if error is None:
        return []
    return [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == file
    ]
