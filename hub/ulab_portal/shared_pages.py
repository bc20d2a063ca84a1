"""What a link to a team's run or model shows: one page, and its files, to whom it is meant for."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import FileResponse, Response

from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.team_models import Share, SharedThing
from ulab_mlflow.artifacts import MOST_FILES, KeptFile, file_at, files_below
from ulab_mlflow.cards import WORDS
from ulab_mlflow.reading import Reader, Run, Version
from ulab_portal.called import called
from ulab_portal.guard import STUDENT_CONTENT_POLICY
from ulab_portal.page import Page, reading
from ulab_portal.run_words import STATUSES
from ulab_teams.shares import follow
from ulab_teams.teams import find_team

router = APIRouter(prefix="/shared")
MOST_CURVES = 24


@dataclass(frozen=True)
class Shown:
    """What one link leads to, read anew each time it is followed."""

    share: Share
    run: Run | None
    version: Version | None
    root: Path | None

    @property
    def title(self) -> str:
        if self.version is not None:
            return f"{self.version.model} {self.version.number}"
        return self.run.name or self.run.id if self.run is not None else ""

    def files(self) -> list[KeptFile]:
        return files_below(self.root) if self.root is not None else []


@dataclass(frozen=True)
class Names:
    """Who shares it, of which team, with which other one; None: with everyone."""

    sharer: str
    team: str
    audience: str | None


def look(page: Page, share_id: str) -> tuple[Shown, Names]:
    """What the link shows to whoever asks, and who shares it with whom.

    Raises
    ------
    NotFound
        It shows them nothing, or what it led to is gone.
    MlflowDown
        MLflow doesn't answer.
    """
    with page.portal.db.read() as session:
        found = follow(session, share_id, page.user.name)
        names = Names(
            called(session, [found.created_by])[found.created_by],
            find_team(session, found.team_id).title,
            find_team(session, found.audience_id).title if found.audience_id else None,
        )
    return _read(page.portal.reader, found), names


def _read(reader: Reader, share: Share) -> Shown:
    if share.kind is SharedThing.RUN:
        run = reader.run(share.team_id, share.name)
        return Shown(share, run, None, run.files)
    version = reader.version(share.team_id, share.name, share.version or "")
    root = reader.files_of(share.team_id, version)
    return Shown(share, _maker(reader, share.team_id, version), version, root)


def _maker(reader: Reader, team_id: str, version: Version) -> Run | None:
    """The run that made a version; a model outlives it."""
    if not version.run_id:
        return None
    try:
        return reader.run(team_id, version.run_id)
    except NotFound:
        return None


@router.get("/{share_id}")
def shared(share_id: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """The run or model that a link leads to."""
    shown, names = look(page, share_id)
    files = shown.files()
    return page.answer(
        "shared.html",
        current="teams",
        shown=shown,
        run=shown.run,
        version=shown.version,
        names=names,
        files=files,
        more_files=len(files) >= MOST_FILES,
        curves=_curves(page.portal.reader, shown),
        statuses=STATUSES,
        card_words=WORDS,
        quote=quote,
    )


@router.get("/{share_id}/files/{path:path}")
def download(share_id: str, path: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """One of its files, which a browser keeps and never opens."""
    shown, _ = look(page, share_id)
    if shown.root is None:
        raise NotFound(mark("There is no such file here."))
    file = file_at(shown.root, path)
    return FileResponse(
        file,
        media_type="application/octet-stream",
        filename=file.name,
        content_disposition_type="attachment",
        headers={"content-security-policy": STUDENT_CONTENT_POLICY},
    )


def _curves(reader: Reader, shown: Shown) -> list[tuple[str, str, int]]:
    """Name, points as JSON, and how many, of each metric that was logged more than once."""
    found = []
    if shown.run is None:
        return []
    for name in list(shown.run.metrics)[:MOST_CURVES]:
        points = reader.curve(shown.share.team_id, shown.run.id, name)
        points = [point for point in points if math.isfinite(point[1])]
        if len(points) > 1:
            found.append((name, json.dumps(points), len(points)))
    return found
