"""What can be wrong with a lab or a curriculum."""

from __future__ import annotations

from ulab_core.errors import NotFound, UserError


class BadManifest(UserError):
    """A `lab.yaml`, `curriculum.yaml` or `focus-areas.yaml` can't be used."""


class BadLab(UserError):
    """A lab's notebook or fixtures can't be used."""


class NotPublished(NotFound):
    """There is no such published curriculum version, or it has no such lab."""
