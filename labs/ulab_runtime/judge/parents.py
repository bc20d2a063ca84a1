"""What a lab's processes are forked from: a parent with what that lab imports, and no more.

Forking copies the tables of all of a parent's memory, twice, and its end goes through them again.
From the fork server of kernels, which has imported everything that notebooks use, this took half of
the time that a small submission needs.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path

from ulab_runtime.forkserver.client import modules_of
from ulab_runtime.forkserver.own import OwnForkServer

ALWAYS = (
    "ulab_runtime.judge.student",
    "ulab_runtime.judge.bench",
    "ulab_runtime.judge.ahead",
)
REHEARSAL = "--rehearse=ulab_runtime.judge.rehearsal:rehearse"
MOST = 4


class Parents:
    """The fork servers of labs that are graded now, the least recently used of which are given up.

    Parameters
    ----------
    base
        The base's fork server for kernels, which does until a lab's own has started; None for
        cold starts of everything.
    folder
        Where theirs have their sockets; emptied first. None for no parents but the base's.
    """

    def __init__(self, base: Path | None, folder: Path | None) -> None:
        self._base = base
        self._folder = folder
        self._kept: OrderedDict[str, OwnForkServer] = OrderedDict()
        self._ready: set[str] = set()
        self._lock = threading.Lock()

    def of(self, lab: str, imports: Collection[str]) -> list[Path]:
        """Whom to ask for a process of this lab's, the best first.

        Parameters
        ----------
        lab
            The same for the same lab.
        imports
            The modules that it imports. One that the base's fork server hasn't imported is left
            to the sandbox: instructors choose these names, and the parent is no sandbox.
        """
        if self._base is None:
            return []
        if self._folder is None:
            return [self._base]
        with self._lock:
            own = self._own(lab, imports, self._base, self._folder)
            if own is not None and lab not in self._ready and own.ready():
                self._ready.add(lab)
            return [own.path, self._base] if own and lab in self._ready else [self._base]

    def _own(
        self, lab: str, imports: Collection[str], base: Path, folder: Path
    ) -> OwnForkServer | None:
        known = self._kept.get(lab)
        if known is not None and known.alive():
            self._kept.move_to_end(lab)
            return known
        if known is not None:
            self._drop(lab)
        allowed = modules_of(base)
        if not allowed:
            return None  # the base's is starting, or starting anew
        if not self._kept:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700, parents=True)
        self._kept[lab] = OwnForkServer(
            [*ALWAYS, *trusted(imports, allowed)], REHEARSAL, folder=folder
        )
        while len(self._kept) > MOST:
            self._drop(next(iter(self._kept)))
        return self._kept[lab]

    def end(self) -> None:
        with self._lock:
            for lab in list(self._kept):
                self._drop(lab)

    def _drop(self, lab: str) -> None:
        self._ready.discard(lab)
        self._kept.pop(lab).end()


def trusted(imports: Collection[str], known: Sequence[str]) -> list[str]:
    """Of the modules that a lab imports, those whose package is known.

    Parameters
    ----------
    known
        Names of top-level modules.
    """
    allowed = set(known) - set(sys.builtin_module_names)
    return [name for name in imports if name.partition(".")[0] in allowed]
