"""Plain data as what msgpack can carry, and back: exact types, and no code in either direction.

None, bool, int, float, str and bytes are themselves. All else is a list that begins with a tag.
What is no data goes through two hooks, of which each side has its own.
"""

from __future__ import annotations

import datetime
import math
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from ulab_runtime.judge.crossing import DEPTH_LIMIT, INTEGER_BYTES, CannotCross, Forged

PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_TUPLES = frozenset(
    [
        "__doc__",
        "__slots__",
        "_fields",
        "_field_defaults",
        "__new__",
        "_make",
        "__replace__",
        "_replace",
        "__repr__",
        "_asdict",
        "__getnewargs__",
        "__match_args__",
        "__module__",
        "__orig_bases__",
        "__annotations__",
        "__qualname__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotate__",
        "__annotate_func__",
    ]
)
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
                return _encode_integer(value)
            return value
        if depth > DEPTH_LIMIT:
            raise CannotCross(f"a value is nested more than {DEPTH_LIMIT} deep")
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
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
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
    if found is None and issubclass(kind, tuple) and _is_named_tuple(kind):
        return _encode_named
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


def _encode_integer(value: int) -> list[Any]:
    length = value.bit_length() // 8 + 1
    if length > INTEGER_BYTES:
        raise CannotCross("an integer is too long")
    return ["int", value.to_bytes(length, "big", signed=True)]


def _decode_integer(codec: Codec, parts: list[Any], depth: int) -> int:
    (written,) = parts
    if type(written) is not bytes or len(written) > INTEGER_BYTES:
        raise ValueError
    return int.from_bytes(written, "big", signed=True)


def _items(codec: Codec, value: Any, depth: int) -> list[Any]:
    return codec.encode_all([part for item in value.items() for part in item], depth)


def _pairs(codec: Codec, plain: Any, depth: int) -> dict[Any, Any]:
    flat = codec.decode_all(plain, depth)
    made = dict(zip(flat[::2], flat[1::2], strict=True))
    if len(made) * 2 != len(flat):
        raise ValueError("a key twice")
    return made


def _is_named_tuple(kind: type) -> bool:
    if kind.__module__ == "torch.return_types":
        return True
    fields = vars(kind).get("_fields")
    if kind.__bases__ != (tuple,) or type(fields) is not tuple:
        return False
    # One with methods of its own stays with the student, for the methods.
    return all(type(field) is str for field in fields) and set(vars(kind)) <= {*_TUPLES, *fields}


def _encode_named(codec: Codec, value: Any, depth: int) -> list[Any]:
    kind = type(value)
    fields = getattr(kind, "_fields", None) or kind.__match_args__
    return ["named", kind.__name__, list(fields), codec.encode_all(tuple.__iter__(value), depth)]


def _decode_named(codec: Codec, parts: list[Any], depth: int) -> Any:
    name, fields, values = parts
    if len(fields) > 100 or len(name) > 100:
        raise ValueError
    kind = namedtuple(name, fields)  # type: ignore[misc]
    return kind(*codec.decode_all(values, depth))


def _whole(*parts: Any) -> tuple[Any, ...]:
    if not all(type(part) is int for part in parts):
        raise TypeError
    return parts


def _decode_set(codec: Codec, parts: list[Any], depth: int) -> set[Any]:
    (plain,) = parts
    found = codec.decode_all(plain, depth)
    made = set(found)
    if len(made) != len(found):
        raise ValueError("a value twice")
    return made


def _decode_deque(codec: Codec, parts: list[Any], depth: int) -> deque[Any]:
    plain, longest = parts
    return deque(codec.decode_all(plain, depth), longest if longest is None else _whole(longest)[0])


def _decode_complex(codec: Codec, parts: list[Any], depth: int) -> complex:
    real, imaginary = parts
    if type(real) is not float or type(imaginary) is not float:
        raise TypeError
    return complex(real, imaginary)


def _decode_counter(codec: Codec, parts: list[Any], depth: int) -> Counter[Any]:
    made: Counter[Any] = Counter()
    dict.update(made, _pairs(codec, parts[0], depth))
    return made


def _decode_text(make: Callable[[str], Any], longest: int = 2000) -> Decoder:
    def decode(codec: Codec, parts: list[Any], depth: int) -> Any:
        (text,) = parts
        if type(text) is not str or len(text) > longest:
            raise ValueError
        return make(text)

    return decode


def _decode_slice(codec: Codec, parts: list[Any], depth: int) -> slice:
    start, stop, step = codec.decode_all(parts, depth)
    return slice(start, stop, step)


def _decode_seconds(codec: Codec, parts: list[Any], depth: int) -> datetime.timedelta:
    days, seconds, micro = _whole(*parts)
    return datetime.timedelta(days, seconds, micro)


def _decode_fraction(codec: Codec, parts: list[Any], depth: int) -> Fraction:
    above, below = codec.decode_all(parts, depth)
    return Fraction(*_whole(above, below))


def _decode_bytearray(codec: Codec, parts: list[Any], depth: int) -> bytearray:
    (content,) = parts
    if type(content) is not bytes:
        raise TypeError
    return bytearray(content)


# Their time zones are objects with code, but for those that are a fixed difference.
def _encode_moment(tag: str) -> Encoder:
    def encode(codec: Codec, value: Any, depth: int) -> list[Any]:
        zone = value.tzinfo
        if zone is not None and type(zone) is not datetime.timezone:
            return codec.outgoing(value)
        return [tag, value.isoformat(), value.fold]

    return encode


def _decode_moment(read: Callable[[str], Any]) -> Decoder:
    def decode(codec: Codec, parts: list[Any], depth: int) -> Any:
        text, fold = parts
        return read(text).replace(fold=_whole(fold)[0])

    return decode


ENCODERS: dict[type, Encoder] = {
    complex: lambda c, v, d: ["complex", v.real, v.imag],
    list: lambda c, v, d: ["list", c.encode_all(v, d)],
    tuple: lambda c, v, d: ["tuple", c.encode_all(v, d)],
    set: lambda c, v, d: ["set", c.encode_all(v, d)],
    frozenset: lambda c, v, d: ["frozenset", c.encode_all(v, d)],
    dict: lambda c, v, d: ["dict", _items(c, v, d)],
    OrderedDict: lambda c, v, d: ["ordered", _items(c, v, d)],
    defaultdict: lambda c, v, d: ["dict", _items(c, v, d)],
    Counter: lambda c, v, d: ["counter", _items(c, v, d)],
    deque: lambda c, v, d: ["deque", c.encode_all(v, d), v.maxlen],
    type({}.keys()): lambda c, v, d: ["keys", c.encode_all(v, d)],
    type({}.values()): lambda c, v, d: ["values", c.encode_all(v, d)],
    type({}.items()): lambda c, v, d: ["items", c.encode_all([p for i in v for p in i], d)],
    bytearray: lambda c, v, d: ["bytearray", bytes(v)],
    range: lambda c, v, d: ["range", *c.encode_all((v.start, v.stop, v.step), d)],
    slice: lambda c, v, d: ["slice", *c.encode_all((v.start, v.stop, v.step), d)],
    types.EllipsisType: lambda c, v, d: ["ellipsis"],
    types.NotImplementedType: lambda c, v, d: ["not-implemented"],
    Decimal: lambda c, v, d: ["decimal", str(v)],
    Fraction: lambda c, v, d: ["fraction", *c.encode_all((v.numerator, v.denominator), d)],
    datetime.date: lambda c, v, d: ["date", v.isoformat()],
    datetime.datetime: _encode_moment("datetime"),
    datetime.time: _encode_moment("time"),
    datetime.timedelta: lambda c, v, d: ["timedelta", v.days, v.seconds, v.microseconds],
}
DECODERS: dict[str, Decoder] = {
    "int": _decode_integer,
    "complex": _decode_complex,
    "list": lambda c, p, d: c.decode_all(p[0], d),
    "tuple": lambda c, p, d: tuple(c.decode_all(p[0], d)),
    "set": _decode_set,
    "frozenset": lambda c, p, d: frozenset(_decode_set(c, p, d)),
    "dict": lambda c, p, d: _pairs(c, p[0], d),
    "ordered": lambda c, p, d: OrderedDict(_pairs(c, p[0], d)),
    "counter": _decode_counter,
    "deque": _decode_deque,
    "keys": lambda c, p, d: dict.fromkeys(c.decode_all(p[0], d)).keys(),
    "values": lambda c, p, d: dict(enumerate(c.decode_all(p[0], d))).values(),
    "items": lambda c, p, d: _pairs(c, p[0], d).items(),
    "bytearray": _decode_bytearray,
    "range": lambda c, p, d: range(*_whole(*c.decode_all(p, d))),
    "slice": _decode_slice,
    "ellipsis": lambda c, p, d: ...,
    "not-implemented": lambda c, p, d: NotImplemented,
    "named": _decode_named,
    "decimal": _decode_text(Decimal),
    "fraction": _decode_fraction,
    "date": _decode_text(datetime.date.fromisoformat),
    "datetime": _decode_moment(datetime.datetime.fromisoformat),
    "time": _decode_moment(datetime.time.fromisoformat),
    "timedelta": _decode_seconds,
}


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
