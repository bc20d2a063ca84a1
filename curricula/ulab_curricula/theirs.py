"""Names files of others as their own folder or repository has them, not as our copy lies."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from ulab_core.errors import UserError
from ulab_curricula.errors import BadTest


def named_as_theirs(problem: UserError, root: Path) -> None:
    """Have a problem's files said as they lie below `root`, our copy's folder."""
    problem.values = {name: _theirs(value, root) for name, value in problem.values.items()}
    if isinstance(problem, BadTest):
        problem.place = dataclasses.replace(problem.place, file=below(root, problem.place.file))


def below(root: Path, file: Path) -> Path:
    """A file as seen from `root`, when it lies there."""
    return file.relative_to(root) if file.is_relative_to(root) else file


def _theirs(value: object, root: Path) -> object:
    if isinstance(value, Path):
        return below(root, value)
    if isinstance(value, UserError):
        named_as_theirs(value, root)
        return value
    # Other errors name files in their words, and shortened paths are texts already.
    said = str(value) if isinstance(value, str | Exception) else ""
    for spelt in (str(root), os.path.relpath(root)):
        said = said.replace(f"{spelt}{os.sep}", "")
    return said or value
