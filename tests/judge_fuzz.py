"""Forged frames for the decoder and the link, and what may come of them: run alone, it only fuzzes.

``cd tests && python -m judge_fuzz EXAMPLES`` in a process that may not unpickle, start programs or
open files other than time zones, and has a bound on its memory.
"""
# ruff: noqa: E501  (tables of values, many on a line)

from __future__ import annotations

import datetime
import resource
import socket
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import EllipsisType, NotImplementedType
from typing import Any

import hypothesis.strategies as st
import msgpack
import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, given, settings

from ulab_runtime.judge import arrays, tables, tensors
from ulab_runtime.judge.crossing import CannotCross, Forged
from ulab_runtime.judge.frames import Broken, pack, unpack
from ulab_runtime.judge.judge import Test, verdict
from ulab_runtime.judge.link import Link
from ulab_runtime.judge.record import verdict_of
from ulab_runtime.judge.values import DECODERS, ENCODERS, Codec

MORE_MEMORY = 2 << 30
FORBIDDEN = (
    "pickle.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "socket.connect",
    "ctypes.",
)
READABLE = ("zoneinfo", "pytz", "tzdata", ".py")
"""Time zones, and the source of lines in a traceback."""
DATA = frozenset(
    [
        *(type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset),
        *(dict, OrderedDict, Counter, deque, type({}.keys()), type({}.values()), type({}.items())),
        *(range, slice, EllipsisType, NotImplementedType, Decimal, Fraction),
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
        *(np.ndarray, *arrays.SCALARS, *(type(np.dtype(kind)) for kind in (*arrays.SCALARS, object))),
        *(torch.Tensor, torch.Size, torch.dtype, torch.device),
        *(kind for kind in ENCODERS if kind.__module__.startswith("pandas")),
        *(pd.arrays.PeriodArray, pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray),
        type(pd.Timestamp(0)),
    ]
)  # fmt: skip
assert tables.READY
assert tensors.READY

VALID: list[Any] = [
    *(1, 2**70, 1.5, "text", b"bytes", [1, [2]], (1,), {1, 2}, {"a": [1]}, Counter("ab"), range(3)),
    *(deque([1], 2), Decimal("1.5"), Fraction(1, 3), datetime.date(2024, 1, 1), slice(1, 2), {}.keys()),
    *(datetime.datetime(2024, 1, 1), datetime.timedelta(1), 1j, bytearray(b"a"), frozenset({1})),
    *(np.arange(3), np.array(["a", "b"]), np.float32(1), np.dtype("i4"), np.array([None, 1])),
    *(torch.ones(2, 2), torch.tensor([True]), torch.Size([1]), torch.float16, torch.device("cpu")),
    *(pd.DataFrame({"a": [1, 2], "b": ["x", None]}), pd.Series([1, None], dtype="Int64"), pd.NaT),
    *(pd.Series(["a"], dtype="category"), pd.date_range("2024", periods=2, tz="UTC")),
    *(pd.period_range("2024", periods=2, freq="M"), pd.IntervalIndex.from_breaks([0, 1])),
    *(pd.MultiIndex.from_arrays([[1], ["a"]]), pd.Timestamp("2024", tz="Asia/Shanghai"), pd.Timedelta(1)),
    torch.ones(1, requires_grad=True),
]  # fmt: skip


def _refuse(value: object) -> list[Any]:
    raise CannotCross(type(value).__name__)


def _unknown(plain: list[Any]) -> Any:
    raise Forged("a reference")


CODEC = Codec(_refuse, _unknown)
PLAIN = [CODEC.encode(value) for value in VALID]
ODD = st.sampled_from(
    [
        *(-1, 0, 1, 2**31, 2**63 - 1, -(2**63), 0.0, float("nan"), True, None, "", b"", [], {}),
        *(
            "O",
            "|O",
            "<U0",
            "|S0",
            "<U1",
            "<f8",
            "<M8[ns]",
            "|b1",
            "float32",
            "bool",
            "cpu",
            "meta",
        ),
        *(
            "../../x",
            "dateutil//etc/passwd",
            "__class__",
            "class",
            "1e999999999",
            "9" * 2000,
            "\ud800",
        ),
        *("Int64", "boolean", "ns", "python", "pyarrow", "D", "QE-JAN", "1000000000Y", "UTC"),
    ]
)
LEAVES = (
    ODD
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9)
)
TAGS = st.sampled_from([*DECODERS, "@", "@name", "@error", "@made", "numpy.nothing"])
TREES = st.recursive(
    LEAVES | st.sampled_from(PLAIN),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.builds(lambda tag, rest: [tag, *rest], TAGS, st.lists(inner, max_size=6))
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """What a value is sent as, with some of its parts replaced, removed or repeated."""
    made = _copy(draw(st.sampled_from(PLAIN)))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(made))
        if not places:
            return _copy(draw(TREES))
        holder, place = draw(st.sampled_from(places))
        match draw(st.sampled_from("rdt")):
            case "r":
                holder[place] = _copy(draw(TREES))
            case "d":
                del holder[place]
            case _:
                holder.insert(place, _copy(holder[place]))
    return made


def _copy(plain: Any) -> Any:
    return [_copy(part) for part in plain] if type(plain) is list else plain


def _places(plain: Any) -> Any:
    if type(plain) is list:
        for place, part in enumerate(plain):
            yield plain, place
            yield from _places(part)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A message's bytes: right but for what is in it, with some bytes changed, or any bytes."""
    kind = draw(st.sampled_from("vbr"))
    if kind == "r":
        return draw(st.binary(max_size=200))
    made = bytearray(msgpack.packb({"v": draw(mutated() | TREES)}, unicode_errors="surrogatepass"))
    for _ in range(draw(st.integers(1, 4)) if kind == "b" else 0):
        made[draw(st.integers(0, len(made) - 1))] = draw(st.integers(0, 255))
    return bytes(made)


def is_allowed(value: Any) -> bool:
    """Whether it is of a type that may cross, and all that is in it too."""
    if type(value) in (list, tuple, set, frozenset, deque):
        return all(map(is_allowed, value))
    if type(value) in (dict, OrderedDict, Counter):
        return all(is_allowed(part) for item in value.items() for part in item)
    kind = type(value)
    return kind in DATA or (kind.__bases__ == (tuple,) and hasattr(kind, "_fields"))


def decode(frame: bytes) -> None:
    try:
        with watched():
            found = [CODEC.decode(part) for part in unpack(frame).values()]
    except (Broken, Forged):
        return
    for value in found:
        assert is_allowed(value), type(value)


NAMES: dict[str, Any] = {"np": np, "torch": torch, "pd": pd}
# It can't be passed, whatever is answered.
TEST = compile(
    """
a, b = [1, 2], np.ones(2)
try:
    f(a, b, key={"x": torch.ones(1)})
    f.some, len(f), list(f), f + 1, str(f), f == f, isinstance(f, type), f[0], bool(f)
finally:
    assert f is None and f is not None
""",
    "<test>",
    "exec",
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "value": mutated() | TREES,
        "printed": LEAVES,
        "same": LEAVES,
        "changed": st.lists(st.tuples(LEAVES | st.integers(0, 2), mutated() | TREES), max_size=3)
        | LEAVES,
        "error": st.fixed_dictionaries(
            {},
            optional={
                "name": LEAVES,
                "chain": st.lists(st.lists(LEAVES, max_size=2), max_size=3) | LEAVES,
                "known": st.lists(st.sampled_from(["builtins:ValueError", "builtins:KeyError"]))
                | LEAVES,
                "message": LEAVES,
                "args": st.none() | mutated(),
                "lines": st.lists(LEAVES, max_size=2),
            },
        )
        | LEAVES,
    },
)
PROXY = [
    "@",
    1,
    "F",
    ["__main__:F"],
    ["__call__", "__len__", "__iter__", "__add__", "__getitem__"],
    False,
]


def said_by(answers: list[dict[str, Any]], tail: bytes) -> bytes:
    """All that a student process sends in its life; it begins as an honest one."""
    first = [{"n": 1, "value": None}, {"n": 2, "value": PROXY}]
    numbered = [{"n": number, **answer} for number, answer in enumerate(answers, 3)]
    packed = (msgpack.packb(one, unicode_errors="surrogatepass") for one in (*first, *numbered))
    return b"".join(len(body).to_bytes(4, "big") + body for body in packed) + tail


def judge_by(said: bytes) -> None:
    """A judge that hears this, and then no more, fails the test and says why."""
    judges, students = socket.socketpair()
    with judges, students:
        students.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        students.sendall(said)
        students.shutdown(socket.SHUT_WR)
        link = Link(judges)
        names = dict(NAMES)
        with watched():
            found = verdict(link, Test(TEST, None, ("f",), "<test>"), names, 1)
        link.codec = CODEC
        names.clear()
    assert found["verdict"] in ("failed", "died"), found
    assert found["reason"], found
    assert verdict_of("q", unpack(pack(found)[4:])).reason == found["reason"]


def fuzzers(examples: int) -> list[Callable[[], None]]:
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    return [
        chosen(given(frames())(decode)),
        chosen(
            given(st.builds(said_by, st.lists(ANSWERS, max_size=8), st.binary(max_size=30)))(
                judge_by
            )
        ),
    ]


_watched: list[bool] = []


@contextmanager
def watched() -> Iterator[None]:
    """What is forbidden is so for what is tried, not for the fuzzer's own files."""
    _watched.append(True)
    try:
        yield
    finally:
        _watched.pop()


def _watch(event: str, details: tuple[Any, ...]) -> None:
    if not _watched:
        return
    if event.startswith(FORBIDDEN):
        raise SystemError(f"{event} {details!r}"[:300])
    if event == "open" and not any(word in str(details[0]) for word in READABLE):
        raise SystemError(f"{event} {details!r}"[:300])


def main() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    found = fuzzers(int(sys.argv[1]))
    for fuzz in fuzzers(5):
        fuzz()  # loads what is loaded on first use
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_MEMORY,) * 2)
    sys.addaudithook(_watch)
    for fuzz in found:
        fuzz()


if __name__ == "__main__":
    main()
