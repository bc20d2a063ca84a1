"""Similar passages in a class's submissions: comparing them in a sandbox, and what is kept of it.

It says what is similar and nothing about why.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ulab_core.database import Database
from ulab_core.errors import NotFound, UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import utc_now
from ulab_core.rights import Act
from ulab_core.settings import Settings
from ulab_coursework import store
from ulab_coursework.courses import find_assignment, require_right
from ulab_coursework.graded import replace_file
from ulab_coursework.ownwork import OwnCell, own_cells, template_of
from ulab_coursework.releases import lab_of
from ulab_coursework.similarity_lock import locked
from ulab_coursework.standing import Standing, class_standing
from ulab_runtime.limits import Limits
from ulab_runtime.sandbox import Mount, SandboxSpec, environment_mounts, run

TIME_S = 300
MEMORY_MB = 1024
RESULT_BYTES = 64 * 1024 * 1024
_WORK = "/home/compare"


class NotMade(UserError):
    """The comparison ended without a result."""


@dataclass(frozen=True)
class Pair:
    """The work of two students or groups.

    Attributes
    ----------
    people
        Their names in the gradebook.
    similarity
        How much of both together is similar, from 0 to 1.
    lines
        The similar lines of either side, numbered from 0 through all of their cells.
    """

    people: tuple[str, str]
    similarity: float
    lines: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


@dataclass(frozen=True)
class Report:
    """A class's comparison.

    Attributes
    ----------
    pairs
        Most similar first.
    cells
        What each student wrote when it was made.
    left_out
        Whose work could not be compared.
    called
        What to call each student or group.
    compared
        The submission of each that was compared.
    """

    made_at: datetime
    pairs: tuple[Pair, ...]
    cells: dict[str, tuple[OwnCell, ...]]
    left_out: tuple[str, ...]
    called: dict[str, str] = field(default_factory=dict)
    compared: dict[str, str] = field(default_factory=dict)

    def between(self, first: str, second: str) -> Pair:
        """The comparison of two students.

        Raises
        ------
        NotFound
            There is none.
        """
        for pair in self.pairs:
            if pair.people == (first, second):
                return pair
        raise NotFound(mark("There is nothing called {name}."), name=f"{first}, {second}")


def make_report(
    db: Database, layout: Layout, settings: Settings, course_id: str, assignment: str
) -> Report:
    """Compare the newest submissions of a class and keep the result.

    The caller has checked who asks.

    Raises
    ------
    BeingMade
        It is being made already.
    NotMade
        It took too long or too much memory.
    """
    with locked(layout, course_id, assignment):
        return make_locked(db, layout, settings, course_id, assignment)


def make_locked(
    db: Database, layout: Layout, settings: Settings, course_id: str, assignment: str
) -> Report:
    """`make_report` for a caller that holds the lock."""
    with db.read() as session:
        newest = newest_of(session, course_id, assignment)
        found = find_assignment(session, course_id, assignment)
        lab = lab_of(layout, found)
    releases = [json.loads(lab.release_notebook(one).read_bytes()) for one in lab.languages]
    cells = {
        entry: tuple(own_cells(json.loads(store.fetch(layout, one.sha256)), releases))
        for entry, (one, _) in newest.items()
    }
    documents = {name: document(own) for name, own in cells.items() if own}
    result = _compared(layout, settings, documents, template_of(releases))
    report = Report(
        utc_now(),
        tuple(map(_pair, result["pairs"])),
        cells,
        tuple(result["left_out"]),
        {entry: called for entry, (_, called) in newest.items()},
        {entry: one.id for entry, (one, _) in newest.items()},
    )
    content = asdict(report) | {"made_at": report.made_at.isoformat()}
    replace_file(
        layout.similarity_file(course_id, assignment),
        json.dumps(content, ensure_ascii=False).encode(),
    )
    return report


def newest_of(session: Session, course_id: str, assignment: str) -> dict[str, tuple[Standing, str]]:
    """Each student's or group's newest submission and what to call them; a group is one."""
    found: dict[str, tuple[Standing, str]] = {}
    for row in class_standing(session, course_id, assignment):
        if row.newest is not None:
            entry, called = row.newest.entry, row.display_name or row.person
            before = f"{found[entry][1]}, " if entry in found else ""
            found[entry] = (row.newest, before + called)
    return found


def read_report(
    db: Database, layout: Layout, course_id: str, assignment: str, person: str
) -> Report | None:
    """The report as it was last made, for who teaches the course; None when there is none.

    Raises
    ------
    NotAllowed
        `person` neither teaches this course nor assists in it.
    """
    with db.read() as session:
        require_right(session, course_id, person, Act.COMPARE)
        find_assignment(session, course_id, assignment)
    try:
        found = json.loads(layout.similarity_file(course_id, assignment).read_bytes())
    except FileNotFoundError:
        return None
    return Report(
        datetime.fromisoformat(found["made_at"]),
        tuple(_pair(each) for each in found["pairs"]),
        {name: tuple(OwnCell(**cell) for cell in own) for name, own in found["cells"].items()},
        tuple(found["left_out"]),
        found.get("called", {}),
        found.get("compared", {}),
    )


def document(cells: tuple[OwnCell, ...]) -> str:
    """A student's cells as one text, as they are compared."""
    return "\n".join(cell.source for cell in cells)


def _compared(
    layout: Layout, settings: Settings, documents: dict[str, str], template: str
) -> dict[str, Any]:
    """Run the comparison where what students wrote can do no harm."""
    work = Path(tempfile.mkdtemp(prefix="similarity-", dir=layout.run))
    try:
        given = json.dumps({"documents": documents, "template": template})
        (work / "given.json").write_text(given, encoding="utf-8")
        spec = _sandbox(work, settings)
        if spec.uid is not None:
            for path in (work, work / "given.json"):
                os.chown(path, spec.uid, -1)
        ended = run(spec, TIME_S)
        content = _read_result(work / "result.json")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if content is None:
        raise NotMade(
            mark(
                "The submissions could not be compared in the time and memory there are. The "
                "administrator finds the reason in the log."
            )
        ) from RuntimeError(ended.stdout_tail)
    return content


def _sandbox(work: Path, settings: Settings) -> SandboxSpec:
    return SandboxSpec(
        command=[
            sys.executable, "-m", "ulab_runtime.similarity",
            f"{_WORK}/given.json", f"{_WORK}/result.json",
        ],
        mounts=[
            *environment_mounts(("ulab_runtime", "ulab_core")),
            Mount(work, _WORK, writable=True),
        ],
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "MPLCONFIGDIR": "/tmp",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd=_WORK,
        network=False,
        limits=Limits(memory_mb=MEMORY_MB, cpus=1.0, processes=64, file_mb=256),
        # A user of its own: grading workers count down from the same base.
        uid=settings.accounts.uid_base - 1 - 500 if os.geteuid() == 0 else None,
        gid=settings.accounts.uid_base - 1 - 500 if os.geteuid() == 0 else None,
        user="compare",
    )  # fmt: skip


def _read_result(path: Path) -> dict[str, Any] | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read(RESULT_BYTES + 1) or b""
    try:
        value = json.loads(content) if len(content) <= RESULT_BYTES else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _pair(found: dict[str, Any]) -> Pair:
    (first, second), (left, right) = found["people"], found["lines"]
    return Pair((first, second), float(found["similarity"]), (tuple(left), tuple(right)))
