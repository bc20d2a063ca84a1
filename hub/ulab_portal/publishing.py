"""Uploads of others' curricula: kept as files, proved and published by a process of its own."""

from __future__ import annotations

import io
import json
import re
import secrets
import shutil
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ulab_core.errors import Conflict, TooLarge
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_curricula.receiving import from_zip, take_in
from ulab_portal.beside import ENDED, REPORT, run_beside, said

LARGEST_MB = 20
LONGEST = timedelta(minutes=60)
MOST_SHOWN = 10
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_one_at_a_time = threading.Lock()


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


def receive(layout: Layout, content: bytes, name: str, person: str, language: str) -> None:
    """Keep a zip file and start to prove what is in it.

    Raises
    ------
    TooLarge, NotTaken
        It can't be taken in; nothing is kept.
    Conflict
        Another one is being proved.
    """
    if len(content) > LARGEST_MB * 1024 * 1024:
        raise TooLarge(mark("The file is larger than {most} MB."), most=LARGEST_MB)
    # Only to refuse at once what would be refused in any case.
    with tempfile.TemporaryDirectory(prefix="ulab-upload-") as scratch:
        take_in(from_zip(io.BytesIO(content)), Path(scratch) / "in")
    if not _one_at_a_time.acquire(blocking=False):
        raise Conflict(mark("Another upload is being proved. Try again when it is done."))
    try:
        now = datetime.now(UTC)
        folder = layout.uploads / f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        (folder / "curricula.zip").write_bytes(content)
        about = {"name": Path(name).name[:100], "person": person, "at": now.isoformat()}
        (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
        command = ("curricula", "publish", "--from", str(folder / "curricula.zip"))
        arguments = [*command, "--as", person, "--json"]
        run_beside(arguments, folder, language, LONGEST, _one_at_a_time.release)
    except BaseException:
        _one_at_a_time.release()
        raise


def uploads(layout: Layout, now: datetime) -> list[Upload]:
    """The newest uploads, the newest first; older ones are removed."""
    if not layout.uploads.is_dir():
        return []
    # Where the machine went down between the two files, there is no note yet.
    folders = sorted(
        (
            one
            for one in layout.uploads.iterdir()
            if _ID.fullmatch(one.name) and (one / "about.json").is_file()
        ),
        reverse=True,
    )
    for old in folders[MOST_SHOWN:]:
        shutil.rmtree(old, ignore_errors=True)
    return [_read(folder, now) for folder in folders[:MOST_SHOWN]]


def _read(folder: Path, now: datetime) -> Upload:
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    at = datetime.fromisoformat(about["at"])
    known = (folder.name, about["name"], about["person"], at)
    if not (folder / ENDED).is_file():
        late = now > at + LONGEST + timedelta(minutes=1)
        return Upload(*known, "interrupted" if late else "running")
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
