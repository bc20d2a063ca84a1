"""Holds MLflow's registry to the model card, inside MLflow's server, after it has checked rights.

Here and not in the gateway: MLflow's own parser reads the request, so that there is no way of
writing one which the rule and MLflow understand differently.
"""

from __future__ import annotations

import fcntl
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from mlflow.entities.model_registry import ModelVersion
from mlflow.entities.model_registry.model_version_stages import get_canonical_stage
from mlflow.protos.model_registry_pb2 import (
    CreateModelVersion,
    DeleteModelVersionTag,
    DeleteRegisteredModelAlias,
    SetModelVersionTag,
    SetRegisteredModelAlias,
    TransitionModelVersionStage,
)
from mlflow.server import handlers
from mlflow.store.artifact.utils.models import _parse_model_uri
from mlflow.utils.workspace_context import get_request_workspace
from sqlalchemy import select

from ulab_core.audit import record
from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import choose_language, translations
from ulab_core.layout import Layout
from ulab_core.models import Person
from ulab_core.settings import Settings
from ulab_core.team_models import Team, TeamMember, TeamRole
from ulab_mlflow.cards import check_card, check_field, field_of, promoted, refuse_removal, serving
from ulab_mlflow.identity import authorize

_WORKERS = (TeamRole.OWNER, TeamRole.MEMBER)
View = Callable[..., Any]
Rule = Callable[["Promotions", str], tuple[str, str, dict[str, Any]] | None]
"""From a team to what to write into the audit log afterwards, or a refusal."""


class Promotions:
    """The rules, over MLflow's registry and the base's teams."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.of(settings)
        self._language = settings.site.language
        self._lock = Layout.of(settings).mlflow / "promotions.lock"

    def guard(self, app: Flask) -> None:
        """Put the rules before MLflow's own views.

        A view that an upgrade renamed is a KeyError here: MLflow then doesn't start, rather than
        start without the rule.
        """
        for endpoint, rule in _RULES.items():
            app.view_functions[endpoint] = self._guarded(app.view_functions[endpoint], rule)

    def workers(self, team: str) -> list[str]:
        """The owners and members of a team."""
        with self._database.read() as session:
            return list(
                session.scalars(
                    select(Person.name)
                    .join(TeamMember, TeamMember.person_id == Person.id)
                    .where(TeamMember.team_id == team, TeamMember.role.in_(_WORKERS))
                )
            )

    def _guarded(self, view: View, rule: Rule) -> View:
        @functools.wraps(view)
        @handlers.catch_mlflow_exception
        def guarded(*args: Any, **kwargs: Any) -> Any:
            team = get_request_workspace()
            if team is None or not self._is_team(team):
                return view(*args, **kwargs)
            with self._one_at_a_time():
                try:
                    noted = rule(self, team)
                except UserError as error:
                    return self._refusal(error)
                answer = view(*args, **kwargs)
            if noted is not None and answer.status_code == 200:
                action, target, detail = noted
                with self._database.write() as session:
                    record(session, _who(), action, f"{team}/{target}", **detail)
            return answer

        return guarded

    def _is_team(self, workspace: str) -> bool:
        with self._database.read() as session:
            return session.get(Team, workspace) is not None

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        # Else a card could be emptied between the look at it and the promotion.
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _refusal(self, error: UserError) -> Response:
        language = choose_language(None, request.headers.get("accept-language"), self._language)
        sentence = error.sentence(translations(language).gettext)
        answer = jsonify({"error_code": "INVALID_PARAMETER_VALUE", "message": sentence})
        answer.status_code = error.status
        return answer


def _who() -> str:
    return str(getattr(authorize(), "username", ""))


def _version(message: Any) -> ModelVersion:
    return handlers._get_model_registry_store().get_model_version(message.name, message.version)


def _asked(message: Any) -> Any:
    return handlers._get_request_message(message)


def _alias(rules: Promotions, team: str) -> tuple[str, str, dict[str, Any]]:
    asked = _asked(SetRegisteredModelAlias())
    check_card(_version(asked).tags, rules.workers(team))
    return "model.promote", f"{asked.name}/{asked.version}", {"alias": asked.alias}


def _stage(rules: Promotions, team: str) -> tuple[str, str, dict[str, Any]]:
    asked = _asked(TransitionModelVersionStage())
    found = _version(asked)
    if serving(get_canonical_stage(asked.stage)):
        check_card(found.tags, rules.workers(team))
    return "model.stage", f"{asked.name}/{asked.version}", {"stage": asked.stage}


def _copy(rules: Promotions, team: str) -> tuple[str, str, dict[str, Any]] | None:
    """A version made from another model's version: what MLflow's pages call promoting a model."""
    asked = _asked(CreateModelVersion())
    source = urlsplit(asked.source)
    if source.scheme != "models":
        return None
    parsed = _parse_model_uri(asked.source)
    if parsed.model_id is not None or parsed.name == asked.name:
        return None
    # MLflow's client and pages copy the tags along, so the copy has the card from the start.
    check_card({tag.key: tag.value for tag in asked.tags}, rules.workers(team))
    return "model.copy", asked.name, {"source": asked.source}


def _tag(rules: Promotions, team: str) -> tuple[str, str, dict[str, Any]] | None:
    asked = _asked(SetModelVersionTag())
    field = field_of(asked.key)
    if field is None:
        return None
    found = _version(asked)
    if promoted(found.aliases, found.current_stage):
        check_field(field, asked.value, rules.workers(team))
    changed = {"field": field.value, "from": found.tags.get(field.tag, "")[:200]}
    return "model.card", f"{asked.name}/{asked.version}", changed | {"to": asked.value[:200]}


def _untag(rules: Promotions, team: str) -> tuple[str, str, dict[str, Any]] | None:
    asked = _asked(DeleteModelVersionTag())
    field = field_of(asked.key)
    if field is None:
        return None
    found = _version(asked)
    if promoted(found.aliases, found.current_stage):
        refuse_removal(field)
    return "model.card", f"{asked.name}/{asked.version}", {"field": field.value, "to": ""}


def _unalias(rules: Promotions, team: str) -> tuple[str, str, dict[str, Any]]:
    asked = _asked(DeleteRegisteredModelAlias())
    return "model.demote", asked.name, {"alias": asked.alias}


# MLflow's names for its views, and what is asked before each.
_RULES: dict[str, Rule] = {
    "_create_model_version": _copy,
    "_set_registered_model_alias": _alias,
    "_transition_stage": _stage,
    "_set_model_version_tag": _tag,
    "_delete_model_version_tag": _untag,
    "_delete_registered_model_alias": _unalias,
}
