"""What a notebook imports: data, tracking, the device, and words in the student's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ulab.language import language, say

if TYPE_CHECKING:
    from ulab.arrays import Arrays, Images
    from ulab.at_student import at_student
    from ulab.data import load
    from ulab.errors import ULabError
    from ulab.fonts import use_fonts
    from ulab.machine import device, grading
    from ulab.models import register
    from ulab.tracking import track

__all__ = [
    "Arrays",
    "Images",
    "ULabError",
    "at_student",
    "device",
    "grading",
    "language",
    "load",
    "register",
    "say",
    "track",
    "use_fonts",
]

_HOMES = {
    "Arrays": "ulab.arrays",
    "Images": "ulab.arrays",
    "ULabError": "ulab.errors",
    "at_student": "ulab.at_student",
    "device": "ulab.machine",
    "grading": "ulab.machine",
    "load": "ulab.data",
    "register": "ulab.models",
    "track": "ulab.tracking",
    "use_fonts": "ulab.fonts",
}


def __getattr__(name: str) -> Any:
    # Imported when first asked for: a notebook that only says() must not wait for numpy or torch.
    import importlib

    if name == "tracking":
        return importlib.import_module("ulab.tracking")
    if name not in _HOMES:
        raise AttributeError(f"module 'ulab' has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
