"""pandas' tables, columns, indexes and moments as plain data."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from ulab_runtime.judge.values import DECODERS, ENCODERS, Codec

_ZONE = re.compile(r"[A-Za-z0-9_+\-:]{1,40}(/[A-Za-z0-9_+\-]{1,40}){0,2}")
_UNITS = ("s", "ms", "us", "ns")
_MASKED = re.compile(r"(U?Int(8|16|32|64)|Float(32|64)|boolean)")


def _encode_values(codec: Codec, values: Any, depth: int) -> list[Any]:
    """The array that a column or an index is made of."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype) or isinstance(values, pd.arrays.NumpyExtensionArray):
        return codec.encode(np.asarray(values), depth)
    if isinstance(dtype, pd.StringDtype):
        texts = [text if type(text) is str else None for text in values.astype(object)]
        return ["pandas.texts", dtype.storage, dtype.na_value is pd.NA, texts]
    if isinstance(dtype, pd.CategoricalDtype):
        codes = codec.encode(np.asarray(values.codes), depth)
        return ["pandas.categories", codes, codec.encode(dtype.categories, depth), dtype.ordered]
    if isinstance(dtype, pd.DatetimeTZDtype):
        plain = codec.encode(np.asarray(values.tz_convert("UTC").tz_localize(None)), depth)
        return ["pandas.zoned", plain, str(dtype.tz)]
    if _MASKED.fullmatch(str(dtype)):
        plain = codec.encode(values._data, depth), codec.encode(values._mask, depth)
        return ["pandas.masked", str(dtype), *plain]
    if isinstance(dtype, pd.IntervalDtype):
        sides = [codec.encode(side, depth) for side in (values.left, values.right)]
        return ["pandas.intervals", *sides, dtype.closed]
    if isinstance(dtype, pd.PeriodDtype):
        return ["pandas.periods", codec.encode(values.asi8, depth), dtype.freq.freqstr]
    return codec.outgoing(values)


def _decode_texts(codec: Codec, parts: list[Any], depth: int) -> Any:
    storage, with_na, texts = parts
    if storage not in ("python", "pyarrow") or not set(map(type, texts)) <= {str, type(None)}:
        raise ValueError("no texts")
    dtype = pd.StringDtype(storage, na_value=pd.NA if with_na is True else np.nan)
    return pd.array(texts, dtype=dtype)


def _decode_categories(codec: Codec, parts: list[Any], depth: int) -> Any:
    codes, categories, ordered = parts
    kinds = pd.CategoricalDtype(codec.decode(categories, depth), ordered=ordered is True)
    return pd.Categorical.from_codes(codec.decode(codes, depth), dtype=kinds)


def _decode_zoned(codec: Codec, parts: list[Any], depth: int) -> Any:
    plain, zone = parts
    return (
        pd.DatetimeIndex(codec.decode(plain, depth))
        .tz_localize("UTC")
        .tz_convert(_zone(zone))
        .array
    )


def _zone(name: Any) -> str:
    # Others name files, which are then read.
    if type(name) is not str or not _ZONE.fullmatch(name) or name.startswith("dateutil"):
        raise ValueError("no time zone")
    return name


def _decode_masked(codec: Codec, parts: list[Any], depth: int) -> Any:
    name, content, mask = parts
    if not _MASKED.fullmatch(name):
        raise ValueError("no such column")
    kind = pd.array([], dtype=name)
    values, missing = codec.decode(content, depth), codec.decode(mask, depth)
    if values.dtype != kind._data.dtype or missing.dtype != bool or values.shape != missing.shape:
        raise ValueError("no such column")
    return type(kind)(values, missing)


def _decode_intervals(codec: Codec, parts: list[Any], depth: int) -> Any:
    left, right, closed = parts
    sides = codec.decode(left, depth), codec.decode(right, depth)
    return pd.arrays.IntervalArray.from_arrays(*sides, closed=closed)


def _decode_periods(codec: Codec, parts: list[Any], depth: int) -> Any:
    ordinals, freq = parts
    return pd.PeriodIndex.from_ordinals(codec.decode(ordinals, depth), freq=_freq(freq)).array


def _freq(text: Any) -> Any:
    if text is None:
        return None
    if type(text) is not str or len(text) > 40:
        raise ValueError("no frequency")
    return pd.tseries.frequencies.to_offset(text)


def _encode_index(codec: Codec, value: Any, depth: int) -> list[Any]:
    name = codec.encode(value.name, depth)
    if type(value) is pd.RangeIndex:
        return ["pandas.range", name, value.start, value.stop, value.step]
    freq = getattr(value, "freq", None)
    timed = type(value) in (pd.DatetimeIndex, pd.TimedeltaIndex) and freq is not None
    content = _encode_values(codec, value.array, depth)
    return ["pandas.index", name, content, freq.freqstr if timed and freq is not None else None]


def _decode_range(codec: Codec, parts: list[Any], depth: int) -> Any:
    name, *bounds = parts
    return pd.RangeIndex(*bounds, name=codec.decode(name, depth))


def _decode_index(codec: Codec, parts: list[Any], depth: int) -> Any:
    name, plain, freq = parts
    content = codec.decode(plain, depth)
    more = {"dtype": object} if isinstance(content, np.ndarray) and content.dtype == object else {}
    made = pd.Index(content, name=codec.decode(name, depth), **more)
    if freq is not None:
        made.freq = _freq(freq)  # it checks that the moments are so far apart
    return made


def _encode_levels(codec: Codec, value: Any, depth: int) -> list[Any]:
    levels = [_encode_index(codec, value.get_level_values(n), depth) for n in range(value.nlevels)]
    return ["pandas.levels", levels]


def _decode_levels(codec: Codec, parts: list[Any], depth: int) -> Any:
    levels = codec.decode_all(parts[0], depth)
    return pd.MultiIndex.from_arrays(levels, names=[level.name for level in levels])


def _encode_series(codec: Codec, value: Any, depth: int) -> list[Any]:
    content = _encode_values(codec, value.array, depth)
    name = codec.encode(value.name, depth)
    return ["pandas.series", name, codec.encode(value.index, depth), content]


def _decode_series(codec: Codec, parts: list[Any], depth: int) -> Any:
    name, index, content = (codec.decode(part, depth) for part in parts)
    _check_index(index, content)
    return pd.Series(content, index=index, name=name, copy=False)


def _check_index(index: Any, content: Any) -> None:
    if not isinstance(index, pd.Index) or len(index) != len(content) or content.ndim != 1:
        raise ValueError("a column that is longer than its index")


def _encode_table(codec: Codec, value: Any, depth: int) -> list[Any]:
    columns = [
        _encode_values(codec, value.iloc[:, place].array, depth) for place in range(value.shape[1])
    ]
    names = codec.encode(value.columns, depth)
    return ["pandas.table", names, codec.encode(value.index, depth), columns]


def _decode_table(codec: Codec, parts: list[Any], depth: int) -> Any:
    names, index = codec.decode(parts[0], depth), codec.decode(parts[1], depth)
    columns = codec.decode_all(parts[2], depth)
    for column in columns:
        _check_index(index, column)
    made = pd.DataFrame(dict(enumerate(columns)), index=index)
    made.columns = names
    return made


def _encode_moment(tag: str) -> Any:
    def encode(codec: Codec, value: Any, depth: int) -> list[Any]:
        zone = getattr(value, "tz", None)
        return [tag, value._value, value.unit, None if zone is None else str(zone)]

    return encode


def _decode_timestamp(codec: Codec, parts: list[Any], depth: int) -> Any:
    number, unit, zone = parts
    made = pd.Timestamp(number, unit=_unit(unit)).as_unit(unit)
    return made if zone is None else made.tz_localize("UTC").tz_convert(_zone(zone))


def _decode_timedelta(codec: Codec, parts: list[Any], depth: int) -> Any:
    number, unit, _ = parts
    return pd.Timedelta(number, unit=_unit(unit)).as_unit(unit)


def _unit(name: Any) -> Any:
    if name not in _UNITS:
        raise ValueError("no unit")
    return name


ENCODERS |= {
    pd.DataFrame: _encode_table,
    pd.Series: _encode_series,
    pd.MultiIndex: _encode_levels,
    pd.Timestamp: _encode_moment("pandas.timestamp"),
    pd.Timedelta: _encode_moment("pandas.timedelta"),
    type(pd.NaT): lambda c, v, d: ["pandas.nat"],
    type(pd.NA): lambda c, v, d: ["pandas.na"],
}
ENCODERS |= dict.fromkeys(
    (
        *(pd.Index, pd.RangeIndex, pd.DatetimeIndex, pd.TimedeltaIndex),
        *(pd.CategoricalIndex, pd.IntervalIndex, pd.PeriodIndex),
    ),
    _encode_index,
)
ENCODERS |= dict.fromkeys(
    (
        *(pd.Categorical, pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray),
        *(pd.arrays.StringArray, pd.arrays.ArrowStringArray, pd.arrays.IntervalArray),
    ),
    _encode_values,
)
DECODERS |= {
    "pandas.texts": _decode_texts,
    "pandas.categories": _decode_categories,
    "pandas.zoned": _decode_zoned,
    "pandas.masked": _decode_masked,
    "pandas.intervals": _decode_intervals,
    "pandas.periods": _decode_periods,
    "pandas.range": _decode_range,
    "pandas.index": _decode_index,
    "pandas.levels": _decode_levels,
    "pandas.series": _decode_series,
    "pandas.table": _decode_table,
    "pandas.timestamp": _decode_timestamp,
    "pandas.timedelta": _decode_timedelta,
    "pandas.nat": lambda c, p, d: pd.NaT,
    "pandas.na": lambda c, p, d: pd.NA,
}
READY = True
