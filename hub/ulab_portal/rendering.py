"""Templates in two languages, with what every page shows around its content."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ulab_core import look
from ulab_core.i18n import translations
from ulab_core.models import utc_now
from ulab_mlflow.links import run_link
from ulab_portal import moments, states
from ulab_portal.assets import asset_url
from ulab_portal.guard import FIELD, HEADER

TEMPLATES = Path(__file__).parent / "templates"


@functools.cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    found = Environment(
        loader=FileSystemLoader([TEMPLATES, look.TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    found.install_gettext_callables(  # type: ignore[attr-defined]
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    found.filters["points"] = states.points
    found.globals.update(
        language=language,
        # For messages that come as values; _() would take a percent sign in them for a place.
        say=catalogue.gettext,
        asset=asset_url,
        csrf_field=FIELD,
        csrf_header=HEADER,
        percent=states.percent,
        run_link=run_link,
    )
    return found


def render(template: str, language: str, zone: ZoneInfo, **values: Any) -> str:
    """A page or a fragment as HTML; moments are told relative to now."""
    now = utc_now()
    return (
        environment(language)
        .get_template(template)
        .render(
            exact=lambda moment: moments.exact(moment, zone, language, now),
            relative=lambda moment: moments.relative(moment, language, now),
            **values,
        )
    )
