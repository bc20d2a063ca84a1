"""Focus areas as the pages show them: title, accent and icon, for any area added as data."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ulab_core.errors import UserError
from ulab_core.layout import Layout
from ulab_curricula.labs import load_focus_areas
from ulab_curricula.publication import published

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


def learn_from(layout: Layout) -> None:
    """Take the titles of areas that are not known here from what is published in a base."""
    _bases[:] = [layout]
    _of_others.clear()


def area(area_id: str) -> Area:
    """The area, or a plain one for an id that nothing is known of."""
    found = areas().get(area_id) or _area_of_others(area_id)
    return found or Area(area_id, {}, ACCENTS, len(areas()))


_bases: list[Layout] = []
_of_others: dict[str, Area] = {}


def _area_of_others(area_id: str) -> Area | None:
    """An area that came with a published curriculum of others."""
    if area_id not in _of_others:
        for one in (one for layout in _bases for one in published(layout)):
            if one.focus_area == area_id:
                position = len(areas())
                titles = dict(one.focus_area_titles)
                _of_others[area_id] = Area(area_id, titles, position % ACCENTS + 1, position)
    return _of_others.get(area_id)


@functools.cache
def _icon(area_id: str) -> Markup:
    # An area's own drawing is optional, so that an area can be added as data alone.
    own = ICONS / f"{area_id}.svg"
    return Markup((own if own.is_file() else ICONS / "default.svg").read_text(encoding="utf-8"))
