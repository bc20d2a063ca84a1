"""CSV files as spreadsheets write them: read into rows, with every mistake named by its line."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar

from ulab_core.errors import UserError
from ulab_core.i18n import mark


class BadLine(UserError):
    """What is wrong with one line."""

    def __init__(self, line: int, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.line = line

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        where = translate(mark("Line {line}: ")).format(line=self.line)
        return where + super().sentence(translate)


class BadFile(UserError):
    """A file that was refused as a whole, with every line that is wrong."""

    said: ClassVar[str] = mark("The file has mistakes, and nothing was changed.")

    def __init__(self, problems: Collection[BadLine]) -> None:
        super().__init__(self.said)
        self.problems = sorted(problems, key=lambda problem: problem.line)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        lines = [problem.sentence(translate) for problem in self.problems]
        return "\n".join([super().sentence(translate), *lines])


def read_rows(
    content: bytes, columns: Mapping[str, tuple[str, ...]], refusal: type[BadFile] = BadFile
) -> list[tuple[int, dict[str, str]]]:
    """Read a table whose header names its columns.

    Parameters
    ----------
    content
        CSV as Excel, WPS or a text editor writes it: UTF-8 with or without a mark, UTF-16 or GBK;
        separated by commas, semicolons or tabs.
    columns
        By key, the titles that a column may have; an English and a Chinese one come first.

    Returns
    -------
    list
        For each row that is not empty, its line in the file, counted from 1, and its cells by key.

    Raises
    ------
    BadFile
        As `refusal`: it is no such table.
    """
    try:
        return _rows(_decode(content), columns)
    except BadLine as problem:
        raise refusal([problem]) from None
    except _BadHeader as found:
        raise refusal(found.problems) from None


class _BadHeader(Exception):
    def __init__(self, problems: Collection[BadLine]) -> None:
        super().__init__()
        self.problems = problems


def _rows(text: str, columns: Mapping[str, tuple[str, ...]]) -> list[tuple[int, dict[str, str]]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        cells = [(lines.line_num, [_clean(cell) for cell in line]) for line in lines]
    except csv.Error:
        raise BadLine(
            lines.line_num, mark("this is not CSV (a quotation mark is left open?).")
        ) from None
    cells = [(number, line) for number, line in cells if any(line)]
    if not cells:
        raise BadLine(1, mark("the file is empty."))
    header_line, header = cells[0]
    places = _places(header_line, header, columns)
    padding = [""] * len(header)
    return [
        (number, {key: (line + padding)[place] for key, place in places.items()})
        for number, line in cells[1:]
    ]


def _decode(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        raise BadLine(1, mark("this is an Excel workbook; save it as “CSV UTF-8” and try again."))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadLine(1, mark("this is not a text file; save it as “CSV UTF-8”."))


def _delimiter(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",\t;", key=header.count)


def _clean(cell: str) -> str:
    # Full-width letters and digits, as Chinese input methods write them, count as plain ones.
    return " ".join(unicodedata.normalize("NFKC", cell).split())


def _places(
    number: int, header: list[str], columns: Mapping[str, tuple[str, ...]]
) -> dict[str, int]:
    known = {title: key for key, titles in columns.items() for title in titles}
    places: dict[str, int] = {}
    problems = []
    for place, title in enumerate(header):
        key = known.get(title.lower().replace("_", " "))
        if key in places:
            problems.append(
                BadLine(number, mark("the column “{title}” is there twice."), title=title)
            )
        elif key:
            places[key] = place
    problems += [
        BadLine(
            number,
            mark("the column “{english}” (“{chinese}”) is missing from the header."),
            english=titles[0],
            chinese=titles[1],
        )
        for key, titles in columns.items()
        if key not in places
    ]
    if problems:
        raise _BadHeader(problems)
    return places
