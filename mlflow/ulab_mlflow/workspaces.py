"""Brings MLflow's workspaces, roles and experiments in line with courses and teams."""

from __future__ import annotations

import secrets
import threading
from typing import Any

from sqlalchemy import select

from ulab_core.database import Database
from ulab_core.errors import NotAllowed, NotFound
from ulab_core.i18n import mark
from ulab_core.models import Assignment, Enrolment, Person, Role
from ulab_core.settings import Settings
from ulab_core.team_models import TeamMember
from ulab_mlflow.admin import GONE, Admin, MlflowRefusal
from ulab_mlflow.drift import HeldRole, forfeited
from ulab_mlflow.tenancy import (
    OWN_EXPERIMENT_PERMISSION,
    ROLE_GRANTS,
    ROLES,
    Membership,
    Standing,
    changes,
    experiment_name,
    may_open,
    visible_assignments,
)


class Workspaces:
    """One workspace a course or team; created, and kept in line, when someone first needs it.

    Every method may be called again at any time and from several processes at once.
    """

    def __init__(self, admin: Admin, database: Database) -> None:
        self.admin = admin
        self.database = database
        self._lock = threading.Lock()
        self._settled: dict[str, Standing] = {}
        self._role_ids: dict[Membership, int] = {}
        self._experiments: dict[tuple[str, str], str] = {}

    @classmethod
    def of(cls, settings: Settings) -> Workspaces:
        """Those of the base with these settings."""
        return cls(Admin.of(settings), Database.of(settings))

    def standing(self, person: str) -> Standing:
        """What the base knows of a person just now; a stranger has no role anywhere."""
        with self.database.read() as session:
            held = session.execute(
                select(Enrolment.course_id, Enrolment.role)
                .join(Person, Person.id == Enrolment.person_id)
                .where(Person.name == person)
            ).all()
            roles = {row.course_id: row.role for row in held}
            published: dict[str, dict[str, bool]] = {course: {} for course in roles}
            for course, name, moment in session.execute(
                select(Assignment.course_id, Assignment.name, Assignment.published_at)
                .where(Assignment.course_id.in_(roles))
                .order_by(Assignment.position)
            ):
                published[course][name] = moment is not None
            teams = session.execute(
                select(TeamMember.team_id, TeamMember.role)
                .join(Person, Person.id == TeamMember.person_id)
                .where(Person.name == person)
            ).all()
        return Standing(
            person,
            roles,
            {course: visible_assignments(roles[course], published[course]) for course in roles},
            {row.team_id: row.role for row in teams},
        )

    def settle(self, person: str) -> Standing:
        """Give a person the workspaces and experiments they should have, and no others.

        Returns
        -------
        Standing
            What it was decided by.

        Raises
        ------
        MlflowDown
            MLflow doesn't answer.
        """
        standing = self.standing(person)
        if self._settled.get(person) == standing:
            return standing
        with self._lock:
            if self._settled.get(person) == standing:
                return standing
            try:
                self._settle(standing)
            except MlflowRefusal as refusal:
                if refusal.code != GONE:
                    raise
                # Someone removed what is remembered here.
                self._forget()
                self._settle(standing)
        return standing

    def forget(self) -> None:
        """Look at everything again that MLflow may have lost, when it is next needed."""
        with self._lock:
            self._forget()

    def assign(self, person: str, membership: Membership) -> None:
        """Give a person a role in a workspace, which is made if it isn't there."""
        with self._lock:
            self._assign(person, membership)

    def ensure_student(self, course: str, assignment: str, person: str) -> str:
        """A person's own experiment for an assignment, created when it isn't there.

        Returns
        -------
        str
            The experiment's id.

        Raises
        ------
        NotFound
            The person isn't in the course, or the assignment isn't open to them.
        MlflowDown
            MLflow doesn't answer.
        """
        standing = self.settle(person)
        if not may_open(standing, course, assignment, person):
            raise NotFound(
                mark("There is no assignment {assignment} for you in the course {course}."),
                assignment=assignment,
                course=course,
            )
        with self._lock:
            return self._ensure_experiment(course, assignment, person)

    def open_experiment(self, reader: str, course: str, assignment: str, owner: str) -> str:
        """The id of `owner`'s experiment, for someone who wants to look at it.

        Raises
        ------
        NotAllowed
            The reader may see only their own.
        NotFound
            There is no such assignment for the owner.
        """
        standing = self.settle(reader)
        if reader != owner and not may_open(standing, course, assignment, owner):
            raise NotAllowed(mark("These are another person's runs."))
        return self.ensure_student(course, assignment, owner)

    def _forget(self) -> None:
        self._settled.clear()
        self._role_ids.clear()
        self._experiments.clear()

    def _settle(self, standing: Standing) -> None:
        self._ensure_user(standing.person)
        self._settle_roles(standing)
        for course, assignments in standing.assignments.items():
            if standing.roles[course] is Role.STUDENT:
                for assignment in assignments:
                    self._ensure_experiment(course, assignment, standing.person)
        self._settled[standing.person] = standing

    def _ensure_user(self, person: str) -> None:
        self.admin.create(
            "POST",
            "2.0/mlflow/users/create",
            username=person,
            password=secrets.token_urlsafe(32),
        )

    def _settle_roles(self, standing: Standing) -> None:
        path = "3.0/mlflow/users/roles/list"
        said = self.admin.call("GET", path, username=standing.person)["roles"]
        found = [HeldRole.said(role) for role in said]
        ids = {role.membership: role.id for role in found if role.name in ROLES}
        assign, unassign = changes(standing.memberships, ids)
        for membership in assign:
            self._assign(standing.person, membership)
        for membership in unassign:
            self._unassign(standing.person, ids[membership])
        for grant_id in (one for role in found for one in forfeited(standing, role)):
            path = "3.0/mlflow/roles/permissions/remove"
            self._remove(path, role_permission_id=grant_id)
        # What was taken away is given again if the person comes back.
        left = {membership.workspace for membership in unassign}
        for course, name in [one for one in self._experiments if one[0] in left]:
            if name.endswith(f"/{standing.person}"):
                del self._experiments[course, name]

    def _assign(self, person: str, membership: Membership) -> None:
        role_id = self._ensure_role(membership)
        self.admin.create("POST", "3.0/mlflow/roles/assign", username=person, role_id=role_id)

    def _ensure_role(self, membership: Membership) -> int:
        if membership in self._role_ids:
            return self._role_ids[membership]
        workspace, role = membership
        self.admin.create("POST", "3.0/mlflow/workspaces", name=workspace)
        self.admin.create("POST", "3.0/mlflow/roles/create", name=role.value, workspace=workspace)
        listed = self.admin.call("GET", "3.0/mlflow/roles/list", workspace=workspace)["roles"]
        role_id = next(int(found["id"]) for found in listed if found["name"] == role.value)
        for grant in ROLE_GRANTS[role]:
            self.admin.create(
                "POST", "3.0/mlflow/roles/permissions/add", role_id=role_id, **grant._asdict()
            )
        self._role_ids[membership] = role_id
        return role_id

    def _ensure_experiment(self, course: str, assignment: str, person: str) -> str:
        name = experiment_name(assignment, person)
        if (course, name) in self._experiments:
            return self._experiments[course, name]
        path = "2.0/mlflow/experiments/"
        # Said here, since MLflow's page otherwise asks what the experiment is about.
        tags = [{"key": "mlflow.experimentKind", "value": "custom_model_development"}]
        self.admin.create("POST", f"{path}create", inside=course, name=name, tags=tags)
        found: dict[str, Any] = self.admin.call(
            "GET", f"{path}get-by-name", inside=course, experiment_name=name
        )["experiment"]
        experiment_id = str(found["experiment_id"])
        self.admin.create(
            "POST",
            "3.0/mlflow/users/permissions/grant",
            inside=course,
            username=person,
            resource_type="experiment",
            resource_id=experiment_id,
            permission=OWN_EXPERIMENT_PERMISSION,
        )
        self._experiments[course, name] = experiment_id
        return experiment_id

    def _unassign(self, person: str, role_id: int) -> None:
        self._remove("3.0/mlflow/roles/unassign", username=person, role_id=role_id)

    def _remove(self, path: str, **what: Any) -> None:
        try:
            self.admin.call("DELETE", path, **what)
        except MlflowRefusal as refusal:
            if refusal.code != GONE:
                raise
