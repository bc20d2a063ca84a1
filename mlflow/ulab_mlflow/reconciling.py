"""Repairs what MLflow holds where it has drifted from the base's courses and teams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from anyio import to_thread
from sqlalchemy import select

from ulab_core.models import Course
from ulab_core.team_models import Team
from ulab_mlflow.admin import GONE, Admin, MlflowDown, MlflowRefusal
from ulab_mlflow.drift import (
    COURSE_ROLES,
    TEAM_ROLES,
    AddGrant,
    Assign,
    Demote,
    Held,
    HeldExperiment,
    HeldPerson,
    HeldRole,
    MakeExperiment,
    RemoveGrant,
    RemoveRole,
    Repair,
    RestoreExperiment,
    Unassign,
    repairs,
)
from ulab_mlflow.names import PLATFORM
from ulab_mlflow.workspaces import Workspaces

EVERY_S = 300
SOON_S = 5
_PAGE = 1000

_log = logging.getLogger(__name__)


class Reconciler:
    """Compares and repairs; may be run at any time, and beside everything else."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._admin: Admin = workspaces.admin

    async def forever(self) -> None:
        """Repair at once, after MLflow has come, and then every `EVERY_S` seconds."""
        while True:
            try:
                await to_thread.run_sync(self.run, abandon_on_cancel=True)
                pause = EVERY_S
            except MlflowDown:
                pause = SOON_S
            except Exception:
                _log.exception("MLflow's rights could not be compared with the base's")
                pause = EVERY_S
            await asyncio.sleep(pause)

    def look(self) -> list[Repair]:
        """What has drifted; changes nothing.

        Raises
        ------
        MlflowDown
            MLflow doesn't answer.
        """
        # What is wanted is read last: whoever joined or left meanwhile is then seen as they are.
        held = self._held()
        with self._workspaces.database.read() as session:
            workspaces = dict.fromkeys(session.scalars(select(Course.id)), COURSE_ROLES)
            workspaces |= dict.fromkeys(session.scalars(select(Team.id)), TEAM_ROLES)
        standings = {one.name: self._workspaces.standing(one.name) for one in held.people}
        return repairs(held, standings, workspaces)

    def run(self) -> list[Repair]:
        """Repair what has drifted, and say what that was.

        Raises
        ------
        MlflowDown
            MLflow doesn't answer.
        """
        found = self.look()
        if found:
            self._workspaces.forget()
        for repair in found:
            _log.warning("MLflow's rights had drifted: %s", repair)
            try:
                self._apply(repair)
            except MlflowRefusal as refusal:
                # An earlier repair, or someone who just came, has done it already.
                if refusal.code != GONE:
                    raise
        return found

    def _held(self) -> Held:
        users = self._admin.call("GET", "2.0/mlflow/users/list")["users"]
        roles = [
            HeldRole.said(one) for one in self._admin.call("GET", "3.0/mlflow/roles/list")["roles"]
        ]
        grants = {role.id: role for role in roles}
        people = [
            HeldPerson(
                one["username"],
                one["is_admin"],
                [grants[role["id"]] for role in one["roles"] if role["id"] in grants],
            )
            for one in users
            if one["username"] != PLATFORM
        ]
        with self._workspaces.database.read() as session:
            courses = set(session.scalars(select(Course.id)))
        there = {role.workspace for role in roles} & courses
        experiments = {course: dict(self._experiments(course)) for course in there}
        return Held(people, roles, experiments)

    def _experiments(self, course: str) -> Iterator[tuple[str, HeldExperiment]]:
        path, asked = "2.0/mlflow/experiments/search", {"max_results": _PAGE, "view_type": "ALL"}
        for answer in self._admin.pages("POST", path, inside=course, **asked):
            for one in answer.get("experiments", ()):
                deleted = one["lifecycle_stage"] == "deleted"
                yield one["name"], HeldExperiment(str(one["experiment_id"]), deleted)

    def _apply(self, repair: Repair) -> None:
        call = self._admin.call
        match repair:
            case Demote(person):
                call("PATCH", "2.0/mlflow/users/update-admin", username=person, is_admin=False)
            case Assign(person, membership):
                self._workspaces.assign(person, membership)
            case Unassign(person, role_id):
                call("DELETE", "3.0/mlflow/roles/unassign", username=person, role_id=role_id)
            case RemoveRole(role_id):
                call("DELETE", "3.0/mlflow/roles/delete", role_id=role_id)
            case AddGrant(role_id, grant):
                path = "3.0/mlflow/roles/permissions/add"
                self._admin.create("POST", path, role_id=role_id, **grant._asdict())
            case RemoveGrant(grant_id):
                path = "3.0/mlflow/roles/permissions/remove"
                call("DELETE", path, role_permission_id=grant_id)
            case RestoreExperiment(course, experiment_id):
                path = "2.0/mlflow/experiments/restore"
                call("POST", path, inside=course, experiment_id=experiment_id)
            case MakeExperiment(course, assignment, person):
                self._workspaces.ensure_student(course, assignment, person)
