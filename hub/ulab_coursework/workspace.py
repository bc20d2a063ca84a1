"""A student's own files: where an assignment lies in the home, fetching it and handing it in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from ulab_core.errors import Conflict, NotFound, UserError
from ulab_core.i18n import mark
from ulab_coursework.notebooks import grade_id_of
from ulab_coursework.portal_client import PortalClient, language
from ulab_mlflow.marker import FILE as MARKER
from ulab_mlflow.marker import find_marker

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


class FetchedAlready(Conflict):
    """All files of the assignment are there; none is overwritten."""


class Unchanged(Conflict):
    """The notebook on the disk is still the one that was given out."""


def safe(name: str) -> str:
    """A course's, assignment's or file's name as one part of a path.

    Raises
    ------
    NotFound
        It could lead elsewhere.
    """
    if not _SAFE.fullmatch(name):
        raise NotFound(mark("There is nothing called {name}."), name=name)
    return name


def folder_of(root: Path, course: str, assignment: str) -> Path:
    return root / safe(course) / safe(assignment)


def notebook_of(root: Path, course: str, assignment: str) -> Path:
    return folder_of(root, course, assignment) / f"{assignment}.ipynb"


def fetch(client: PortalClient, root: Path, course: str, assignment: str) -> list[Path]:
    """Put the files of an assignment into the home; what is there already stays.

    Returns
    -------
    list of Path
        The files that were missing and are there now.
    """
    folder = folder_of(root, course, assignment)
    answer = client.get(
        "courses", course, "assignments", assignment, "release", language=language()
    )
    folder.mkdir(parents=True, exist_ok=True)
    written, digests = [], {}
    for name, encoded in answer["files"].items():
        content = base64.b64decode(encoded)
        digests[name] = work_in(content)
        target = folder / safe(name)
        if not target.exists():
            _write(target, content)
            written.append(target)
    marker = {"course": course, "assignment": assignment, "language": answer["language"]}
    marker |= _given_out_from(folder, answer, notebook_of(root, course, assignment) in written)
    _write(folder / MARKER, json.dumps(marker | {"released": digests}).encode())
    return written


def _given_out_from(folder: Path, answer: dict[str, Any], now: bool) -> dict[str, Any]:
    """The curriculum and version the notebook on the disk comes from.

    Parameters
    ----------
    now
        Whether it was written just now; one that was there already stays what it was, whatever
        version the course has moved to.
    """
    before = find_marker(folder)
    if not now and before is not None and before.version is not None:
        return {"curriculum": before.curriculum, "version": before.version}
    return {name: answer[name] for name in ("curriculum", "version") if name in answer}


def submit(
    client: PortalClient, root: Path, course: str, assignment: str, via: str, changed: bool = False
) -> dict[str, Any]:
    """Hand in the notebook as it was last saved, and return the portal's receipt.

    Parameters
    ----------
    changed
        Whether to refuse a notebook that nobody has written anything in.

    Raises
    ------
    NotFound
        There is no notebook.
    Unchanged
        It is still as it was given out.
    """
    path = notebook_of(root, course, assignment)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(
            mark("There is no {path} in your files. Open the lab first, then submit it."),
            path=path.relative_to(root),
        ) from None
    except OSError as error:
        raise UserError(
            mark("{path} can't be read: {reason}."),
            path=path.relative_to(root),
            reason=error.strerror,
        ) from None
    if changed and _released_work(path) == work_in(content):
        raise Unchanged(
            mark(
                "The saved notebook has no work in it yet. If you have worked on it, save it in "
                "JupyterLab (Ctrl+S) and submit again."
            )
        )
    receipt: dict[str, Any] = client.post_bytes(
        "courses", course, "assignments", assignment, "submissions", content=content, via=via
    )
    return receipt


def work_in(content: bytes) -> str:
    """A digest of what a student can write in a notebook: the cells that are not locked.

    Saving a notebook or running it changes its bytes; neither is work.
    """
    try:
        cells = json.loads(content)["cells"]
        own = [
            (grade_id_of(cell), cell["cell_type"], "".join(cell["source"]))
            for cell in cells
            if not cell["metadata"].get("nbgrader", {}).get("locked")
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()


def _released_work(notebook: Path) -> str | None:
    try:
        marker = json.loads((notebook.parent / MARKER).read_bytes())
        found = marker["released"][notebook.name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
