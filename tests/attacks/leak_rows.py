"""What a row of the leak table says, and the words that many rows share."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple


class May(enum.Enum):
    """Who may: `AUDIENCE` says who that is, for a student's things and for a team's."""

    ANYONE = enum.auto()
    """Everyone with an account; the answer is about nobody, or about oneself."""
    READ = enum.auto()
    WRITE = enum.auto()
    OWN = enum.auto()
    """Whoever made it in a team; in a course nobody, since the platform makes everything."""
    READ_MODELS = enum.auto()
    WRITE_MODELS = enum.auto()
    SEARCH = enum.auto()
    """Everyone may ask in their own workspaces, and only who may read is told of the thing."""
    SEARCH_MODELS = enum.auto()
    CREATE = enum.auto()
    """Make what belongs to nobody yet: whoever works in a team, in a course nobody."""


class Row(NamedTuple):
    method: str
    path: str
    may: May
    query: dict[str, Any] | None = None
    body: Any = None
    last: bool = False
    """Destroys what other rows need."""
    once: bool = False
    """Succeeds only once for the same things."""
    first: Row | None = None
    """What has to be done again before each time."""
    tells: bool = True
    """Whether the answer of a READ or SEARCH holds what was logged."""


V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
RUN = {"run_id": "$run"}
EXPERIMENT = {"experiment_id": "$experiment"}
EXPERIMENTS = {"experiment_ids": ["$experiment"]}
TAG = {"key": "colour", "value": "red"}
MODEL = {"name": "$registered"}
VERSION = {"name": "$registered", "version": "1"}
TRACE = {"trace_id": "$trace"}
PLACE = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "$experiment"}}
OPINION = {
    "assessment_name": "liked",
    "source": {"source_type": "HUMAN", "source_id": "x"},
    "feedback": {"value": True},
}
NEW_TRACE = {
    "trace_location": PLACE,
    "request_time": "2026-01-01T00:00:00Z",
    "state": "OK",
}
