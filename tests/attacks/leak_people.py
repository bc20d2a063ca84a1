"""The people of the leak matrix, and who of them may what."""

from __future__ import annotations

from attacks.leak_rows import May
from integration.mlflow_support import Site
from sqlalchemy import select

from ulab_core.models import Assignment, Course, Enrolment, Person, Role, utc_now
from ulab_core.team_models import Team, TeamMember, TeamRole
from ulab_mlflow.names import WORKSPACE_HEADER

COURSE, OTHER_COURSE, TEAM = "spied-course", "other-course", "spied-team"
PEOPLE: dict[str, dict[str, Role]] = {
    "m-owner": {COURSE: Role.STUDENT},
    "m-classmate": {COURSE: Role.STUDENT},
    "m-prof": {COURSE: Role.INSTRUCTOR},
    "m-ta": {COURSE: Role.ASSISTANT},
    "m-elsewhere": {OTHER_COURSE: Role.STUDENT},
    "m-dean": {OTHER_COURSE: Role.INSTRUCTOR},
    "m-left": {COURSE: Role.STUDENT, OTHER_COURSE: Role.STUDENT},
    "m-chief": {},
    "m-member": {},
    "m-mentor": {},
    "m-quit": {},
    "m-outsider": {},
    "m-admin": {},
}
# For attacks that need things of two students.
TWO_STUDENTS = {name: {COURSE: Role.STUDENT} for name in ("m-victim", "m-attacker")}
MEMBERS = {
    "m-chief": TeamRole.OWNER,
    "m-member": TeamRole.MEMBER,
    "m-mentor": TeamRole.MENTOR,
    "m-quit": TeamRole.MEMBER,
}
ANONYMOUS, EXPIRED = "anonymous", "expired"
NOT_LOGGED_IN = (ANONYMOUS, EXPIRED)
EVERYBODY = (*PEOPLE, *NOT_LOGGED_IN)

_READERS = {COURSE: {"m-owner", "m-prof", "m-ta"}, TEAM: {"m-chief", "m-member", "m-mentor"}}
_WRITERS = {COURSE: {"m-owner"}, TEAM: {"m-chief", "m-member"}}
AUDIENCE: dict[str, dict[May, set[str]]] = {
    COURSE: {
        May.ANYONE: set(PEOPLE),
        May.READ: _READERS[COURSE],
        May.SEARCH: _READERS[COURSE],
        May.WRITE: _WRITERS[COURSE],
        May.OWN: set(),
        May.READ_MODELS: {"m-prof", "m-ta"},
        May.SEARCH_MODELS: {"m-prof", "m-ta"},
        May.WRITE_MODELS: set(),
        May.CREATE: set(),
    },
    TEAM: {
        May.ANYONE: set(PEOPLE),
        May.READ: _READERS[TEAM],
        May.SEARCH: _READERS[TEAM],
        May.WRITE: _WRITERS[TEAM],
        May.OWN: {"m-chief"},
        May.READ_MODELS: _READERS[TEAM],
        May.SEARCH_MODELS: _READERS[TEAM],
        May.WRITE_MODELS: _WRITERS[TEAM],
        May.CREATE: _WRITERS[TEAM],
    },
}
"""Workspace and right to who has it."""
INSIDE = {
    COURSE: {"m-owner", "m-classmate", "m-prof", "m-ta"},
    TEAM: {"m-chief", "m-member", "m-mentor"},
}

V3 = "/api/3.0/mlflow"


def people(site: Site) -> None:
    """Put the people into the base's rows; two of them have left again, after they came once."""
    with site.database.write() as session:
        for number, course in enumerate((COURSE, OTHER_COURSE), start=61):
            session.add(
                Course(
                    id=course,
                    number=number,
                    title_zh=course,
                    title_en=course,
                    focus_area="image-recognition",
                    curriculum="vision-foundations",
                    curriculum_version="1",
                )
            )
            session.add(
                Assignment(
                    course_id=course,
                    name="garments",
                    position=0,
                    title_zh="x",
                    title_en="x",
                    minutes=60,
                    max_score=10,
                    published_at=utc_now(),
                )
            )
        session.add(Team(id=TEAM, number=61, title="Spied"))
        session.flush()
        for name, roles in (PEOPLE | TWO_STUDENTS).items():
            person = Person(name=name)
            session.add(person)
            session.flush()
            for course, role in roles.items():
                session.add(Enrolment(course_id=course, person_id=person.id, role=role))
            if name in MEMBERS:
                session.add(TeamMember(team_id=TEAM, person_id=person.id, role=MEMBERS[name]))
    site.tokens["m-admin"] = site.hub.give_token("m-admin", service="mlflow", admin=True)
    for name in PEOPLE:
        with site.client(name, None) as client:
            client.get(f"{V3}/workspaces").raise_for_status()
    with site.database.write() as session:
        ids = {row.name: row.id for row in session.execute(select(Person.name, Person.id))}
        session.delete(session.get_one(Enrolment, (COURSE, ids["m-left"])))
        session.delete(session.get_one(TeamMember, (TEAM, ids["m-quit"])))
    gone = site.hub.give_token("m-owner", service="mlflow")
    del site.hub.tokens[gone]
    site.tokens[EXPIRED] = gone


def headers_of(site: Site, person: str, workspace: str | None) -> dict[str, str]:
    headers = {"accept-language": "en"}
    if person != ANONYMOUS:
        headers["authorization"] = f"Bearer {site.token(person)}"
    return headers | ({WORKSPACE_HEADER: workspace} if workspace else {})
