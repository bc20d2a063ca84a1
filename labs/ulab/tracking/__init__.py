"""Runs of a notebook in MLflow: noted on disk at once, sent by a process of its own.

`run.log` appends a line to a file; `ulab.tracking.sender` reads it and talks to the server. So
training never waits for the network, and a run outlives the death of its kernel and of the server.
"""

from __future__ import annotations

from ulab.tracking.block import track
from ulab.tracking.errand import flush
from ulab.tracking.run import Run

__all__ = ["Run", "flush", "track"]
