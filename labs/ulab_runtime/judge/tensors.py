"""PyTorch's tensors and their sizes, types and devices as plain data."""

from __future__ import annotations

import re
from typing import Any

import torch

from ulab_runtime.judge.values import DECODERS, ENCODERS, Codec, product

_NAMES = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex32",
    "complex64",
    "complex128",
    "float8_e4m3fn",
    "float8_e5m2",
]
DTYPES = {name: getattr(torch, name) for name in _NAMES if hasattr(torch, name)}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
_DEVICE = re.compile(r"(cpu|cuda|meta|mps)(:[0-9]{1,3})?")


def _encode_tensor(codec: Codec, value: Any, depth: int) -> list[Any]:
    if value.dtype not in NAMES or value.layout is not torch.strided or value.device.type == "meta":
        return codec.outgoing(value)
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    content = plain.reshape(-1).view(torch.uint8).numpy().tobytes()
    gradient = value.grad if value.is_leaf else None
    return [
        "torch.tensor",
        NAMES[value.dtype],
        list(value.shape),
        content,
        value.requires_grad,
        None if gradient is None else _encode_tensor(codec, gradient, depth),
    ]


def _decode_tensor(codec: Codec, parts: list[Any], depth: int) -> torch.Tensor:
    name, shape, content, wanted, gradient = parts
    dtype = DTYPES[name]
    if type(content) is not bytes or product(shape) * dtype.itemsize != len(content):
        raise ValueError("a tensor that lies about its size")
    try:
        made = _read(dtype, shape, content)
        if wanted is True:
            made.requires_grad_(True)
        if gradient is not None:
            found = codec.decode(gradient, depth)
            if type(found) is not torch.Tensor or found.shape != made.shape:
                raise ValueError("no gradient")
            made.grad = found
    except RuntimeError:
        raise ValueError("no tensor") from None
    return made


def _read(dtype: torch.dtype, shape: list[int], content: bytes) -> torch.Tensor:
    if not content:
        return torch.empty(shape, dtype=dtype)
    # Of a copy: PyTorch would share, and could be told to write to, bytes that never change.
    flat = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    if dtype is torch.bool:
        return (flat != 0).reshape(shape)
    return flat.view(dtype).reshape(shape)


def _decode_size(codec: Codec, parts: list[Any], depth: int) -> torch.Size:
    product(parts[0])
    return torch.Size(parts[0])


def _encode_device(codec: Codec, value: Any, depth: int) -> list[Any]:
    return ["torch.device", str(value)]


def _decode_device(codec: Codec, parts: list[Any], depth: int) -> torch.device:
    (text,) = parts
    if not _DEVICE.fullmatch(text):
        raise ValueError("no device")
    return torch.device(text)


ENCODERS |= {
    torch.Tensor: _encode_tensor,
    torch.nn.Parameter: _encode_tensor,
    torch.Size: lambda c, v, d: ["torch.size", list(v)],
    torch.dtype: lambda c, v, d: ["torch.dtype", NAMES[v]] if v in NAMES else c.outgoing(v),
    torch.device: _encode_device,
}
DECODERS |= {
    "torch.tensor": _decode_tensor,
    "torch.size": _decode_size,
    "torch.dtype": lambda c, p, d: DTYPES[p[0]],
    "torch.device": _decode_device,
}
READY = True
