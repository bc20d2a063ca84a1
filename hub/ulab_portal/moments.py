"""Moments as people of the site write and read them; inside everything is UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime, format_timedelta

from ulab_core.errors import UserError
from ulab_core.i18n import mark

_PATTERNS = {
    ("zh", True): "M月d日 EEE HH:mm",
    ("zh", False): "y年M月d日 HH:mm",
    ("en", True): "EEE d MMM, HH:mm",
    ("en", False): "d MMM y, HH:mm",
}
_LOCALES = {"zh": Locale.parse("zh_Hans_CN"), "en": Locale.parse("en_GB")}


class BadMoment(UserError):
    """A date and time that can't be read."""


def exact(moment: datetime, zone: ZoneInfo, language: str, now: datetime) -> str:
    """A moment in the site's zone; the year only when it is not this one.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
    >>> exact(noon, ZoneInfo("Asia/Shanghai"), "zh", noon)
    '9月1日 周二 12:00'
    """
    this_year = moment.astimezone(zone).year == now.astimezone(zone).year
    return format_datetime(
        moment, _PATTERNS[language, this_year], tzinfo=zone, locale=_LOCALES[language]
    )


def relative(moment: datetime, language: str, now: datetime) -> str:
    """How far away a moment is, such as ``3天后`` or ``2 hours ago``."""
    return format_timedelta(
        moment - now, add_direction=True, threshold=1.1, locale=_LOCALES[language]
    )


def entered(text: str, zone: ZoneInfo) -> datetime | None:
    """What someone typed into a date-and-time field, in the site's zone; None when empty.

    Raises
    ------
    BadMoment
        It is no date and time.
    """
    text = text.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        # The first and the last day there are can't be told in every zone.
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadMoment(
            mark("{text} is not a date and time; write one such as 2026-09-01 23:59."),
            text=text[:40],
        ) from None
    return moment


def for_field(moment: datetime | None, zone: ZoneInfo) -> str:
    """The value of a ``datetime-local`` field."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if moment else ""


def suggested_deadline(now: datetime, zone: ZoneInfo) -> datetime:
    """The end of the day a week from now."""
    day = now.astimezone(zone) + timedelta(days=7)
    return day.replace(hour=23, minute=59, second=0, microsecond=0)
