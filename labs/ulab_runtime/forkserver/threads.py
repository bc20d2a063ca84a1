"""How many threads numerical libraries use: said by variables that they read when imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
NONE_IN_THE_PARENT = {
    # OpenBLAS and Arrow's allocator start theirs when imported, and a child would lack them.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_pools: list[Any] = []


def note_pools() -> None:
    """In the parent: find the libraries that have pools of threads, which takes a while."""
    if "numpy" in sys.modules:
        from threadpoolctl import ThreadpoolController

        _pools[:] = [ThreadpoolController()]


def wanted(env: Mapping[str, str]) -> int | None:
    """The number of threads that variables ask for; None when they don't."""
    values = (env.get(name, "") for name in THREADS)
    return next((int(value) for value in values if value.isdigit() and int(value)), None)


def use(env: Mapping[str, str]) -> None:
    """In a child: have as many threads as its variables ask for, too late for being read."""
    number = wanted(env)
    if number is None:
        return
    for pools in _pools:
        pools.limit(limits=number)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(number)
