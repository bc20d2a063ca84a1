"""What can be wrong with a lab or a curriculum."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ulab_core.errors import NotFound, UserError
from ulab_core.i18n import mark

if TYPE_CHECKING:
    from ulab_curricula.places import Place


class BadLab(UserError):
    """A lab's notebook or fixtures can't be used."""


class BadTest(BadLab):
    """A test does not do what its lab promises.

    Parameters
    ----------
    place
        Where in `lab.py`.
    run
        With whose answers: ``"reference"``, ``"empty"`` or a fixture's name.
    """

    def __init__(self, message: str, place: Place, run: str = "", **values: object) -> None:
        super().__init__(message, **values)
        self.place = place
        self.run = run

    def where(self, translate: Callable[[str], str] = str) -> str:
        """The place, and with whose answers."""
        place = self.place.said(translate)
        if not self.run:
            return place
        with_ = {
            "reference": mark("{place}, reference solution"),
            "empty": mark("{place}, empty release"),
        }.get(self.run, mark("{place}, answer {run}"))
        return translate(with_).format(place=place, run=self.run)

    def what(self, translate: Callable[[str], str] = str) -> str:
        """What is wrong and what to do, without the place."""
        return super().sentence(translate)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """All in one line."""
        said = {"where": self.where(translate), "what": self.what(translate)}
        if self.place.code:
            return translate(mark("{where}: `{code}`: {what}")).format(**said, code=self.place.code)
        return translate(mark("{where}: {what}")).format(**said)


class NotPublished(NotFound):
    """There is no such published curriculum version, or it has no such lab."""
