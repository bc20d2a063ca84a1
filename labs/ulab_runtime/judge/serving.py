"""The student process's end of the link: does what the judge asks."""

from __future__ import annotations

import builtins
import copy
import importlib
import inspect
import itertools
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ulab_runtime.judge.capturing import captured_text
from ulab_runtime.judge.claims import name_of
from ulab_runtime.judge.crossing import Forged
from ulab_runtime.judge.frames import Broken, pack, receive
from ulab_runtime.judge.link import data_type_names
from ulab_runtime.judge.proxy import ALWAYS, SPECIAL
from ulab_runtime.judge.seeds import seed_all
from ulab_runtime.judge.values import PLAIN, Codec

_ASKED = frozenset({*SPECIAL, *ALWAYS, "__eq__"})
_MOST_LINES = 20


class Servant:
    """Answers requests.

    Parameters
    ----------
    sock
        The link.
    namespace
        The student's names.
    is_student
        Whether a file name, as of a line in a traceback, is one of the student's cells.
    """

    def __init__(
        self, sock: socket.socket, namespace: dict[str, Any], is_student: Callable[[str], bool]
    ) -> None:
        self._sock = sock
        self._namespace = namespace
        self._is_student = is_student
        self._codec = Codec(self._outgoing, self._incoming)
        self._numbers = itertools.count(1)
        self._refs: dict[int, int] = {}
        self._objects: dict[int, list[Any]] = {}
        self._about: dict[type, list[Any]] = {}
        self._helpers: dict[str, Any] = {}

    def serve_one(self) -> None:
        """Wait for a request and answer it.

        Raises
        ------
        Ended
            The judge has gone.
        """
        request = receive(self._sock)
        answer: dict[str, Any] = {"n": request["n"]}
        with captured_text() as printed:
            self._drop(request["drop"])
            try:
                answer |= self._done(request)
            except BaseException as error:
                answer |= self._failed(error)
        if printed.text:
            answer["printed"] = printed.text
        try:
            packed = pack(answer)
        except Broken as error:
            packed = pack({"n": request["n"], **self._failed(ValueError(f"too large: {error}"))})
        self._sock.sendall(packed)

    def _done(self, request: dict[str, Any]) -> dict[str, Any]:
        given = [self._codec.decode(value) for value in request["args"]]
        named = {name: self._codec.decode(value) for name, value in request["kwargs"]}
        on = None if request["on"] is None else self._codec.decode(request["on"])
        if request["do"] != "call":
            found = _DO[request["do"]](self, on, given, request)
            return {"value": self._codec.encode(found)}
        self._refresh_helpers()
        called: Any = on
        everything = [*given, *named.values()]
        sent = [*request["args"], *(value for _, value in request["kwargs"])]
        try:
            found = called(*given, **named)
        except BaseException as error:
            return {**self._failed(error), "changed": self._changed(everything, sent)}
        answer: dict[str, Any] = {"changed": self._changed(everything, sent)}
        for place, value in enumerate(everything):
            if value is found and type(value) not in PLAIN:
                return {**answer, "same": place}
        return {**answer, "value": self._codec.encode(found)}

    def _changed(self, values: list[Any], sent: list[Any]) -> list[Any]:
        found = []
        for place, (value, before) in enumerate(zip(values, sent, strict=True)):
            if type(value) in PLAIN or (type(before) is list and before[0][:1] == "@"):
                continue
            after = self._codec.encode(value)
            if after != before:
                found.append([place, after])
        return found

    def _drop(self, dropped: list[list[int]]) -> None:
        for ref, times in dropped:
            held = self._objects.get(ref)
            if held is not None:
                held[1] -= times
                if held[1] <= 0:
                    del self._objects[ref]
                    self._refs.pop(id(held[0]), None)

    def _hold(self, value: Any) -> int:
        """A reference to an object, which stays until the judge has no use for it."""
        ref = self._refs.get(id(value))
        if ref is None:
            ref = self._refs[id(value)] = next(self._numbers)
            self._objects[ref] = [value, 0]
        self._objects[ref][1] += 1
        return ref

    def _outgoing(self, value: Any) -> list[Any]:
        if isinstance(value, type):
            if issubclass(value, BaseException) and not _of_library(value):
                return ["@error", *self._error_class(value)]
            named = data_type_names().get(value)
            if named is not None:
                return ["@name", named]
            return ["@", self._hold(value), *self._description(value, type(value), True)]
        kind = type(value)
        if kind not in self._about:
            self._about[kind] = self._description(value, kind, False)
        return ["@", self._hold(value), *self._about[kind]]

    def _description(self, value: Any, kind: type, is_class: bool) -> list[Any]:
        classes = (value if is_class else kind).__mro__
        special = [name for name in SPECIAL if _has(kind, name)]
        return [kind.__name__, [name_of(base) for base in classes[:50]], special, is_class]

    def _incoming(self, plain: list[Any]) -> Any:
        if plain[0] == "@":
            return self._objects[plain[1]][0]
        if plain[0] == "@name":
            found = importlib.import_module(plain[1])
            for part in filter(None, plain[2].split(".")):
                found = getattr(found, part)
            return found
        if plain[0] == "@made":
            kind = getattr(importlib.import_module(plain[1]), plain[2])
            return kind(**self._codec.decode(plain[3]))
        raise Forged("a reference of no known form")

    def _error_class(self, kind: type[BaseException]) -> list[Any]:
        chain = []
        for base in kind.__mro__:
            if _of_library(base):
                break
            chain.append([self._hold(base), base.__name__])
        return [chain, [name_of(base) for base in kind.__mro__ if _of_library(base)][:50]]

    def _failed(self, error: BaseException) -> dict[str, Any]:
        kind = type(error)
        try:
            message = str(error)
        except BaseException:
            message = ""
        try:
            args = self._codec.encode(tuple(error.args))
            pack({"args": args}, 100_000)
        except BaseException:
            args = None
        chain, known = self._error_class(kind)
        said = {
            "name": kind.__name__,
            "chain": chain,
            "known": known,
            "message": message[:10_000] if type(message) is str else "",
            "args": args,
            "lines": self._lines(error),
        }
        return {"error": said}

    def _lines(self, error: BaseException) -> list[str]:
        """The lines of the student's cells that an error came through."""
        try:
            frames = traceback.extract_tb(error.__traceback__)
        except BaseException:
            return []
        own = [frame for frame in frames if self._is_student(frame.filename)]
        return [f"{f.name}, line {f.lineno}: {f.line}"[:300] for f in own[-_MOST_LINES:]]

    def _refresh_helpers(self) -> None:
        # What the judge's helpers are called with are the names of the student's as they are now.
        if self._helpers:
            self._helpers["globals"].update(self._namespace)
            self._helpers["globals"].update(self._helpers["made"])

    def define(self, source: str, name: str) -> Any:
        """Run a helper's definition, where it sees the student's names and they don't see it."""
        if not self._helpers:
            self._helpers |= {"globals": {}, "made": {}}
        names = self._helpers["globals"]
        names.update(self._namespace)
        names.update(self._helpers["made"])
        exec(compile(source, "<helper>", "exec"), names)
        self._helpers["made"][name] = names[name]
        return names[name]

    def name(self, name: str) -> Any:
        if name in self._namespace:
            return self._namespace[name]
        if hasattr(builtins, name):
            return getattr(builtins, name)
        raise NameError(f"name {name!r} is not defined")


def _has(kind: type, name: str) -> bool:
    """Whether a type's objects have a special method; a class has its metaclass's too."""
    found = (vars(base)[name] for base in kind.__mro__ if name in vars(base))
    return next(found, None) is not None


def _of_library(kind: type) -> bool:
    """Whether others than the student wrote it."""
    return kind.__module__ != "__main__" and kind.__module__ in sys.modules


def _special(servant: Servant, on: Any, given: list[Any], request: dict[str, Any]) -> Any:
    name = request["name"]
    if name not in _ASKED:
        raise TypeError(name)
    if name == "__exit__":
        given = _exit_arguments(given[0])
    found = getattr(type(on), name)(on, *given)
    return list(found) if name == "__dir__" else found


def _exit_arguments(said: Any) -> list[Any]:
    if said is None:
        return [None, None, None]
    kind = getattr(builtins, said[0], Exception)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = Exception
    return [kind, kind(said[1]), None]


def _take(servant: Servant, on: Any, given: list[Any], request: dict[str, Any]) -> Any:
    found = list(itertools.islice(on, request["count"]))
    return found, len(found) == request["count"]


def _signature(servant: Servant, on: Any, given: list[Any], request: dict[str, Any]) -> Any:
    return [
        (p.name, int(p.kind), () if p.default is p.empty else (p.default,))
        for p in inspect.signature(on).parameters.values()
    ]


def _seed(servant: Servant, on: Any, given: list[Any], request: dict[str, Any]) -> None:
    seed_all(request["seed"])


def _set(servant: Servant, on: Any, given: list[Any], request: dict[str, Any]) -> None:
    setattr(on, request["name"], given[0])


def _delete(servant: Servant, on: Any, given: list[Any], request: dict[str, Any]) -> None:
    delattr(on, request["name"])


_DO: dict[str, Callable[[Servant, Any, list[Any], dict[str, Any]], Any]] = {
    "special": _special,
    "get": lambda s, on, given, request: getattr(on, request["name"]),
    "set": _set,
    "delete": _delete,
    "iterate": lambda s, on, given, request: iter(on),
    "take": _take,
    "name": lambda s, on, given, request: s.name(request["name"]),
    "define": lambda s, on, given, request: s.define(request["source"], request["name"]),
    "isinstance": lambda s, on, given, request: isinstance(given[0], given[1]),
    "issubclass": lambda s, on, given, request: issubclass(given[0], given[1]),
    "copy": lambda s, on, given, request: copy.copy(on),
    "deepcopy": lambda s, on, given, request: copy.deepcopy(on),
    "signature": _signature,
    "seed": _seed,
}
