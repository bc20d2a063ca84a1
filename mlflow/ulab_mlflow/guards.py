"""Puts rules of ours before MLflow's own views, where its parser has read the request already."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, request
from mlflow.exceptions import MlflowException
from mlflow.protos.service_pb2 import StartTraceV3
from mlflow.server import handlers

from ulab_mlflow.identity import authorize
from ulab_mlflow.names import PLATFORM

USER_TAG = "mlflow.user"
_UPLOADS = re.compile(r"/(?:ajax-)?api/2\.0/(?:mlflow-artifacts/.*|mlflow/upload-artifact)")
View = Callable[..., Any]


def prepare(app: Flask) -> None:
    """Put them there.

    A view that an upgrade renamed is a KeyError here: MLflow then doesn't start, rather than start
    without the rule.
    """
    # First of all, so that MLflow's authorisation never sees what it and the view would read apart.
    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_ambiguity)
    for endpoint, rule in _RULES.items():
        app.view_functions[endpoint] = _before(app.view_functions[endpoint], rule)


def _before(view: View, rule: Callable[[], Response | None]) -> View:
    @functools.wraps(view)
    @handlers.catch_mlflow_exception
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return rule() or view(*args, **kwargs)

    return guarded


def contradicts(place: Mapping[str, Any], said: Mapping[str, Any]) -> str | None:
    """What a request names both in its address and otherwise, and not the same; None if nothing.

    Parameters
    ----------
    place
        Name to value, from the address.
    said
        The same from the body or the query.

    Examples
    --------
    >>> contradicts({"model_id": "m-1"}, {"modelId": "m-2"})
    'model_id'
    >>> contradicts({"model_id": "m-1"}, {"model_id": "m-1", "status": 2}) is None
    True
    """
    for name, value in place.items():
        first, *rest = name.split("_")
        for spelling in (name, first + "".join(part.capitalize() for part in rest)):
            if spelling in said and str(said[spelling]) != str(value):
                return name
    return None


def _refuse_ambiguity() -> Response | None:
    """MLflow decides who may by one of two ids, and some of its views then act by the other."""
    if _UPLOADS.fullmatch(request.path):
        return None
    # Whatever type it claims to be: some views take any for JSON.
    body = request.get_json(force=True, silent=True)
    if isinstance(body, str):
        # Very old clients wrap it twice, which authorisation reads otherwise than views do.
        return _refusal(400, "INVALID_PARAMETER_VALUE", "The body is not a JSON object.")
    if request.view_args:
        for said in (request.args, body):
            if isinstance(said, Mapping) and contradicts(request.view_args, said):
                sentence = "The address and the body name different things."
                return _refusal(400, "INVALID_PARAMETER_VALUE", sentence)
    return None


def signed(body: Any, person: str) -> None:
    """Let a request about a run say that `person` makes it, whatever it claims itself.

    Parameters
    ----------
    body
        What was sent, as MLflow is going to read it; changed in place.
    """
    if not isinstance(body, dict):
        return
    for key in ("user_id", "userId"):
        if key in body:
            body[key] = person
    tags = body.get("tags")
    for tag in [body, *(tags if isinstance(tags, list) else ())]:
        if isinstance(tag, dict) and tag.get("key") == USER_TAG:
            tag["value"] = person


def claim(body: dict[str, Any]) -> None:
    """Leave room for the person in a request that creates a run."""
    if "userId" not in body:
        body.setdefault("user_id", "")
    tags = body.setdefault("tags", [])
    if isinstance(tags, list) and not any(
        isinstance(tag, dict) and tag.get("key") == USER_TAG for tag in tags
    ):
        tags.append({"key": USER_TAG, "value": ""})


def _sign() -> Response | None:
    """A run's user is who logs it: notebooks could claim anyone."""
    person = getattr(authorize(), "username", None)
    if person != PLATFORM:
        # Kept by Flask, so that MLflow reads this very object.
        signed(request.get_json(force=True, silent=True), str(person))
    return None


def _sign_creation() -> Response | None:
    """Also where it claims nobody: MLflow's pages show by this tag who made a run."""
    body = request.get_json(force=True, silent=True)
    if isinstance(body, dict) and getattr(authorize(), "username", None) != PLATFORM:
        claim(body)
    return _sign()


def _new_trace() -> Response | None:
    """MLflow would move an existing trace of this id into the experiment that is named."""
    asked = handlers._get_request_message(StartTraceV3())
    info = asked.trace.trace_info
    try:
        kept = handlers._get_tracking_store().get_trace_info(info.trace_id)
    except MlflowException:
        return None
    if kept.experiment_id == info.trace_location.mlflow_experiment.experiment_id:
        return None
    return _refusal(403, "PERMISSION_DENIED", "There is a trace of this id elsewhere.")


def _refusal(status: int, code: str, sentence: str) -> Response:
    answer = jsonify({"error_code": code, "message": sentence})
    answer.status_code = status
    return answer


# MLflow's names for its views, and what comes before each.
_RULES: dict[str, Callable[[], Response | None]] = {
    "_create_run": _sign_creation,
    "_set_tag": _sign,
    "_log_batch": _sign,
    "_start_trace_v3": _new_trace,
}
