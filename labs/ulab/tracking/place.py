"""Decides which workspace and experiment a run belongs to."""

from __future__ import annotations

from typing import NamedTuple

from ulab_mlflow.marker import Place


class Aim(NamedTuple):
    """Where a run is to go; the server decides whether it may.

    Attributes
    ----------
    workspace
        A course or team; None where the server knows none.
    assignment
        The platform is asked for the person's own experiment of this assignment.
    name
        An experiment by name, made when there is none.
    experiment_id
        An experiment that is known already.
    """

    workspace: str | None
    assignment: str | None = None
    name: str | None = None
    experiment_id: str | None = None


class Chosen(NamedTuple):
    """What MLflow was told before, by variables or by its own `set_experiment`."""

    workspace: str | None = None
    experiment: str | None = None
    experiment_id: str | None = None


def aim(
    workspace: str | None,
    experiment: str | None,
    place: Place | None,
    chosen: Chosen,
    default: str,
) -> Aim:
    """Decide from the nearest to the furthest: arguments, what MLflow was told, the lab's folder.

    Parameters
    ----------
    workspace, experiment
        The arguments of `ulab.track`.
    place
        The assignment in whose folder the notebook lies.
    default
        The experiment's name in a workspace that has none for this notebook: what it is called.
    """
    where = workspace or chosen.workspace or (place.course if place else None)
    in_the_lab = place is not None and where == place.course
    if experiment is None and (workspace is None or workspace == chosen.workspace):
        if chosen.experiment_id:
            return Aim(where, experiment_id=chosen.experiment_id)
        if chosen.experiment:
            return Aim(where, name=chosen.experiment)
    if place is not None and in_the_lab and experiment in (None, place.assignment):
        return Aim(where, assignment=place.assignment)
    if experiment is None and where is None:
        return Aim(None)
    return Aim(where, name=experiment or default)
