"""Stand-ins in the judge for what stays with the student: whatever is done to them is asked for."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ulab_core.i18n import mark
from ulab_runtime.judge.claims import known_class
from ulab_runtime.judge.crossing import CannotCross, Forged, NotPlain

if TYPE_CHECKING:
    from ulab_runtime.judge.link import Link

UNARY = [
    "__neg__",
    "__pos__",
    "__abs__",
    "__invert__",
    "__int__",
    "__float__",
    "__complex__",
    "__index__",
    "__round__",
    "__trunc__",
    "__floor__",
    "__ceil__",
    "__len__",
    "__next__",
    "__reversed__",
    "__enter__",
]
_OPERATORS = [
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "divmod",
    "pow",
    "lshift",
    "rshift",
    "and",
    "xor",
    "or",
]
BINARY = [f"__{side}{name}__" for name in _OPERATORS for side in ("", "r")]
IN_PLACE = [f"__i{name}__" for name in _OPERATORS if name != "divmod"]
_FAMILY = {f"__{side}{name}__": name for name in _OPERATORS for side in ("", "r", "i")}
ITEMS = ["__getitem__", "__setitem__", "__delitem__", "__contains__"]
ORDER = ["__lt__", "__le__", "__gt__", "__ge__"]
SPECIAL = frozenset(
    [*UNARY, *BINARY, *IN_PLACE, *ITEMS, *ORDER, "__call__", "__iter__", "__exit__"]
)
"""The methods that Python looks up on a type and asked for when a student's type has them."""
ALWAYS = frozenset({"__repr__", "__str__", "__format__", "__dir__"})
READABLE = frozenset(
    [
        "__name__",
        "__qualname__",
        "__dict__",
        "__annotations__",
        "__defaults__",
        "__kwdefaults__",
        "__wrapped__",
        "__array__",
        "__members__",
        "__len__",
        "__call__",
        "__iter__",
        "__next__",
        "__version__",
        "__all__",
    ]
)
"""The only attributes with such names that are asked for: libraries take others, such as
``__array_interface__``, for addresses in memory."""
COMPARING = frozenset(
    [
        *("eq", "ne", "lt", "le", "gt", "ge", "equal", "equals", "allclose", "isclose", "close"),
        *("compare", "isin", "between", "contains", "startswith", "endswith", "match", "fullmatch"),
        *("issubset", "issuperset", "isdisjoint", "difference", "symmetric_difference"),
        *("sub", "rsub", "subtract", "dist", "greater", "less", "not_equal"),
        *("logical_and", "logical_or", "logical_xor"),
    ]
)
"""Methods of data that are operators under another name."""
LARGEST_BATCH = 256
MOST_TAKEN = 1_000_000
"""Values that one iteration gives a test, so that an endless one does not fill its memory."""
PLAIN_WANTED = mark(
    "Your code gave an object of the class {name} where the test works with a plain value, "
    "such as a number, a text, a list, an array or a table."
)
TOO_MANY = mark("Your code gave a {name} of more than {most} values.")
_FIELDS = ("_ulab_link", "_ulab_ref", "_ulab_about")
_classes: dict[tuple[str, tuple[str, ...]], type[Proxy]] = {}


class About:
    """What the student process says of an object.

    Parameters
    ----------
    claimed
        The names of its type's classes, as `claims.name_of` gives them; a class's own names.
    is_class
        Whether it is a class.
    """

    __slots__ = ("claimed", "is_class")

    def __init__(self, claimed: list[str], is_class: bool) -> None:
        self.claimed = claimed
        self.is_class = is_class


class Proxy:
    """An object of the student's."""

    __slots__ = (*_FIELDS, "__weakref__")
    __array_ufunc__ = None  # so that an array leaves an operation with one of these to it
    _ulab_link: Link
    _ulab_ref: int
    _ulab_about: About

    def __init__(self, link: Link, ref: int, about: About) -> None:
        for name, value in zip(_FIELDS, (link, ref, about), strict=True):
            object.__setattr__(self, name, value)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it was never finished
            self._ulab_link.forget(self._ulab_ref)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        about = self._ulab_about
        found = type if about.is_class else known_class(about.claimed)
        return type(self) if found is None else found

    @property
    def __bases__(self) -> tuple[type, ...]:
        if not self._ulab_about.is_class:
            raise AttributeError("__bases__")
        found = known_class(self._ulab_about.claimed)
        return (object,) if found is None else (found,)

    @property
    def __signature__(self) -> inspect.Signature:
        return read_signature(self._ulab_link.ask("signature", on=self))

    def __getattr__(self, name: str) -> Any:
        if _is_hidden(name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        found = self._ulab_link.ask("get", on=self, name=name)
        if name in COMPARING and callable(found) and name not in self._ulab_link.defines:
            return functools.partial(_refused, self)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if _is_hidden(name):
            raise AttributeError(name)
        self._ulab_link.ask("set", on=self, name=name, values=[value])

    def __delattr__(self, name: str) -> None:
        if _is_hidden(name):
            raise AttributeError(name)
        self._ulab_link.ask("delete", on=self, name=name)

    # An object of the student's is never equal to a value, whatever its class says. That it is
    # unequal to one would be no less of an answer than that it is equal.
    def __eq__(self, other: object) -> Any:
        if not _both(self, other):
            self._ulab_link.compared = type(self).__name__
            return False
        if self is other:
            return True
        _allow(self, "__eq__")
        return _special(self, "__eq__", other) is True

    def __ne__(self, other: object) -> Any:
        if other is not None and not _both(self, other):
            _allow(self, "__eq__")
        return not self == other

    def __hash__(self) -> int:
        return hash((id(self._ulab_link), self._ulab_ref))

    def __repr__(self) -> str:
        return _text(_special(self, "__repr__"))

    def __str__(self) -> str:
        return _text(_special(self, "__str__"))

    def __format__(self, wanted: str) -> str:
        return _text(_special(self, "__format__", wanted))

    def __dir__(self) -> list[str]:
        found = _special(self, "__dir__")
        return [name for name in found if type(name) is str] if type(found) is list else []

    def __instancecheck__(self, other: object) -> bool:
        return _both(self, other) and _related(self, "isinstance", other)

    def __subclasscheck__(self, other: object) -> bool:
        return _both(self, other) and _related(self, "issubclass", other)

    def __copy__(self) -> Any:
        return self._ulab_link.ask("copy", on=self)

    def __deepcopy__(self, memo: object) -> Any:
        return self._ulab_link.ask("deepcopy", on=self)

    def __reduce_ex__(self, protocol: object) -> Any:
        raise CannotCross(mark("An object of the student's can't be pickled."))


def _is_hidden(name: str) -> bool:
    special = name.startswith("__") and name.endswith("__")
    return (special and name not in READABLE) or name in _FIELDS


def _both(proxy: Proxy, other: object) -> bool:
    return issubclass(type(other), Proxy)


def _related(proxy: Proxy, how: str, other: object) -> bool:
    return proxy._ulab_link.ask(how, values=[other, proxy]) is True


def _text(found: Any) -> str:
    if type(found) is not str:
        raise Forged("a text that is none")
    return found


def _special(proxy: Proxy, name: str, *values: Any) -> Any:
    return proxy._ulab_link.ask("special", on=proxy, name=name, values=list(values))


def _refused(proxy: Proxy, *args: Any, **kwargs: Any) -> Any:
    fault = NotPlain(PLAIN_WANTED, name=type(proxy).__name__)
    object.__getattribute__(proxy, "_ulab_link").refuse(fault)


def _allow(proxy: Proxy, name: str) -> None:
    """Refuse an operator unless the solution's own classes have it."""
    plain = f"__{_FAMILY.get(name, name.strip('_'))}__"
    if not {name, plain} & proxy._ulab_link.defines:
        _refused(proxy)


def _operator(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *values: Any) -> Any:
        _allow(self, name)
        return _special(self, name, *values)

    return method


def _contains(self: Proxy, value: Any) -> Any:
    if "__contains__" in self._ulab_link.defines:
        return _special(self, "__contains__", value)
    if not hasattr(type(self), "__iter__"):
        _refused(self)
    return any(each is value or each == value for each in iter(self))


def _asked(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *values: Any) -> Any:
        return _special(self, name, *values)

    return method


def _ordered(name: str) -> Callable[..., Any]:
    def method(self: Proxy, other: Any) -> Any:
        _allow(self, name)
        return _special(self, name, other) if _both(self, other) else NotImplemented

    return method


def _call(self: Proxy, *args: Any, **kwargs: Any) -> Any:
    return self._ulab_link.call(self, args, kwargs)


def _exit(self: Proxy, kind: Any, error: Any, trace: Any) -> Any:
    # An error of the judge's doesn't cross; the student's learns that there is one.
    said = None if kind is None else [getattr(kind, "__name__", "Exception"), str(error)]
    return _special(self, "__exit__", said)


def _iterate(self: Proxy) -> Iterator[Any]:
    if hasattr(type(self), "__next__"):
        return self  # taking ahead of it would lose what is left
    return _bounded(self, _batches(self._ulab_link, self._ulab_link.ask("iterate", on=self)))


def _next(self: Proxy) -> Any:
    self._ulab_link.taken += 1
    if self._ulab_link.taken > MOST_TAKEN:
        _refuse_more(self)
    return _special(self, "__next__")


def _bounded(proxy: Proxy, values: Iterator[Any]) -> Iterator[Any]:
    for place, value in enumerate(values):
        if place >= MOST_TAKEN:
            _refuse_more(proxy)
        yield value


def _refuse_more(proxy: Proxy) -> None:
    fault = NotPlain(TOO_MANY, name=type(proxy).__name__, most=MOST_TAKEN)
    proxy._ulab_link.refuse(fault)


def _batches(link: Link, iterator: Any) -> Iterator[Any]:
    size, more = 4, True
    while more:
        found = link.ask("take", on=iterator, count=size)
        if type(found) is not tuple or len(found) != 2 or type(found[0]) is not list:
            raise Forged("an iterator that isn't")
        values, more = found[0], found[1] is True
        yield from values
        if len(values) > size:
            raise Forged("more than was asked for")
        size = min(2 * size, LARGEST_BATCH)


_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _asked(name) for name in (*UNARY, *ITEMS)},
    **{name: _operator(name) for name in (*BINARY, *IN_PLACE)},
    **{name: _ordered(name) for name in ORDER},
    "__contains__": _contains,
    "__next__": _next,
    "__call__": _call,
    "__exit__": _exit,
    "__iter__": _iterate,
}


def proxy_class(type_name: str, special: tuple[str, ...]) -> type[Proxy]:
    """A class of proxies that is called like the student's and has the same special methods."""
    key = type_name, special
    if key not in _classes:
        methods = {name: _METHODS[name] for name in special}
        name = type_name.replace("\0", "")[:100].encode("utf-8", "replace").decode()
        _classes[key] = type(name, (Proxy,), {"__slots__": (), "__doc__": None, **methods})
    return _classes[key]


def read_signature(said: Any) -> inspect.Signature:
    """
    Raises
    ------
    Forged
        It is no signature.
    """
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=default[0] if default else inspect.Parameter.empty,
                )
                for name, kind, default in said
            ]
        )
    except (TypeError, ValueError) as error:
        raise Forged(f"no signature: {error}") from None
