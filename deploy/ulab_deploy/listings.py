"""What the `list` and `status` verbs show, as plain values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from ulab_core.database import Database
from ulab_core.layout import FORK_SERVER_KINDS
from ulab_core.models import Assignment, Course, Enrolment, Job, JobState, Person, Role
from ulab_coursework.publishers import publishers
from ulab_curricula import published
from ulab_curricula.labs import find_curricula
from ulab_deploy.base import Base, RunLock
from ulab_hub.accounts import Accounts
from ulab_runtime.forkserver.client import greets
from ulab_teams.folders import measure
from ulab_teams.invitations import invitations_of
from ulab_teams.teams import all_teams, find_team, members_of


def people(base: Base) -> list[dict[str, Any]]:
    """Everyone with an account or in a course, by name."""
    accounts = {account.name: account.approved for account in Accounts(base.settings).all()}
    with Database.of(base.settings).read() as session:
        known = {
            person.name: person
            for person in session.scalars(select(Person).options(selectinload(Person.enrolments)))
        }
    return [
        {
            "name": name,
            "display_name": known[name].display_name if name in known else "",
            "college": known[name].college if name in known else "",
            "account": {True: "approved", False: "waiting", None: "none"}[accounts.get(name)],
            "courses": [
                {"course": enrolment.course_id, "role": enrolment.role.value}
                for enrolment in (known[name].enrolments if name in known else ())
            ],
        }
        for name in sorted(accounts.keys() | known.keys())
    ]


def teams(base: Base) -> list[dict[str, Any]]:
    """All teams and who is in them."""
    with Database.of(base.settings).read() as session:
        return [
            {
                "team": team.id,
                "title": team.title,
                "purpose": team.purpose,
                "members": [{"name": name, "role": role.value} for name, role in members.items()],
            }
            for team, members in all_teams(session)
        ]


def team(base: Base, team_id: str) -> dict[str, Any]:
    """One team: its people, who is invited, and its folder."""
    with Database.of(base.settings).read() as session:
        found = find_team(session, team_id)
        size = measure(base.layout, team_id)
        return {
            "team": found.id,
            "title": found.title,
            "purpose": found.purpose,
            "members": [
                {"name": name, "role": role.value}
                for name, role in members_of(session, team_id).items()
            ],
            "invited": [
                {"name": one.person.name, "role": one.role.value, "by": one.invited_by}
                for one in invitations_of(session, team_id)
            ],
            "folder": {
                "path": str(base.layout.team(team_id)),
                "files": size.files,
                "bytes": size.bytes,
                "whole": size.whole,
            },
        }


def courses(base: Base, language: str) -> list[dict[str, Any]]:
    """All courses with how many people and published assignments they have."""
    with Database.of(base.settings).read() as session:
        counts: dict[str, dict[Role, int]] = {}
        for course_id, role, count in session.execute(
            select(Enrolment.course_id, Enrolment.role, func.count()).group_by(
                Enrolment.course_id, Enrolment.role
            )
        ):
            counts.setdefault(course_id, {})[role] = count
        found = session.scalars(
            select(Course).options(selectinload(Course.assignments)).order_by(Course.id)
        ).all()
    return [
        {
            "course": course.id,
            "title": course.title(language),
            "focus_area": course.focus_area,
            "term": course.term,
            "curriculum": course.curriculum,
            "version": course.curriculum_version,
            "students": counts.get(course.id, {}).get(Role.STUDENT, 0),
            "assistants": counts.get(course.id, {}).get(Role.ASSISTANT, 0),
            "instructors": counts.get(course.id, {}).get(Role.INSTRUCTOR, 0),
            "assignments": len(course.assignments),
            "published": sum(a.published_at is not None for a in course.assignments),
        }
        for course in found
    ]


def curricula(base: Base) -> list[dict[str, Any]]:
    """All published versions, and what the checkout holds that is not published yet."""
    with Database.of(base.settings).read() as session:
        running = session.execute(
            select(Course.id, Course.curriculum, Course.curriculum_version).order_by(Course.id)
        )
        courses: dict[tuple[str, str], list[str]] = {}
        for course, curriculum, version in running:
            courses.setdefault((curriculum, version), []).append(course)
        published_by = publishers(session)
    found = published(base.layout)
    known = {(one.id, one.version) for one in found}
    rows = [
        {
            "curriculum": one.id,
            "version": one.version,
            "published_at": one.published_at,
            "published_by": published_by.get((one.id, one.version)),
            "focus_area": one.focus_area,
            "titles": dict(one.titles),
            "labs": [lab.id for lab in one.labs],
            "courses": courses.get((one.id, one.version), []),
        }
        for one in found
    ]
    for here in find_curricula():
        if (here.id, here.version) not in known:
            rows.append(
                {
                    "curriculum": here.id,
                    "version": here.version,
                    "published_at": None,
                    "published_by": None,
                    "focus_area": here.manifest.focus_area,
                    "titles": here.manifest.titles.model_dump(),
                    "labs": [lab.id for lab in here.labs],
                    "courses": [],
                }
            )
    return sorted(rows, key=lambda row: str(row["curriculum"]))


def status(base: Base) -> dict[str, Any]:
    """Whether the base serves, and how much is in it."""
    from ulab_deploy.up import serves

    accounts = Accounts(base.settings).names()
    with Database.of(base.settings).read() as session:
        # A list of pairs: a result has `keys()`, for which dict() would take it for a mapping.
        states = session.execute(select(Job.state, func.count()).group_by(Job.state)).tuples()
        jobs = dict(states.all())
        counted = {
            # Whom `people` lists: some have an account and never came, some came without one.
            "people": len(accounts.union(session.scalars(select(Person.name)))),
            "courses": session.scalar(select(func.count()).select_from(Course)),
            "assignments": session.scalar(select(func.count()).select_from(Assignment)),
        }
    process = RunLock(base.layout).holder()
    serving = process is not None and serves(base)
    return {
        "running": process is not None,
        "serves": serving,
        "warm": serving and all(greets(base.layout.fork_for_base(k)) for k in FORK_SERVER_KINDS),
        "process": process,
        "url": base.settings.server.browser_url,
        "state": str(base.layout.root),
        **counted,
        "waiting_jobs": jobs.get(JobState.QUEUED, 0) + jobs.get(JobState.RUNNING, 0),
        "failed_jobs": jobs.get(JobState.FAILED, 0),
    }
