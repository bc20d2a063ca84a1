"""Focus areas as the pages show them: title, accent and icon, for any area added as data."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ulab_core.errors import UserError
from ulab_curricula.labs import load_focus_areas

ICONS = Path(__file__).parent / "icons"
log = logging.getLogger(__name__)
ACCENTS = 6
"""How many accents the style sheet has, ``accent-1`` and so on; areas take them in turn."""


@dataclass(frozen=True)
class Area:
    """A focus area's title, colour and place in the order."""

    id: str
    titles: dict[str, str]
    accent: int
    position: int

    def title(self, language: str) -> str:
        return self.titles.get(language) or self.titles.get("en") or self.id

    @property
    def icon(self) -> Markup:
        return _icon(self.id)


@functools.cache
def areas() -> dict[str, Area]:
    """The known areas by id, in the order people see them."""
    try:
        listed = load_focus_areas()
    except UserError as error:
        # Pages work without: an area shows its id then.
        log.warning("The focus areas can't be read: %s", error)
        listed = ()
    return {
        area.id: Area(
            area.id, {"zh": area.titles.zh, "en": area.titles.en}, number % ACCENTS + 1, number
        )
        for number, area in enumerate(listed)
    }


def area(area_id: str) -> Area:
    """The area, or a plain one for an id that nothing is known of."""
    return areas().get(area_id) or Area(area_id, {}, ACCENTS, len(areas()))


@functools.cache
def _icon(area_id: str) -> Markup:
    # An area's own drawing is optional, so that an area can be added as data alone.
    own = ICONS / f"{area_id}.svg"
    return Markup((own if own.is_file() else ICONS / "default.svg").read_text(encoding="utf-8"))
