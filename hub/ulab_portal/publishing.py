"""Uploads of curricula: kept as files, proved and published by a process of its own."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ulab_core.errors import Conflict, TooLarge
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_curricula.receiving import from_zip, take_in
from ulab_portal import turns
from ulab_portal.beside import ENDED, GIVEN, REPORT, noted, run_beside, said, state

LARGEST_MB = 20
LONGEST = timedelta(minutes=60)
MOST_KEPT = 10
"""Of each person."""
MOST_SHOWN = 30
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
# One at a time over the base, so nobody has two.
_TURN = ".turn"


@dataclass(frozen=True)
class Upload:
    """An upload and what came of it.

    Attributes
    ----------
    state
        ``running``, ``published``, ``refused`` or ``interrupted``.
    versions
        What was published: the curriculum and its version.
    problems
        Why not all was, in the language of whoever uploaded it.
    """

    id: str
    name: str
    person: str
    at: datetime
    state: str
    versions: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()


def busy(person: str, whose: str) -> Conflict:
    """What someone is told whose upload has to wait; others learn no names."""
    if person == whose:
        return Conflict(mark("Your last upload is still being proved. Wait until it is done."))
    return Conflict(
        mark(
            "The base is proving someone else's upload, one at a time. Try again in a few minutes."
        )
    )


def receive(
    layout: Layout, content: bytes, name: str, person: str, language: str, *, administers: bool
) -> None:
    """Keep a zip file and start to prove what is in it.

    Parameters
    ----------
    administers
        Whether the person may publish under any name; otherwise under their own and new ones.

    Raises
    ------
    TooLarge, NotTaken
        It can't be taken in; nothing is kept.
    Conflict
        Another one is being proved.
    """
    if len(content) > LARGEST_MB * 1024 * 1024:
        raise TooLarge(mark("The file is larger than {most} MB."), most=LARGEST_MB)
    try:
        turn = turns.take(layout.uploads / _TURN, person)
    except turns.Taken as taken:
        raise busy(person, taken.whose) from None
    with turn:
        # Only to refuse at once what would be refused in any case.
        with tempfile.TemporaryDirectory(prefix="ulab-upload-") as scratch:
            take_in(from_zip(io.BytesIO(content)), Path(scratch) / "in")
        folder = layout.uploads / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        folder.mkdir()
        (folder / GIVEN).write_bytes(content)
        command = ("curricula", "publish", "--from", str(folder / GIVEN), "--as", person)
        arguments = [*command, *(() if administers else ("--own-names",)), "--json"]
        run_beside(
            arguments, folder, language, LONGEST, turn, name=Path(name).name[:100], person=person
        )


def uploads(layout: Layout, person: str | None = None) -> list[Upload]:
    """The newest uploads of one person, or of all; the newest first.

    More than `MOST_KEPT` of one person are removed, the oldest first.
    """
    if not layout.uploads.is_dir():
        return []
    folders = [one for one in layout.uploads.iterdir() if _ID.fullmatch(one.name)]
    kept: dict[str, list[Upload]] = {}
    found = []
    for folder in sorted(folders, reverse=True):
        one = _read(folder)
        if one is None:
            continue
        theirs = kept.setdefault(one.person, [])
        if len(theirs) == MOST_KEPT:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        theirs.append(one)
        found.append(one)
    return (found if person is None else kept.get(person, []))[:MOST_SHOWN]


def _read(folder: Path) -> Upload | None:
    about = noted(folder)
    if about is None:
        return None
    known = (folder.name, about["name"], about["person"], about["at"])
    how = state(folder)
    if how != "ended":
        return Upload(*known, how)
    report = _json(folder / REPORT)
    versions = tuple(
        (one["curriculum"], one["version"]) for one in report if one["version"] is not None
    )
    problems = [
        f"{lab['lab']}: {problem}"
        for one in report
        for lab in one["labs"]
        for problem in lab["problems"]
    ]
    errors = said(folder)
    if errors and not report:
        problems.append(errors)
    ok = (folder / ENDED).read_text() == "0"
    return Upload(
        *known, "published" if ok else "refused", versions, tuple(dict.fromkeys(problems))
    )


def _json(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return []
    return found if isinstance(found, list) else []
