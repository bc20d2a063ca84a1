"""Files named on the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark


class BadFile(UserError):
    """A named file can't be read or written."""


def write_text(path: Path, text: str) -> None:
    """Write `text` into the file, in UTF-8.

    Raises
    ------
    BadFile
        It can't be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadFile(
            mark("The file {file} can't be written: {why}"), file=path, why=error.strerror
        ) from None


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
