"""What teams' roles and the states of a request are called on pages."""

from __future__ import annotations

from ulab_core.i18n import mark
from ulab_core.team_models import TeamRequest, TeamRole

ROLES = {
    TeamRole.OWNER: mark("owner"),
    TeamRole.MEMBER: mark("member"),
    TeamRole.MENTOR: mark("mentor"),
}
EXPLAINED = {
    TeamRole.OWNER: mark("works on everything, and says who is in the team"),
    TeamRole.MEMBER: mark("reads and writes the folder, logs runs, registers models"),
    TeamRole.MENTOR: mark("reads all of it and changes nothing"),
}
ROLE_STYLES = {
    TeamRole.OWNER: "state-note",
    TeamRole.MEMBER: "state-good",
    TeamRole.MENTOR: "state-none",
}

# Of a data set's licence.
USES = {
    "commercial": mark("Commercial use"),
    "sharing": mark("Passing it on"),
    "changes": mark("Passing it on changed"),
}
ANSWERS = {"unknown": mark("not known"), "yes": mark("allowed"), "no": mark("not allowed")}


def bytes_said(size: int) -> str:
    """A number of bytes as people write it.

    Examples
    --------
    >>> bytes_said(4096), bytes_said(1_300_000), bytes_said(2_500_000_000)
    ('4 KB', '1.3 MB', '2.5 GB')
    """
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size / 1000:.0f} KB"


def request_state(request: TeamRequest) -> tuple[str, str]:
    """The word for how far a request is, and its style."""
    if request.approved is None:
        return mark("waiting for an administrator"), "state-busy"
    if request.approved:
        return mark("approved"), "state-good"
    return mark("refused"), "state-bad"
