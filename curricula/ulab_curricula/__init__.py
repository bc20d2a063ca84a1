"""Labs and curricula as checked content: manifests, building, checking, publishing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ulab_curricula.build import build_lab
    from ulab_curricula.check import Report, check_lab
    from ulab_curricula.errors import BadLab
    from ulab_curricula.labs import Curriculum, Lab, find_labs, load_curriculum, load_lab
    from ulab_curricula.publication import (
        PublishedCurriculum,
        PublishedLab,
        load_built,
        load_published,
        publish,
        published,
    )

__all__ = [
    "BadLab",
    "Curriculum",
    "Lab",
    "PublishedCurriculum",
    "PublishedLab",
    "Report",
    "build_lab",
    "check_lab",
    "find_labs",
    "load_built",
    "load_curriculum",
    "load_lab",
    "load_published",
    "publish",
    "published",
]

_HOMES = {
    "BadLab": "errors",
    "Curriculum": "labs",
    "Lab": "labs",
    "PublishedCurriculum": "publication",
    "PublishedLab": "publication",
    "Report": "check",
    "build_lab": "build",
    "check_lab": "check",
    "find_labs": "labs",
    "load_built": "publication",
    "load_curriculum": "labs",
    "load_lab": "labs",
    "load_published": "publication",
    "publish": "publication",
    "published": "publication",
}


def __getattr__(name: str) -> Any:
    # The portal only reads what is published: it must not load nbgrader's converters for that.
    if name not in _HOMES:
        raise AttributeError(f"module 'ulab_curricula' has no attribute {name!r}")
    import importlib

    found = getattr(importlib.import_module(f"ulab_curricula.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
