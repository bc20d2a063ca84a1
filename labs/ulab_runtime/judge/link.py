"""The judge's end of the link: asks the student process, one question at a time."""

from __future__ import annotations

import importlib
import socket
import sys
import types
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ulab_core.i18n import mark
from ulab_runtime.judge.crossing import CannotCross, Forged, NotPlain
from ulab_runtime.judge.errors import StudentErrors
from ulab_runtime.judge.frames import LINK_LIMIT, Broken, Ended, TooLong, pack, receive
from ulab_runtime.judge.proxy import SPECIAL, About, Proxy, proxy_class
from ulab_runtime.judge.updating import update
from ulab_runtime.judge.values import Codec

_LARGEST_REF = 2**53
_NEVER_BY_NAME = frozenset({"__main__", "ulab_runtime", "ulab_core", "ulab_curricula"})


class StudentGone(Exception):
    """The student process has closed the link."""


class Link:
    """What proxies ask through.

    Parameters
    ----------
    sock
        A connection to a student process.

    Attributes
    ----------
    fault
        What went wrong between the two and isn't the student's code's error, even if the test
        caught it: a `CannotCross`, a `NotPlain`, a `Forged` or a `StudentGone`.
    defines
        Operators and methods that the solution's own classes have, so that those of an object
        of the student's are asked for.
    taken
        How many values this test has taken from iterators, one by one.
    lines
        Of the student's own code, the ones that the latest error came through.
    compared
        The type of the latest object of the student's that was compared with a value.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.errors = StudentErrors()
        self.fault: Exception | None = None
        self.defines: frozenset[str] = frozenset()
        self.taken = 0
        self.lines: list[str] = []
        self.compared = ""
        self.codec = Codec(self._outgoing, self._incoming)
        self._sock = sock
        self._number = 0
        self._useless = False
        self._proxies: weakref.WeakValueDictionary[int, Proxy] = weakref.WeakValueDictionary()
        self._received: dict[int, int] = {}
        self._forgotten: list[list[int]] = []

    def begin(self, seed: int, defines: frozenset[str] = frozenset()) -> None:
        """Begin a test: what went wrong in an earlier one is no fault of this one."""
        self.lines, self.compared = [], ""
        self.defines = defines
        self.taken = 0
        if not self._useless:
            self.fault = None
            self.ask("seed", seed=seed)

    def ask(self, do: str, *, on: Any = None, values: Sequence[Any] = (), **more: Any) -> Any:
        """Have the student process do something, and give what came of it.

        Parameters
        ----------
        do
            What; `serving` has the list.
        on
            The proxy that it is done to.
        values
            What crosses as data or references.

        Raises
        ------
        Exception
            Whatever the student's code raised.
        CannotCross, Forged, StudentGone
            These stay in `fault` too.
        """
        return self._ask(do, on, list(values), {}, more)

    def call(self, on: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call something of the student's; what it changed of its arguments is changed here too."""
        return self._ask("call", on, list(args), dict(kwargs), {})

    def refuse(self, fault: NotPlain) -> NoReturn:
        """End the test with a reason for the student, even if the test catches it.

        Raises
        ------
        NotPlain
            Always.
        """
        self.fault = self.fault or fault
        raise fault

    def forget(self, ref: int) -> None:
        """There is no proxy of this any more."""
        self._forgotten.append([ref, self._received.pop(ref, 0)])

    def _ask(
        self, do: str, on: Any, args: list[Any], kwargs: dict[str, Any], more: dict[str, Any]
    ) -> Any:
        if self._useless and self.fault is not None:
            raise self.fault
        try:
            answer = self._exchange(do, on, args, kwargs, more)
            return self._read(answer, [*args, *kwargs.values()])
        except (CannotCross, Forged, StudentGone) as fault:
            self.fault = self.fault or fault
            raise

    def _exchange(
        self, do: str, on: Any, args: list[Any], kwargs: dict[str, Any], more: dict[str, Any]
    ) -> dict[str, Any]:
        # What is encoded may ask for something first: a helper, to be defined.
        request = {
            "do": do,
            "on": None if on is None else self.codec.encode(on),
            "args": [self.codec.encode(value) for value in args],
            "kwargs": [[name, self.codec.encode(value)] for name, value in kwargs.items()],
            "drop": self._forgotten,
            **more,
        }
        self._forgotten = []
        self._number += 1
        request["n"] = self._number
        try:
            packed = pack(request)
        except Broken as error:
            raise CannotCross(
                mark("An argument is too large or too deeply nested ({reason})."), reason=error
            ) from None
        try:
            return self._answer(packed)
        except (Forged, StudentGone):
            self._useless = True  # what comes next answers who knows which question
            raise

    def _answer(self, packed: bytes) -> dict[str, Any]:
        try:
            self._sock.sendall(packed)
            answer = receive(self._sock, LINK_LIMIT)
        except (Ended, OSError):
            raise StudentGone("the student process has ended") from None
        except TooLong:
            raise Forged("an answer that is too long") from None
        except Broken as error:
            raise Forged(f"an answer that is none: {error}") from None
        if type(answer.get("n")) is not int or answer["n"] != self._number:
            raise Forged("an answer that nobody asked for")
        return answer

    def _read(self, answer: dict[str, Any], given: list[Any]) -> Any:
        printed = answer.get("printed", "")
        if type(printed) is not str:
            raise Forged("printed what is no text")
        if printed:
            sys.stdout.write(printed)
        self._write_back(answer.get("changed", []), given)
        if "error" in answer:
            raise self._error(answer["error"])
        if "same" in answer:
            return given[_place(answer["same"], given)]
        if "value" not in answer:
            raise Forged("an answer without a value")
        return self.codec.decode(answer["value"])

    def _write_back(self, changed: Any, given: list[Any]) -> None:
        if type(changed) is not list or len(changed) > len(given):
            raise Forged("changed what it was not given")
        for pair in changed:
            if type(pair) is not list or len(pair) != 2:
                raise Forged("changed what it was not given")
            update(given[_place(pair[0], given)], self.codec.decode(pair[1]))

    def _error(self, said: Any) -> Exception:
        if type(said) is not dict:
            raise Forged("no error")
        lines = said.get("lines")
        if type(lines) is not list or not all(type(line) is str for line in lines):
            raise Forged("no error")
        args = None if said.get("args") is None else self.codec.decode(said["args"])
        error = self.errors.read({**said, "args": args})
        self.lines = [line[:300] for line in lines[:20]]
        return error

    def _outgoing(self, value: Any) -> list[Any]:
        if issubclass(type(value), Proxy):
            return ["@", value._ulab_ref]
        ref = self.errors.ref(value)
        if ref is not None:
            return ["@", ref]
        return by_name(value)

    def _incoming(self, plain: list[Any]) -> Any:
        if plain[0] == "@error" and len(plain) == 3:
            return self.errors.learn(plain[1], plain[2])
        if plain[0] == "@name" and len(plain) == 2:
            return data_type(plain[1])
        if plain[0] != "@" or len(plain) != 6:
            raise Forged("a reference of no known form")
        _, ref, name, claimed, special, is_class = plain
        if type(ref) is not int or not 0 <= ref <= _LARGEST_REF:
            raise Forged("a reference of no known form")
        known = self._proxies.get(ref)
        if known is None:
            known = self._new_proxy(ref, name, claimed, special, is_class)
            self._proxies[ref] = known
        self._received[ref] = self._received.get(ref, 0) + 1
        return known

    def _new_proxy(self, ref: int, name: Any, claimed: Any, special: Any, is_class: Any) -> Proxy:
        for words in (claimed, special):
            if type(words) is not list or not all(type(word) is str for word in words):
                raise Forged("an object of no known form")
        if type(name) is not str or not SPECIAL.issuperset(special) or len(claimed) > 100:
            raise Forged("an object of no known form")
        kind = proxy_class(name, tuple(dict.fromkeys(special)))
        return kind(self, ref, About(claimed, is_class is True))


def _place(place: Any, given: list[Any]) -> int:
    if type(place) is not int or not 0 <= place < len(given):
        raise Forged("an argument that was not given")
    return place


def by_name(value: Any) -> list[Any]:
    """A function, class or module of a library, as its name.

    Raises
    ------
    CannotCross
        It is something else, or can't be found under its name.
    """
    module: Any
    path: Any
    if isinstance(value, types.ModuleType):
        module, path = value.__name__, ""
    else:
        module, path = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if module is None and type(value).__name__ == "ufunc":
            module, path = "numpy", value.__name__
    if (
        isinstance(module, str)
        and isinstance(path, str)
        and module.partition(".")[0] not in _NEVER_BY_NAME
    ):
        found: Any = sys.modules.get(module)
        for part in filter(None, path.split(".")):
            found = getattr(found, part, None)
        if found is value:
            return ["@name", module, path]
    if isinstance(value, types.FunctionType):
        message = mark("The test's own function {name} can't be given to the student's code.")
        raise CannotCross(message, name=value.__name__)
    if isinstance(value, type):
        message = mark("The test's own class {name} can't be given to the student's code.")
        raise CannotCross(message, name=value.__name__)
    message = mark("An object of the type {name} can't be given to the student's code.")
    raise CannotCross(message, name=type(value).__name__)


_DATA_TYPES = {
    "builtins": (
        "bool int float complex str bytes bytearray list tuple dict set frozenset range slice "
        "object"
    ),
    "numpy": (
        "ndarray bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 "
        "complex64 complex128 str_ bytes_ datetime64 timedelta64 generic number integer floating"
    ),
    "torch": "Tensor Size",
    "pandas": "DataFrame Series Index Timestamp Timedelta",
}


def data_type(name: Any) -> Any:
    """A type of data that the student's code names: one whose use in the judge does no harm.

    Raises
    ------
    Forged
        It isn't one of those.
    """
    library, _, kind = name.partition(":") if type(name) is str else ("", "", "")
    if kind not in _DATA_TYPES.get(library, "").split():
        raise Forged("a type of no known name")
    return getattr(importlib.import_module(library), kind)


def data_type_names() -> dict[Any, str]:
    """The types of data that may be named, of the libraries that are loaded."""
    found = {}
    for library, kinds in _DATA_TYPES.items():
        module = sys.modules.get(library)
        for kind in kinds.split() if module is not None else ():
            found[getattr(module, kind)] = f"{library}:{kind}"
    return found
