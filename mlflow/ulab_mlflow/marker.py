"""The file beside a fetched notebook that says which assignment a folder belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = ".ulab.json"


class Place(NamedTuple):
    """An assignment of a course."""

    course: str
    assignment: str


class Marker(NamedTuple):
    """What the file says.

    Attributes
    ----------
    place
        The assignment.
    curriculum, version
        What the notebook was given out from; None where an older base wrote the file.
    """

    place: Place
    curriculum: str | None = None
    version: str | None = None


def find_marker(start: Path) -> Marker | None:
    """The marker of the folder that `start` is, or lies in; None outside of any assignment's.

    Only a hint about where runs should go: who may log there is decided by the server.
    """
    for folder in (start, *start.parents):
        try:
            content = json.loads((folder / FILE).read_text(encoding="utf-8"))
            course, assignment = content["course"], content["assignment"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(course, str) and isinstance(assignment, str) and course and assignment:
            return Marker(
                Place(course, assignment), _text(content, "curriculum"), _text(content, "version")
            )
    return None


def find_place(start: Path) -> Place | None:
    """The assignment whose folder `start` is, or lies in; None outside of any."""
    found = find_marker(start)
    return found.place if found else None


def _text(content: dict[str, Any], name: str) -> str | None:
    found = content.get(name)
    return found if isinstance(found, str) and found else None
