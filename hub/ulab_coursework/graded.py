"""What is kept of a graded submission, so that its feedback can be written when someone reads it.

Files beside each other under the submission's id and no columns: they are read one submission at
a time, a regrade replaces them as a whole, and the notebook has megabytes of pictures.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from ulab_core.layout import Layout
from ulab_runtime.judge.verdicts import Kind, Verdict


@dataclass(frozen=True)
class Mark:
    """What a cell has earned.

    Attributes
    ----------
    points
        None when a person has yet to give them; also None, without `max_points`, for a cell
        that has no points and only a comment.
    by_hand
        Whether a person gave them.
    """

    points: float | None
    max_points: float = 0.0
    comment: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class Remarks:
    """The grade ids of cells that had to be mended before grading."""

    missing: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marks:
    """What a feedback page shows besides the notebook and the verdicts.

    Attributes
    ----------
    cells
        By grade id.
    stamp
        Which state of the gradebook this is, as `shown_grades.grade_stamps` gives it.
    """

    cells: dict[str, Mark]
    stamp: str = ""
    remarks: Remarks = field(default_factory=Remarks)


def store_verdicts(layout: Layout, submission_id: str, verdicts: Sequence[Verdict]) -> None:
    """Keep what the judge found, in the place of what it found before."""
    content = json.dumps([asdict(verdict) for verdict in verdicts], ensure_ascii=False)
    replace_file(layout.verdicts_file(submission_id), content.encode())


def load_verdicts(layout: Layout, submission_id: str) -> tuple[Verdict, ...]:
    """What the judge found; nothing for a submission that it has not seen."""
    return tuple(_verdict(each) for each in _read(layout.verdicts_file(submission_id)) or ())


def _verdict(found: dict[str, Any]) -> Verdict:
    lines = {name: tuple(found.get(name, ())) for name in ("student_traceback", "test_lines")}
    return Verdict(**found | {"kind": Kind(found["kind"])} | lines)


def keep_notebook(layout: Layout, submission_id: str, notebook: nbformat.NotebookNode) -> None:
    """Keep the graded notebook, in the place of what was there."""
    replace_file(layout.graded_notebook(submission_id), nbformat.writes(notebook).encode())


def read_notebook(layout: Layout, submission_id: str) -> nbformat.NotebookNode:
    """The graded notebook.

    Raises
    ------
    FileNotFoundError
        It is not there.
    """
    content = layout.graded_notebook(submission_id).read_text(encoding="utf-8")
    return nbformat.reads(content, as_version=4)


def keep_marks(layout: Layout, submission_id: str, marks: Marks) -> None:
    """Keep points, comments and remarks; a page made before is out of date then."""
    content = json.dumps(asdict(marks), ensure_ascii=False)
    replace_file(layout.marks_file(submission_id), content.encode())


def load_marks(layout: Layout, submission_id: str) -> Marks | None:
    """Points, comments and remarks; None for a submission graded before they were kept."""
    found = _read(layout.marks_file(submission_id))
    if found is None:
        return None
    remarks = {name: tuple(cells) for name, cells in found["remarks"].items()}
    cells = {name: Mark(**mark) for name, mark in found["cells"].items()}
    return Marks(cells, found["stamp"], Remarks(**remarks))


def stamps(layout: Layout, submission_ids: Iterable[str]) -> dict[str, str]:
    """Which state of the gradebook each submission's feedback shows."""
    marks = {each: load_marks(layout, each) for each in submission_ids}
    return {each: found.stamp for each, found in marks.items() if found is not None}


def kept_page(layout: Layout, submission_id: str) -> str | None:
    """The feedback page, unless it is older than what it shows."""
    page, marks = layout.feedback_file(submission_id), layout.marks_file(submission_id)
    try:
        if marks.exists() and page.stat().st_mtime_ns != marks.stat().st_mtime_ns:
            return None
        return page.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def marks_time(layout: Layout, submission_id: str) -> int | None:
    """When the marks were written, in nanoseconds; asked for before what a page is made of."""
    try:
        return layout.marks_file(submission_id).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def keep_page(layout: Layout, submission_id: str, page: str, made_of_ns: int) -> None:
    """Keep a page under the time of the marks it shows, which tells later if it is still right."""
    replace_file(layout.feedback_file(submission_id), page.encode(), made_of_ns)


def replace_file(target: Path, content: bytes, time_ns: int | None = None) -> None:
    """Store a file in one step."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    try:
        temporary.write_bytes(content)
        if time_ns is not None:
            os.utime(temporary, ns=(time_ns, time_ns))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
