"""Taking a team's whole workspace away: an archive that a plain MLflow opens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from ulab_core.audit import record
from ulab_mlflow.export_archive import archive
from ulab_portal.page import Page, acting
from ulab_teams.rights import Act, require

router = APIRouter(prefix="/teams/{team_id}/export.tar")


@router.post("")
def export(team_id: str, page: Annotated[Page, Depends(acting)]) -> Response:
    """All runs, files and models of the team, as a download."""
    portal = page.portal
    with portal.db.read() as session:
        require(session, team_id, page.user.name, Act.EXPORT)
    parts = archive(portal.settings, team_id)
    with portal.db.write() as session:
        record(session, page.user.name, "team.export", team_id)
    return StreamingResponse(
        parts,
        media_type="application/x-tar",
        headers={"content-disposition": f'attachment; filename="{team_id}-mlflow.tar"'},
    )
