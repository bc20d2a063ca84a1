"""What makes a plain ``import mlflow`` log to the right place in a student's notebook."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from mlflow.tracking.context.abstract_context import RunContextProvider
from mlflow.tracking.default_experiment.abstract_context import DefaultExperimentProvider
from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider

from ulab_mlflow.marker import Place, find_place
from ulab_mlflow.names import PREFIX, WORKSPACE_HEADER

LANGUAGE_VARIABLE = "ULAB_LANGUAGE"
PERSON_VARIABLE = "JUPYTERHUB_USER"

_lock = threading.Lock()
_place: Place | None = None
_experiments: dict[tuple[str, Place], str] = {}


def _here() -> Place | None:
    """The assignment this process works on; kept once known, whatever folder it goes to then."""
    global _place
    if _place is None:
        _place = find_place(Path.cwd())
    return _place


def _tracks_with_us() -> bool:
    from mlflow import get_tracking_uri

    return get_tracking_uri().rstrip("/").endswith(PREFIX)


def _workspace() -> str | None:
    """What the links that MLflow prints lead to: what was chosen by hand, else the course."""
    from mlflow.utils.workspace_context import get_request_workspace

    place = _here() if _tracks_with_us() else None
    return get_request_workspace() or (place.course if place else None)


def _name_the_workspace_in_links() -> None:
    # Without it MLflow's pages forget the run and ask for a workspace, and the client has no
    # setting for links alone: MLFLOW_WORKSPACE would be the person's choice in all else, too.
    client = sys.modules.get("mlflow.tracking._tracking_service.client")
    if client is not None:
        client.get_request_workspace = _workspace  # type: ignore[attr-defined]


class CourseHeaders(RequestHeaderProvider):
    """Names the course's workspace, and the language of messages, in each request."""

    def in_context(self) -> bool:
        return _tracks_with_us()

    def request_headers(self) -> dict[str, str]:
        from mlflow.utils.workspace_context import get_request_workspace

        _name_the_workspace_in_links()
        headers = {}
        place = _here()
        # A workspace that was chosen by hand is added by MLflow itself.
        if place is not None and not get_request_workspace():
            headers[WORKSPACE_HEADER] = place.course
        if language := os.environ.get(LANGUAGE_VARIABLE):
            headers["Accept-Language"] = language
        return headers


def _experiment_of_the_block() -> str | None:
    """The experiment of the `ulab.track` block that is open; it is not imported to find out."""
    current = sys.modules.get("ulab.tracking.current")
    run = current.run() if current is not None else None
    return run.experiment_id if run is not None else None


class OwnExperiment(DefaultExperimentProvider):
    """The experiment of the open `ulab.track` block, which nested runs belong to as well.

    Outside of one, the person's own for the assignment, created by the platform.
    """

    def in_context(self) -> bool:
        from mlflow.utils.workspace_context import get_request_workspace

        if _experiment_of_the_block() is not None and _tracks_with_us():
            return True
        place = _here()
        return (
            place is not None
            and _tracks_with_us()
            and get_request_workspace() in (None, place.course)
        )

    def get_experiment_id(self) -> str:
        from mlflow import get_tracking_uri

        if (open_one := _experiment_of_the_block()) is not None:
            return open_one
        place = _here()
        assert place is not None  # in_context said so
        key = (get_tracking_uri(), place)
        with _lock:
            if key not in _experiments:
                _experiments[key] = _ask_gateway(key[0], place)
            return _experiments[key]


class CourseTags(RunContextProvider):
    """Says in each run which course and assignment it belongs to."""

    def in_context(self) -> bool:
        return _here() is not None and _tracks_with_us()

    def tags(self) -> dict[str, str]:
        place = _here()
        assert place is not None  # in_context said so
        tags = {"ulab.course": place.course, "ulab.assignment": place.assignment}
        if person := os.environ.get(PERSON_VARIABLE):
            tags["mlflow.user"] = person
        return tags


def _ask_gateway(tracking_uri: str, place: Place) -> str:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking._tracking_service.utils import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    response = http_request(
        get_default_host_creds(tracking_uri),
        "/ulab/experiment",
        "GET",
        params=place._asdict(),
        raise_on_status=False,
    )
    answer: dict[str, Any] = response.json()
    if not response.ok:
        raise MlflowException(answer.get("message") or answer.get("error") or response.reason)
    return str(answer["experiment_id"])
