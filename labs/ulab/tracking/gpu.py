"""How busy the GPUs are, asked of NVIDIA's own library; nothing where there is none.

The library comes with the driver. MLflow asks it through the package nvidia-ml-py, which is not
installed; the four calls here need none.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator

LIBRARY = "libnvidia-ml.so.1"


class _Utilization(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


def gpus() -> Iterator[dict[str, float]]:
    """Each GPU's memory, load and power, as far as the driver tells, under MLflow's names."""
    library = _library()
    if library is None:
        return
    count = ctypes.c_uint()
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)):
        return
    for number in range(count.value):
        device = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(device)):
            # Another's lease: this sandbox has not its device.
            continue
        found: dict[str, float] = {}
        load, memory, milliwatts = _Utilization(), _Memory(), ctypes.c_uint()
        # Each call answers 0 when it worked.
        if not library.nvmlDeviceGetUtilizationRates(device, ctypes.byref(load)):
            found["utilization_percentage"] = float(load.gpu)
        if not library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)) and memory.total:
            found["memory_usage_megabytes"] = memory.used / 1e6
            found["memory_usage_percentage"] = memory.used / memory.total * 100
        if not library.nvmlDeviceGetPowerUsage(device, ctypes.byref(milliwatts)):
            found["power_usage_watts"] = milliwatts.value / 1000
        if found:
            yield found


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(LIBRARY)
        return None if library.nvmlInit_v2() else library
    except (OSError, AttributeError):
        return None
