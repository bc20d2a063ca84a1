"""Leaves answers about runs alone that hold nothing MLflow could have to withhold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# MLflow takes the links of a run to models out for those who may not see models, and for that
# reads each answer anew: a sixth of a search. Names of fields stand in JSON as they are.
_LINKS = re.compile(rb"model_?(?:inputs|outputs|id)", re.IGNORECASE)


def may_name_models(body: bytes) -> bool:
    """Whether an answer about runs has a field by which MLflow says that a run has to do with a
    model; a tag or a parameter with such a word in it counts as one.
    """
    return _LINKS.search(body) is not None


def prepare() -> None:
    """Do so in MLflow's authorisation; call it when its application has been made."""
    from mlflow.server import auth

    for redact in (auth.redact_search_runs_model_links, auth.redact_get_run_model_links):
        ours = _where_needed(redact)
        for table in (auth.AFTER_REQUEST_HANDLERS, auth.PARAMETERIZED_AFTER_REQUEST_HANDLERS):
            for key, handler in table.items():
                if handler is redact:
                    table[key] = ours


def _where_needed(redact: Callable[[Any], None]) -> Callable[[Any], None]:
    def look_first(response: Any) -> None:
        if may_name_models(response.get_data()):
            redact(response)

    return look_first
