"""Asks before a deadline is set that has passed already."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from ulab_core.errors import Conflict
from ulab_core.i18n import mark
from ulab_core.models import LateRule
from ulab_portal.page import Page

PAST = mark("This deadline has passed: nobody will be able to hand in.")
ALL_LATE = mark("This deadline has passed: whatever is handed in from now on is late.")


def warning(
    now: datetime, due_at: datetime | None, closes_at: datetime | None, rule: LateRule
) -> str | None:
    """What such a deadline means for whoever has not handed in; None while there is time.

    Parameters
    ----------
    closes_at
        Until when late ones are taken.

    Examples
    --------
    >>> from datetime import UTC
    >>> first, now = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC)
    >>> warning(now, first, None, LateRule.REFUSED) == PAST
    True
    >>> warning(now, first, None, LateRule.STEP) == ALL_LATE
    True
    """
    if due_at is None or now <= due_at:
        return None
    over = rule is LateRule.REFUSED or (closes_at is not None and closes_at < now)
    return PAST if over else ALL_LATE


def question(page: Page, said: str, target: str, *, published: bool) -> Response:
    """The warning, with a button that sends the form once more with ``past``.

    Parameters
    ----------
    target
        Where in the page it belongs.
    published
        Whether students see the lab already.

    Raises
    ------
    Conflict
        The browser runs no scripts, so it could not show the button inside the form.
    """
    if "hx-request" not in page.request.headers:
        raise Conflict(said)
    response = page.answer("_past.html", warning=said, published=published)
    response.headers["hx-retarget"] = target
    return response
