"""What can be wrong with a data set or with fetching it."""

from __future__ import annotations

from ulab_core.errors import UserError


class DatasetError(UserError):
    """A data set can't be provided."""


class BadCard(DatasetError):
    """There is no such data set, or it can't be called so."""


class FetchFailed(DatasetError):
    """The package that carries the data could not be had."""

    status = 503
    exit_code = 3


class RemoteFailed(FetchFailed):
    """The remote could not be reached, or has not what was asked for."""


class DiskFull(DatasetError):
    """There is no room for the data."""

    status = 507


class QuotaFull(DatasetError):
    """A team has no room left for the data."""

    status = 507


class DataMismatch(DatasetError):
    """The data is not what its card says."""


class AddingFailed(DatasetError):
    """Whatever took the data ended before it was done."""

    status = 503


class InUse(DatasetError):
    """A data set that others need was to be removed."""

    status = 409
