"""The base a command is about: its settings, its state, and whether it is running."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from typing import IO

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings, load_settings


class NoBase(UserError):
    """There is no state where the settings say."""


class AlreadyRunning(UserError):
    """Another `ulab up` serves from the same state."""

    exit_code = 3


# Whoever only asks who holds the lock has it for far less than this.
ASK_AGAIN_S = 0.02


@dataclass(frozen=True)
class Base:
    """One base: what was set, and where its state lies."""

    settings: Settings
    layout: Layout


def open_base() -> Base:
    """The base of the settings in force, whether it exists yet or not."""
    settings = load_settings()
    return Base(settings, Layout.of(settings))


def existing_base() -> Base:
    """The base of the settings in force.

    Raises
    ------
    NoBase
        It was never brought up.
    """
    base = open_base()
    if not base.layout.database.exists() and not base.settings.database.url:
        raise NoBase(
            mark(
                "There is no base in {state}. Run this in the folder of your ulab.toml, name it "
                "with --config, or bring a base up first: ulab up"
            ),
            state=base.layout.root,
        )
    return base


class RunLock:
    """Held while a base runs, so that two never serve from one state; freed even by `kill -9`."""

    def __init__(self, layout: Layout) -> None:
        self.path = layout.run / "up.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Hold the lock from now on.

        Raises
        ------
        AlreadyRunning
        """
        file = self.path.open("a+")
        while not _locked(file, fcntl.LOCK_EX):
            try:
                self.refuse_if_held()
            except AlreadyRunning:
                file.close()
                raise
            time.sleep(ASK_AGAIN_S)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def refuse_if_held(self) -> None:
        """Refuse when a base runs from this state already.

        Raises
        ------
        AlreadyRunning
        """
        holder = self.holder()
        if holder is not None:
            raise AlreadyRunning(
                mark("This base is running already (process {pid}). Stop that one first."),
                pid=holder,
            )

    def holder(self) -> int | None:
        """The process that runs the base, or None."""
        try:
            with self.path.open("r") as file:
                while not _locked(file, fcntl.LOCK_SH):
                    file.seek(0)
                    if written := file.read():
                        return int(written)
                    # It has only just taken the lock, and writes its number next.
                    time.sleep(ASK_AGAIN_S)
        except OSError:
            pass
        return None


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
