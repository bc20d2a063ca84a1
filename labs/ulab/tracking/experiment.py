"""Finds the experiment that a run goes to, or has it made."""

from __future__ import annotations

from ulab.tracking import words
from ulab.tracking.place import Aim
from ulab.tracking.server import API, Server
from ulab.tracking.trouble import Refusal, Trouble


def experiment_of(server: Server, aim: Aim) -> str:
    """The id of the experiment that is aimed at.

    Raises
    ------
    Refusal
        There is none and it may not be made, or the server can't be asked just now.
    """
    if aim.experiment_id:
        return str(aim.experiment_id)
    if aim.assignment:
        return _own(server, aim.workspace, aim.assignment)
    if aim.name:
        return _named(server, aim.workspace, aim.name)
    # A plain MLflow's first one. The gateway answers with a sentence that says what is missing.
    return "0"


def _own(server: Server, course: str | None, assignment: str) -> str:
    """The person's own, which the platform makes."""
    answer = server.get("/ulab/experiment", None, course=course or "", assignment=assignment)
    return str(answer["experiment_id"])


def _named(server: Server, workspace: str | None, name: str) -> str:
    found = _by_name(server, workspace, name)
    if found is not None:
        return found
    if workspace:
        # In a course the platform makes them, and the name is an assignment's.
        try:
            return _own(server, workspace, name)
        except Refusal as refusal:
            if refusal.trouble is not Trouble.MISSING:
                raise
    try:
        answer = server.post("/experiments/create", workspace, {"name": name})
        return str(answer["experiment_id"])
    except Refusal as refusal:
        if refusal.trouble is Trouble.FORBIDDEN and workspace:
            # Who may not make any is in a course, or only looks on in a team.
            sentence = words.no_such_experiment(workspace, name)
            raise Refusal(Trouble.FORBIDDEN, sentence) from None
        # Another kernel may have made it meanwhile.
        found = _by_name(server, workspace, name) if refusal.trouble is Trouble.REFUSED else None
        if found is None:
            raise
        return found


def _by_name(server: Server, workspace: str | None, name: str) -> str | None:
    try:
        answer = server.get(f"{API}/experiments/get-by-name", workspace, experiment_name=name)
    except Refusal as refusal:
        if refusal.trouble is Trouble.MISSING:
            return None
        raise
    return str(answer["experiment"]["experiment_id"])
