"""Python's own types of data, beyond those that msgpack knows, as tagged lists and back."""

from __future__ import annotations

import datetime
import types
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ulab_core.i18n import mark
from ulab_runtime.judge.crossing import INTEGER_BYTES, CannotCross

if TYPE_CHECKING:
    from ulab_runtime.judge.values import Codec, Decoder, Encoder

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


def encode_integer(value: int) -> list[Any]:
    length = value.bit_length() // 8 + 1
    if length > INTEGER_BYTES:
        raise CannotCross(mark("An integer is too long."))
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


def is_named_tuple(kind: type) -> bool:
    if kind.__module__ == "torch.return_types":
        return True
    fields = vars(kind).get("_fields")
    if kind.__bases__ != (tuple,) or type(fields) is not tuple:
        return False
    # One with methods of its own stays with the student, for the methods.
    return all(type(field) is str for field in fields) and set(vars(kind)) <= {*_TUPLES, *fields}


def encode_named(codec: Codec, value: Any, depth: int) -> list[Any]:
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
