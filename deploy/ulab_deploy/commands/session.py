"""The base's database for the time of one command; heavy modules are imported no sooner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@contextmanager
def reading() -> Iterator[Session]:
    """A session on the base's database whose changes are thrown away.

    Raises
    ------
    NoBase
        The base was never brought up.
    """
    from ulab_core.database import Database
    from ulab_deploy.base import existing_base

    with Database.of(existing_base().settings).read() as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """The same, committed when the block ends and rolled back when it raises."""
    from ulab_core.database import Database
    from ulab_deploy.base import existing_base

    with Database.of(existing_base().settings).write() as session:
        yield session
