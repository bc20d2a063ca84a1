"""Files named on the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark


class BadFile(UserError):
    """A named file can't be read or written."""


def require_file(path: Path) -> Path:
    """`path`, when it is a file we may read.

    Raises
    ------
    BadFile
    """
    if not path.is_file():
        raise BadFile(mark("There is no file {file}."), file=path)
    if not os.access(path, os.R_OK):
        raise BadFile(mark("The file {file} can't be read by you."), file=path)
    return path
