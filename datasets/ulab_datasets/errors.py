"""What can be wrong with a data set or with fetching it."""

from __future__ import annotations

from ulab_core.errors import UserError


class DatasetError(UserError):
    """A data set can't be provided."""


class BadCard(DatasetError):
    """A card can't be used."""


class FetchFailed(DatasetError):
    """The package that carries the data could not be had."""

    status = 503
    exit_code = 3


class DataMismatch(DatasetError):
    """The data is not what its card says."""
