"""Addresses of runs, for pages that link to them; need no MLflow to be running."""

from __future__ import annotations

from urllib.parse import urlencode

from ulab_mlflow.names import PREFIX


def run_link(course: str, assignment: str, person: str | None = None) -> str:
    """The page of the runs logged for an assignment.

    Parameters
    ----------
    person
        Whose runs; None means those of whoever follows the link. Who teaches the course may look at
        everyone's in the course, a student is refused another's.

    Returns
    -------
    str
        A path on this site. Following it creates the experiment when it isn't there yet.
    """
    query = {"course": course, "assignment": assignment}
    if person is not None:
        query["person"] = person
    return f"{PREFIX}/ulab/open?{urlencode(query)}"


def course_link(course: str) -> str:
    """The page of all experiments of a course that the person may see."""
    query = {"workflowType": "machine_learning", "workspace": course}
    return f"{PREFIX}/#/experiments?{urlencode(query)}"


def experiment_link(course: str, experiment_id: str) -> str:
    """The page of one experiment, in MLflow's own pages."""
    query = {"workflowType": "machine_learning", "workspace": course}
    return f"{PREFIX}/#/experiments/{experiment_id}/runs?{urlencode(query)}"
