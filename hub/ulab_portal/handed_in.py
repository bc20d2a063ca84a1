"""What students made, sent to a reader's browser where it can do nothing."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from ulab_coursework.feedback import feedback_html
from ulab_coursework.submissions import notebook_bytes
from ulab_portal.guard import STUDENT_CONTENT_POLICY
from ulab_portal.page import Portal

_HARMLESS = {"content-security-policy": STUDENT_CONTENT_POLICY}


def feedback_answer(
    portal: Portal, submission_id: str, person: str, head: str = "", theme: str = ""
) -> Response:
    """The feedback page of a submission, for a reader who may see it.

    Parameters
    ----------
    head
        What the site puts on top of it.
    theme
        ``dark`` or ``light`` as the reader chose on the site; anything else for the system's.
    """
    html = feedback_html(portal.db, portal.layout, submission_id, person)
    # The first body is the page's own: before it stands nothing that a student wrote.
    html = html.replace("<body>", f"<body>{head}", 1)
    if theme in ("dark", "light"):
        html = html.replace("<html ", f'<html data-theme="{theme}" ', 1)
    return HTMLResponse(html, headers=_HARMLESS)


def notebook_answer(portal: Portal, submission_id: str, person: str) -> Response:
    """The very bytes that were handed in, as a download."""
    content = notebook_bytes(portal.db, portal.layout, submission_id, person)
    disposition = f'attachment; filename="{submission_id}.ipynb"'
    return Response(
        content,
        media_type="application/x-ipynb+json",
        headers={"content-disposition": disposition, **_HARMLESS},
    )
