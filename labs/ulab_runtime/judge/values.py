"""Plain data as what msgpack can carry, and back: exact types, and no code in either direction.

None, bool, int, float, str and bytes are themselves. All else is a list that begins with a tag.
What is no data goes through two hooks, of which each side has its own.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

from ulab_core.i18n import mark
from ulab_runtime.judge.crossing import DEPTH_LIMIT, CannotCross, Forged
from ulab_runtime.judge.python_types import (
    DECODERS,
    ENCODERS,
    encode_integer,
    encode_named,
    is_named_tuple,
)

__all__ = ["DECODERS", "ENCODERS", "PLAIN", "Codec", "is_data", "product"]
PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
# Which of our modules knows the types of which library; loaded when the library has been.
_LIBRARIES = {"numpy": "arrays", "torch": "tensors", "pandas": "tables"}

Encoder = Callable[["Codec", Any, int], list[Any]]
Decoder = Callable[["Codec", list[Any], int], Any]


class Codec:
    """Turns values into what msgpack carries, and back.

    Parameters
    ----------
    outgoing
        Given a value that is no data: the tagged list that stands for it, its tag beginning with
        ``@``. It may raise `CannotCross`.
    incoming
        Given such a list: what it stands for. It may raise `Forged`.
    """

    def __init__(
        self, outgoing: Callable[[Any], list[Any]], incoming: Callable[[list[Any]], Any]
    ) -> None:
        self.outgoing = outgoing
        self.incoming = incoming

    def encode(self, value: Any, depth: int = 0) -> Any:
        """
        Raises
        ------
        CannotCross
            It is nested too deeply, or no data and `outgoing` refuses it.
        """
        kind = type(value)
        if kind in PLAIN:
            if kind is int and not _SMALLEST <= value <= _LARGEST:
                return encode_integer(value)
            return value
        if depth > DEPTH_LIMIT:
            raise CannotCross(mark("A value is nested more than {most} deep."), most=DEPTH_LIMIT)
        encode = _encoder(kind)
        return self.outgoing(value) if encode is None else encode(self, value, depth + 1)

    def encode_all(self, values: Iterable[Any], depth: int) -> list[Any]:
        found = list(values)
        kinds = set(map(type, found))
        if kinds <= PLAIN and not (int in kinds and _has_large(found, kinds)):
            return found
        return [self.encode(value, depth) for value in found]

    def decode(self, plain: Any, depth: int = 0) -> Any:
        """
        Raises
        ------
        Forged
            No encoder made this.
        """
        if type(plain) in PLAIN:
            return plain
        if type(plain) is not list or not plain or type(plain[0]) is not str or depth > DEPTH_LIMIT:
            raise Forged("a value of no known form")
        tag = plain[0]
        if tag[:1] == "@":
            return self.incoming(plain)
        decode = _decoder(tag)
        try:
            return decode(self, plain[1:], depth + 1)
        except Forged:
            raise
        except Exception as error:  # whatever a library has to say of parts that don't fit
            raise Forged(f"a malformed {tag}: {type(error).__name__}") from None

    def decode_all(self, plain: Any, depth: int) -> list[Any]:
        """A fresh list of the values in an untagged list."""
        if type(plain) is not list:
            raise Forged("no list")
        if set(map(type, plain)) <= PLAIN:
            return list(plain)
        return [self.decode(value, depth) for value in plain]


def _has_large(values: list[Any], kinds: set[type]) -> bool:
    if len(kinds) == 1:
        return bool(min(values) < _SMALLEST or max(values) > _LARGEST)
    return any(type(value) is int and not _SMALLEST <= value <= _LARGEST for value in values)


def is_data(value: Any) -> bool:
    """Whether a value of this type crosses as data, whatever it holds."""
    return type(value) in PLAIN or _encoder(type(value)) is not None


def _encoder(kind: type) -> Encoder | None:
    found = ENCODERS.get(kind)
    if found is None and _load_library(getattr(kind, "__module__", None)):
        found = ENCODERS.get(kind)
    if found is None and issubclass(kind, tuple) and is_named_tuple(kind):
        return encode_named
    return found


def _decoder(tag: str) -> Decoder:
    found = DECODERS.get(tag)
    if found is None:
        library = tag.partition(".")[0]
        if library in _LIBRARIES and library not in sys.modules:
            __import__(library)
        if _load_library(tag):
            found = DECODERS.get(tag)
    if found is None:
        raise Forged("a value of an unknown kind")
    return found


def _load_library(name: Any) -> bool:
    """Learn a library's types, unless they are known or it isn't loaded; whether there are new."""
    library = name.partition(".")[0] if isinstance(name, str) else ""
    if library not in _LIBRARIES or library not in sys.modules:
        return False
    module = f"{__package__}.{_LIBRARIES[library]}"
    if getattr(sys.modules.get(module), "READY", False):
        return False
    __import__(module)
    return True


def product(shape: Any) -> int:
    """The number of elements of a shape that the other side claims.

    Raises
    ------
    ValueError
        It is no list of whole numbers, or there are too many of them.
    """
    if type(shape) is not list or len(shape) > 32:
        raise ValueError("no shape")
    if not all(type(size) is int and 0 <= size <= _LARGEST for size in shape):
        raise ValueError("no shape")
    return math.prod(shape)
