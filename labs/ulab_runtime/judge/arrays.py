"""NumPy's arrays and scalars as plain data: their bytes, never a pickle."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ulab_runtime.judge.crossing import Forged
from ulab_runtime.judge.values import DECODERS, ENCODERS, Codec, product

KINDS = "biufcmMSU"
_DTYPE = re.compile(r"[<>|=][biufcmMSU][0-9]{1,9}(\[[0-9a-zA-Z/]{1,20}\])?")
EMPTY_TEXTS = 1_000_000
_LAST_CHARACTER = 0x10FFFF


def dtype_named(text: Any) -> np.dtype[Any]:
    """
    Raises
    ------
    ValueError
        It is no name of a type of numbers, characters or times.
    """
    if type(text) is not str or not _DTYPE.fullmatch(text):
        raise ValueError("no dtype")
    return np.dtype(text)


def _encode_array(codec: Codec, value: Any, depth: int) -> list[Any]:
    if value.dtype.kind == "O":
        return ["numpy.objects", list(value.shape), codec.encode_all(value.ravel().tolist(), depth)]
    if value.dtype.kind not in KINDS:
        return codec.outgoing(value)
    return ["numpy.array", value.dtype.str, list(value.shape), value.tobytes()]


def read_array(dtype: Any, shape: Any, content: Any) -> np.ndarray[Any, Any]:
    """An array of the judge's own from what the other side says of one.

    Raises
    ------
    ValueError
        Its parts don't fit each other.
    """
    found = dtype_named(dtype)
    if type(content) is not bytes or product(shape) * found.itemsize != len(content):
        raise ValueError("an array that lies about its size")
    if found.itemsize == 0:
        # NumPy makes texts of one character of them: bytes of memory that no byte came for.
        if product(shape) > EMPTY_TEXTS:
            raise ValueError("an array of too many empty texts")
        return np.zeros(shape, found)
    flat = np.frombuffer(content, found)
    if found.kind == "b":
        # A byte that is neither 0 nor 1 is true, and yet unequal to True.
        return (flat.view(np.uint8) != 0).reshape(shape)
    if found.kind == "U" and len(content):
        points = np.frombuffer(content, found.byteorder.replace("|", "=") + "u4")
        if points.max() > _LAST_CHARACTER:
            raise ValueError("no character")
    return flat.reshape(shape).copy()


def _decode_array(codec: Codec, parts: list[Any], depth: int) -> np.ndarray[Any, Any]:
    dtype, shape, content = parts
    return read_array(dtype, shape, content)


def _decode_objects(codec: Codec, parts: list[Any], depth: int) -> np.ndarray[Any, Any]:
    shape, plain = parts
    found = codec.decode_all(plain, depth)
    if product(shape) != len(found):
        raise Forged("an array that lies about its size")
    made = np.empty(len(found), dtype=object)
    for place, value in enumerate(found):
        made[place] = value
    return made.reshape(shape)


def _encode_scalar(codec: Codec, value: Any, depth: int) -> list[Any]:
    return ["numpy.scalar", value.dtype.str, value.tobytes()]


def _decode_scalar(codec: Codec, parts: list[Any], depth: int) -> Any:
    dtype, content = parts
    return read_array(dtype, [], content)[()]


def _encode_dtype(codec: Codec, value: Any, depth: int) -> list[Any]:
    if value.kind == "O":
        return ["numpy.dtype", "O"]
    return ["numpy.dtype", value.str] if value.kind in KINDS else codec.outgoing(value)


def _decode_dtype(codec: Codec, parts: list[Any], depth: int) -> np.dtype[Any]:
    (text,) = parts
    return np.dtype(object) if text == "O" else dtype_named(text)


SCALARS = tuple({np.dtype(letter).type for letter in "?bhilqBHILQefdgFDGMmSU"})
ENCODERS[np.ndarray] = _encode_array
ENCODERS |= dict.fromkeys(SCALARS, _encode_scalar)
ENCODERS |= {type(np.dtype(kind)): _encode_dtype for kind in (*SCALARS, object)}
DECODERS |= {
    "numpy.array": _decode_array,
    "numpy.objects": _decode_objects,
    "numpy.scalar": _decode_scalar,
    "numpy.dtype": _decode_dtype,
}
READY = True
