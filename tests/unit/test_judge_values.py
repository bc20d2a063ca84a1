"""What crosses between judge and student: there and back exactly, and nothing else."""
# ruff: noqa: E501  (a table of forged values, many on a line)

from __future__ import annotations

import datetime
import enum
import struct
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from ulab_runtime.judge.arrays import EMPTY_TEXTS
from ulab_runtime.judge.crossing import DEPTH_LIMIT, INTEGER_BYTES, CannotCross, Forged
from ulab_runtime.judge.frames import ELEMENTS_LIMIT, KEYS_LIMIT, Broken, TooLong, pack, unpack
from ulab_runtime.judge.values import Codec, is_data


def _refuse(value: object) -> list[Any]:
    raise CannotCross(type(value).__name__)


def _unknown(plain: list[Any]) -> Any:
    raise Forged("a reference")


CODEC = Codec(_refuse, _unknown)


def crossed(value: Any) -> Any:
    """A value as the other side gets it."""
    return CODEC.decode(unpack(pack({"v": CODEC.encode(value)})[4:])["v"])


def nested(depth: int) -> Any:
    made: Any = []
    for _ in range(depth):
        made = [made]
    return made


Point = namedtuple("Point", "x y")

PYTHON = [
    *(None, True, False, 0, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**3000),
    *(0.0, -0.0, 1.5, float("inf"), float("-inf"), 1 + 2j, complex(-0.0, float("inf"))),
    *("", "text", "\0", "语言 \U0010ffff", "\ud800", b"", b"\0\xff", bytearray(b"ab")),
    *(
        [],
        [1, [2, [3]]],
        (),
        (1,),
        ((),),
        {},
        {"a": {1: (2,)}},
        set(),
        pytest.param({1, "a"}, id="a set of two"),
        frozenset({(1,)}),
    ),
    *(OrderedDict([("b", 1), ("a", 2)]), Counter("abca"), deque([1, 2], 3), deque()),
    *(range(0), range(5, -7, -3), slice(None), slice(1, 2, 3), ..., NotImplemented),
    *(Decimal("1.50"), Decimal("-Infinity"), Fraction(-1, 3), Fraction(10**40, 7)),
    *(datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4), datetime.timedelta(-1, 2, 3)),
    datetime.datetime(2024, 2, 29, 23, 59, 59, 5, fold=1),
    datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=8))),
    {1: True, "1": 1, (1, 2): b"1", None: 2.0},
]


@pytest.mark.parametrize("value", PYTHON, ids=lambda value: repr(value)[:40])
def test_pythons_own_values_cross_exactly(value: Any) -> None:
    found = crossed(value)
    assert type(found) is type(value)
    assert found == value
    assert repr(found) == repr(value)
    assert is_data(value)


def test_a_nan_keeps_its_payload() -> None:
    payload = struct.pack(">Q", 0x7FF8_0000_0000_1234)
    assert struct.pack(">d", crossed(struct.unpack(">d", payload)[0])) == payload
    array = np.frombuffer(struct.pack("<2Q", 0x7FF8_0000_0000_1234, 0xFFF8_0000_0000_0001), "<f8")
    assert crossed(array).tobytes() == array.tobytes()


def test_a_defaultdict_crosses_without_its_factory() -> None:
    assert type(crossed(defaultdict(list, a=[1]))) is dict


def test_a_named_tuple_crosses_with_its_fields() -> None:
    found = crossed(Point(1, [2]))
    assert (found, found._fields, type(found).__name__) == ((1, [2]), ("x", "y"), "Point")


@pytest.mark.parametrize("view", [{1: 2}.keys(), {1: 2}.values(), {1: 2}.items()], ids=repr)
def test_a_view_of_a_dict_crosses(view: Any) -> None:
    found = crossed(view)
    assert type(found) is type(view)
    assert list(found) == list(view)


ARRAYS = [
    *(np.arange(6, dtype=letter).reshape(2, 3) for letter in "bBhHiIqQefdFD"),
    *(np.array([1, 2], dtype) for dtype in (">i4", "<i4", ">f8", ">c16", ">U3", "<U3", "S2")),
    *(np.array([], "f4"), np.zeros((0, 3)), np.array(3), np.array("text"), np.zeros((2, 0), "<U2")),
    *(np.array([True, False]), np.array(["", "é"]), np.array([""])),
    np.array(["2024-01-01", "NaT"], "datetime64[D]"),
    np.array([1, 2], "timedelta64[ms]"),
    np.arange(12).reshape(3, 4)[::2, ::-1],
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.broadcast_to(np.float32(1), (2, 2)),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype.str}{a.shape}")
def test_an_array_crosses_with_its_dtype_byte_order_and_shape(array: np.ndarray[Any, Any]) -> None:
    found = crossed(array)
    assert type(found) is np.ndarray
    assert (found.dtype.str, found.shape) == (array.dtype.str, array.shape)
    assert found.tobytes() == array.tobytes()
    assert found.flags.writeable
    assert found.flags.owndata or found.base.flags.owndata


@pytest.mark.parametrize(
    "scalar",
    [np.float32(1.5), np.int8(-3), np.bool_(True), np.str_("ä"), np.datetime64("2024-01-01", "s")],
    ids=repr,
)
def test_a_scalar_of_numpys_crosses(scalar: Any) -> None:
    assert type(crossed(scalar)) is type(scalar)
    assert crossed(scalar) == scalar


def test_objects_in_an_array_cross_as_the_data_that_they_are() -> None:
    array = np.empty((2, 1), dtype=object)
    array[:, 0] = [[1, None], "a"]
    found = crossed(array)
    assert (found.dtype, found.shape, found[0, 0]) == (object, (2, 1), [1, None])


TENSORS = [
    *(
        torch.tensor([0, 1], dtype=getattr(torch, name))
        for name in ["bool", "uint8", "int8", "int16"]
    ),
    *(torch.tensor([0, 1]), torch.tensor(7), torch.zeros(0, 3), torch.ones(2, 2).half()),
    torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    torch.tensor([1 + 2j]),
    torch.tensor([1 + 2j]).conj(),
    torch.arange(6).reshape(2, 3).T,
    torch.arange(6)[::2],
    torch.ones(1).expand(3),
    torch.ones(2, requires_grad=True),
]


@pytest.mark.parametrize("tensor", TENSORS, ids=lambda t: f"{t.dtype}{tuple(t.shape)}")
def test_a_tensor_crosses_with_its_dtype_shape_and_need_of_a_gradient(tensor: torch.Tensor) -> None:
    found = crossed(tensor)
    assert type(found) is torch.Tensor
    assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
    assert found.requires_grad == tensor.requires_grad
    assert torch.equal(found, tensor)


def test_a_gradient_crosses_and_a_parameter_is_a_tensor() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    (parameter * 3).sum().backward()
    found = crossed(parameter)
    assert type(found) is torch.Tensor
    assert torch.equal(found.grad, torch.full((2,), 3.0))


@pytest.mark.parametrize("value", [torch.Size([2, 0]), torch.float32, torch.device("cpu")], ids=str)
def test_a_size_a_dtype_and_a_device_cross(value: Any) -> None:
    assert type(crossed(value)) is type(value)
    assert crossed(value) == value


INDEXES = [
    pd.RangeIndex(1, 9, 3, name="n"),
    pd.Index([1, 2]),
    pd.Index([1.5, float("nan")]),
    pd.Index(["a", "b"], name="t"),
    pd.Index(["a", 1, None], dtype=object),
    pd.date_range("2024-01-01", periods=3, freq="D"),
    pd.date_range("2024-03-30", periods=3, freq="12h", tz="Europe/Berlin"),
    pd.to_timedelta([1, 2], unit="h"),
    pd.period_range("2024-01", periods=3, freq="M"),
    pd.IntervalIndex.from_breaks([0, 1, 2], closed="left"),
    pd.CategoricalIndex(["a", "b", "a"], ordered=True),
    pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", "y"]),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda i: f"{type(i).__name__}-{i.dtype}")
def test_an_index_crosses(index: pd.Index[Any]) -> None:
    pd.testing.assert_index_equal(crossed(index), index, exact=True)


SERIES = [
    pd.Series([1, None], dtype="Int64"),
    pd.Series([True, None], dtype="boolean"),
    pd.Series([1.5, None], dtype="Float32"),
    pd.Series(["a", None], dtype="string"),
    pd.Series(["a", None, "b"]),
    pd.Series(["b", "a", None], dtype=pd.CategoricalDtype(["b", "a", "c"], ordered=True)),
    pd.Series(pd.to_datetime(["2024-01-01", None]).tz_localize("Asia/Shanghai"), name="at"),
    pd.Series([], dtype="float64"),
    pd.Series([[1], {"a": 2}], dtype=object),
]


@pytest.mark.parametrize("series", SERIES, ids=lambda s: str(s.dtype))
def test_a_column_crosses(series: pd.Series[Any]) -> None:
    pd.testing.assert_series_equal(crossed(series), series)


TABLES = [
    pd.DataFrame({"a": [1, 2], "b": ["x", None], 3: [0.5, float("nan")]}, index=["r", "s"]),
    pd.DataFrame([[1, "x"], [2, "y"]], columns=["same", "same"]),
    pd.DataFrame(),
    pd.DataFrame(index=[1, 2]),
    pd.DataFrame(columns=["a"]),
]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: str(t.shape))
def test_a_table_crosses(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(crossed(table), table)


@pytest.mark.parametrize(
    "value",
    [pd.Timestamp("2024-01-01 01:02", tz="UTC"), pd.Timedelta("1h"), pd.NaT, pd.NA],
    ids=str,
)
def test_moments_and_what_is_missing_cross(value: Any) -> None:
    found = crossed(value)
    assert type(found) is type(value)
    assert found is value or found == value


class Own(enum.IntEnum):
    ONE = 1


OWN = [
    *(type(f"Own{kind.__name__}", (kind,), {})() for kind in (int, float, str, bytes, list, tuple)),
    *(type(f"Own{kind.__name__}", (kind,), {})() for kind in (dict, set, frozenset, complex)),
    Own.ONE,
    np.zeros(2).view(type("Array", (np.ndarray,), {})),
    np.ma.masked_array([1], [True]),
    np.zeros(2, dtype=[("a", "i4")]),
    torch.ones(2).as_subclass(type("Tensor", (torch.Tensor,), {})),
    torch.eye(2).to_sparse(),
    torch.empty(2, device="meta"),
    type("Table", (pd.DataFrame,), {})(),
    type("Named", (Point,), {"__slots__": ()})(1, 2),
    object(),
    len,
    int,
]


@pytest.mark.parametrize("value", OWN, ids=lambda value: type(value).__name__)
def test_what_is_of_a_class_of_its_own_is_no_data(value: Any) -> None:
    for given in (value, [value], {"a": value}, (0, [value])):
        with pytest.raises(CannotCross):
            CODEC.encode(given)


@pytest.mark.parametrize("kind", ["list", "dict", "array"])
def test_what_holds_itself_is_refused(kind: str) -> None:
    made: Any = {"list": [], "dict": {}, "array": np.empty(1, object)}[kind]
    if kind == "list":
        made.append(made)
    else:
        made[0] = made
    with pytest.raises(CannotCross, match="nested"):
        CODEC.encode(made)


def test_bounds_at_their_edge_and_beyond() -> None:
    assert crossed(nested(DEPTH_LIMIT - 1)) == nested(DEPTH_LIMIT - 1)
    with pytest.raises(CannotCross):
        CODEC.encode(nested(DEPTH_LIMIT + 2))
    longest = (1 << (INTEGER_BYTES * 8 - 1)) - 1
    assert crossed(longest) == longest
    with pytest.raises(CannotCross):
        CODEC.encode(longest + 1)
    empty = len(pack({"v": b"x" * 70_000})) - 70_000 - 4
    assert pack({"v": b"x" * 70_000}, 70_000 + empty)
    with pytest.raises(TooLong):
        pack({"v": b"x" * 70_001}, 70_000 + empty)
    assert unpack(pack({str(number): 0 for number in range(KEYS_LIMIT)})[4:])
    with pytest.raises(Broken):
        unpack(pack({str(number): 0 for number in range(KEYS_LIMIT + 1)})[4:])
    most = ELEMENTS_LIMIT - 4 - 10  # what the list and the map around it cost
    assert len(unpack(pack({"v": [0] * most})[4:])["v"]) == most
    with pytest.raises(Broken):
        unpack(pack({"v": [0] * (most + 1)})[4:])


FORGED: list[Any] = [
    *([], [1], ["nothing"], ["list"], ["list", 3], ["int", "1"], ["int", b"0" * (INTEGER_BYTES + 1)]),
    *(["set", [1, 1]], ["set", [["list", []]]], ["dict", [1]], ["dict", [1, 2, 1, 3]], ["dict", None]),
    *(["complex", 1, 2], ["range", 0, 1, 0], ["fraction", 1, 0], ["decimal", "x"]),
    *(["date", "today"], ["datetime", "2024-01-01", "x"], ["timedelta", 10**12, 0, 0], ["deque", [], "x"]),
    *(["named", "1", ["a"], [1]], ["named", "P", ["class"], [1]], ["named", "P", ["a"], []]),
    *(["numpy.array", "|O", [1], b"12345678"], ["numpy.array", "<f8", [2], b"12345678"]),
    *(["numpy.array", "<f8", [-1], b""], ["numpy.array", "<f8", [2**62, 2**62], b""]),
    *(["numpy.array", "<f8", [True], b"12345678"], ["numpy.array", "|V8", [1], b"12345678"]),
    *(["numpy.array", "<U1", [1], b"\xff\xff\xff\xff"], ["numpy.array", "<U0", [EMPTY_TEXTS + 1], b""]),
    *(["numpy.array", "<M8[parsec]", [0], b""], ["numpy.dtype", "<i4,<i4"], ["numpy.objects", [2], [1]]),
    *(["torch.tensor", "nothing", [1], b"1", False, None], ["torch.tensor", "float32", [2], b"1234", False, None]),
    *(["torch.tensor", "int64", [0], b"", True, None], ["torch.device", "xla"], ["torch.size", [-1]]),
    *(["torch.tensor", "float32", [1], b"1234", False, ["list", []]], ["torch.dtype", "load"]),
    *(["pandas.index", None, ["list", []], "../x"], ["pandas.timestamp", 1, "ns", "dateutil//etc/x"]),
    *(["pandas.timestamp", 1, "ns", "/etc/passwd"], ["pandas.timestamp", 1, "Y", None], ["pandas.table"]),
    *(["pandas.series", None, ["pandas.range", None, 0, 9, 1], ["numpy.array", "<f8", [0], b""]],),
    *(["pandas.masked", "object", None, None], ["pandas.texts", "python", True, [1]], ["pickle", b"N."]),
    {"a": 1},
    nested(1),
]  # fmt: skip


@pytest.mark.parametrize("plain", FORGED, ids=lambda plain: repr(plain)[:50])
def test_what_no_encoder_made_is_refused(plain: Any) -> None:
    with pytest.raises(Forged):
        CODEC.decode(plain)


def test_a_byte_that_is_no_truth_value_is_made_one() -> None:
    found = CODEC.decode(["numpy.array", "|b1", [2], b"\x02\x00"])
    assert found.tobytes() == b"\x01\x00"
    tensor = CODEC.decode(["torch.tensor", "bool", [1], b"\x02", False, None])
    assert tensor.view(torch.uint8).tolist() == [1]
