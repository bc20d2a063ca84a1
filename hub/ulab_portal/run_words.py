"""What the states of a run in MLflow are called on pages."""

from __future__ import annotations

from ulab_core.i18n import mark

STATUSES = {
    "RUNNING": mark("running"),
    "SCHEDULED": mark("scheduled"),
    "FINISHED": mark("finished"),
    "FAILED": mark("failed"),
    "KILLED": mark("stopped"),
}
