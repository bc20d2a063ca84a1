"""The people and courses of a base that only its own machine can reach, to try everything with."""

from __future__ import annotations

from sqlalchemy import select

from ulab_core.database import Database
from ulab_core.models import Assignment, AuditEntry, Course, FeedbackPolicy, Role, utc_now
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_deploy.base import Base

ACTOR = "ulab up"
TEACHER = "teacher"
STUDENTS = {"student1": "李明", "student2": "王芳"}
ACCOUNTS = {TEACHER: "instructor", **dict.fromkeys(STUDENTS, "student")}
LONGEST_COURSE_ID = 24


def prepare(base: Base) -> None:
    """Run each published curriculum as a course with the demonstration people in it."""
    from ulab_curricula import published

    db = Database.of(base.settings)
    newest = {curriculum.id: curriculum for curriculum in published(base.layout)}
    with db.write() as session:
        teacher = ensure_person(session, TEACHER, "陈老师")
        students = [ensure_person(session, name, shown) for name, shown in STUDENTS.items()]
        for curriculum in newest.values():
            course_id = curriculum.id[:LONGEST_COURSE_ID]
            course = session.get(Course, course_id) or create_course(
                session,
                base.layout,
                course_id,
                curriculum.id,
                curriculum.version,
                titles=None,
                term=str(utc_now().year),
                actor=ACTOR,
            )
            enrol(session, course, teacher, Role.INSTRUCTOR, ACTOR)
            for student in students:
                enrol(session, course, student, Role.STUDENT, ACTOR)
    _publish_new(base, db, [curriculum_id[:LONGEST_COURSE_ID] for curriculum_id in newest])


def _publish_new(base: Base, db: Database, course_ids: list[str]) -> None:
    """Publish the assignments that no one has ever published or withdrawn."""
    with db.read() as session:
        touched = set(
            session.scalars(
                select(AuditEntry.target).where(AuditEntry.action == "assignment.publish")
            )
        )
        waiting = [
            (course_id, name)
            for course_id, name in session.execute(
                select(Assignment.course_id, Assignment.name)
                .where(Assignment.course_id.in_(course_ids))
                .order_by(Assignment.course_id, Assignment.position)
            )
            if f"{course_id}/{name}" not in touched
        ]
    if not waiting:
        return
    # Heavy (nbgrader), and needed the first time alone.
    from ulab_coursework.releases import publish_assignment

    for course_id, name in waiting:
        publish_assignment(
            db, base.layout, course_id, name, None, FeedbackPolicy.AT_ONCE, actor=ACTOR
        )
