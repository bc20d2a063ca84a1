"""The people and courses of a base that only its own machine can reach, to try everything with."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from ulab_core.database import Database
from ulab_core.models import (
    COURSE_ID,
    Assignment,
    AuditEntry,
    Course,
    FeedbackPolicy,
    Role,
    utc_now,
)
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_deploy.base import Base

ACTOR = "ulab up"
TEACHER = "teacher"
STUDENTS = {"student1": "李明", "student2": "王芳"}
ACCOUNTS = {TEACHER: "instructor", **dict.fromkeys(STUDENTS, "student")}
KEPT_OF_A_LONG_ID = 16


def course_id(curriculum_id: str) -> str:
    """The demonstration course's id: the curriculum's own, or one made of it when it can't be."""
    if COURSE_ID.fullmatch(curriculum_id):
        return curriculum_id
    digest = hashlib.sha256(curriculum_id.encode()).hexdigest()[:6]
    start = curriculum_id[:KEPT_OF_A_LONG_ID].rstrip("-")
    # A course's id begins with a letter; a curriculum's may begin with a digit.
    return f"{start if start[:1].isalpha() else f'c{start}'}-{digest}"


def prepare(base: Base) -> None:
    """Run each published curriculum as a course with the demonstration people in it."""
    from ulab_curricula import published

    db = Database.of(base.settings)
    newest = {curriculum.id: curriculum for curriculum in published(base.layout)}
    with db.write() as session:
        teacher = ensure_person(session, TEACHER, "陈老师")
        students = [ensure_person(session, name, shown) for name, shown in STUDENTS.items()]
        for curriculum in newest.values():
            name = course_id(curriculum.id)
            course = session.get(Course, name) or create_course(
                session,
                base.layout,
                name,
                curriculum.id,
                curriculum.version,
                titles=None,
                term=str(utc_now().year),
                actor=ACTOR,
            )
            enrol(session, course, teacher, Role.INSTRUCTOR, ACTOR)
            for student in students:
                enrol(session, course, student, Role.STUDENT, ACTOR)
    _publish_new(base, db, [course_id(curriculum_id) for curriculum_id in newest])


def _publish_new(base: Base, db: Database, course_ids: list[str]) -> None:
    """Publish the assignments that no one has ever published or withdrawn."""
    with db.read() as session:
        touched = set(
            session.scalars(
                select(AuditEntry.target).where(AuditEntry.action == "assignment.publish")
            )
        )
        waiting = [
            (course, name)
            for course, name in session.execute(
                select(Assignment.course_id, Assignment.name)
                .where(Assignment.course_id.in_(course_ids))
                .order_by(Assignment.course_id, Assignment.position)
            )
            if f"{course}/{name}" not in touched
        ]
    if not waiting:
        return
    # Heavy (nbgrader), and needed the first time alone.
    from ulab_coursework.releases import publish_assignment

    for course, name in waiting:
        publish_assignment(db, base.layout, course, name, None, FeedbackPolicy.AT_ONCE, actor=ACTOR)
