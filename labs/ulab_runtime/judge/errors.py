"""Errors of the student's code as errors in the judge: classes that tests can catch by name."""

from __future__ import annotations

import builtins
from typing import Any

from ulab_runtime.judge.claims import known_error
from ulab_runtime.judge.crossing import Forged

_MOST_CLASSES = 20
MESSAGE_LENGTH = 4000


class StudentErrors:
    """The student's own error classes that the judge has met, each made once."""

    def __init__(self) -> None:
        self._made: dict[int, type[Exception]] = {}
        self._named: dict[tuple[str, type[Exception]], type[Exception]] = {}
        self._refs: dict[type, int] = {}

    def ref(self, kind: object) -> int | None:
        """The student process's reference to a class that came from it."""
        return self._refs.get(kind) if isinstance(kind, type) else None

    def learn(self, chain: Any, known: Any) -> type[Exception]:
        """The class in the judge for one of the student's.

        Parameters
        ----------
        chain
            Of the class and those above it that are the student's own: reference and name.
        known
            The names of those above it that others wrote.

        Raises
        ------
        Forged
            That isn't what was said.
        """
        _check(chain, known)
        made = known_error(known)
        for ref, name in reversed(chain):
            if ref not in self._made:
                self._made[ref] = _new_class(name, made)
                self._refs[self._made[ref]] = ref
            made = self._made[ref]
        return made

    def read(self, said: Any) -> Exception:
        """The error that a call of the student's raised; see `learn`."""
        try:
            name, chain, known, message, args = (
                said[key] for key in ("name", "chain", "known", "message", "args")
            )
        except (TypeError, KeyError):
            raise Forged("no error") from None
        if type(name) is not str or type(message) is not str:
            raise Forged("no error")
        kind = self.learn(chain, known)
        if not chain and (kind.__name__ != name or kind.__module__ != "builtins"):
            kind = self._named.setdefault((name, kind), _new_class(name, kind))
        return _new_error(kind, args, message[:MESSAGE_LENGTH])


def _check(chain: Any, known: Any) -> None:
    if type(chain) is not list or type(known) is not list or len(chain) > _MOST_CLASSES:
        raise Forged("no classes of errors")
    if not all(type(name) is str for name in known):
        raise Forged("no classes of errors")
    for pair in chain:
        if type(pair) is not list or [type(part) for part in pair] != [int, str]:
            raise Forged("no classes of errors")


def _new_class(name: str, base: type[Exception]) -> type[Exception]:
    def text(self: Any) -> str:
        said = vars(self).get("_ulab_message")
        return said if said is not None else Exception.__str__(self)

    plain = name.replace("\0", "")[:100].encode("utf-8", "replace").decode()
    # Not through the base's metaclass or constructor, which may be a library's code.
    return type(plain, (base,), {"__str__": text, "__module__": "__main__"})


def _new_error(kind: type[Exception], args: Any, message: str) -> Exception:
    given = args if type(args) is tuple else (message,)
    if vars(builtins).get(kind.__name__) is kind:
        try:
            made = kind(*given)
            if str(made) == message:
                return made
        except Exception:
            pass  # its arguments are not what this class wants
        return kind.__new__(kind, message) if _keeps_message(kind) else Exception(message)
    error = kind.__new__(kind)
    error.args = given
    error._ulab_message = message  # type: ignore[attr-defined]
    return error


def _keeps_message(kind: type[Exception]) -> bool:
    return not issubclass(kind, UnicodeError)
