"""Courses, the people in them, and what each may do there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from ulab_core.audit import record
from ulab_core.errors import Conflict, NotAllowed, NotFound, UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.models import (
    COURSE_ID,
    PERSON_NAME,
    PERSON_NAME_REFUSED,
    Assignment,
    Course,
    Enrolment,
    Person,
    Role,
)
from ulab_core.rights import Act, may
from ulab_core.team_models import Team
from ulab_coursework.coursefolder import course_gid, prepare_folder
from ulab_curricula import load_published


class BadName(UserError):
    """A name that can't be a folder, a URL segment and an identity at once."""


def create_course(
    session: Session,
    layout: Layout,
    course_id: str,
    curriculum: str,
    version: str,
    titles: Mapping[str, str] | None,
    term: str,
    actor: str,
) -> Course:
    """Run a published curriculum as a course; nothing needs a restart.

    Parameters
    ----------
    titles
        Titles by language; a missing one is the curriculum's own.

    Raises
    ------
    BadName, Conflict, NotFound
        The id can't be used, is taken, or the curriculum version is not published.
    """
    if not COURSE_ID.fullmatch(course_id):
        raise BadName(
            mark(
                "{name} can't be a course's id: use up to 24 small letters, digits and hyphens, "
                "with a letter first."
            ),
            name=course_id,
        )
    if session.get(Course, course_id):
        raise Conflict(mark("There is a course {course} already."), course=course_id)
    if session.get(Team, course_id):
        raise Conflict(
            mark("There is a team {team} already, and a course needs a name of its own."),
            team=course_id,
        )
    content = load_published(layout, curriculum, version)
    given = {language: title for language, title in (titles or {}).items() if title}
    titles = {**content.titles, **given}
    course = Course(
        id=course_id,
        number=(session.scalar(select(func.max(Course.number))) or 0) + 1,
        title_zh=titles["zh"],
        title_en=titles["en"],
        focus_area=content.focus_area,
        curriculum=curriculum,
        curriculum_version=version,
        term=term,
    )
    session.add(course)
    for position, lab in enumerate(content.labs):
        session.add(
            Assignment(
                course=course,
                name=lab.id,
                position=position,
                title_zh=lab.titles["zh"],
                title_en=lab.titles["en"],
                profile=lab.profile,
                minutes=lab.minutes,
                max_score=lab.max_score,
            )
        )
    prepare_folder(layout, course_id, course_gid(course.number))
    record(session, actor, "course.create", course_id, curriculum=curriculum, version=version)
    session.flush()
    return course


def ensure_person(
    session: Session,
    name: str,
    display_name: str = "",
    college: str = "",
    language: str | None = None,
) -> Person:
    """Find or add a person; a value given here replaces what was known.

    Raises
    ------
    BadName
        The name can't be an account's.
    """
    person = session.scalar(select(Person).where(Person.name == name))
    if person is None:
        if not PERSON_NAME.fullmatch(name):
            raise BadName(PERSON_NAME_REFUSED, name=name)
        person = Person(name=name)
        session.add(person)
    person.display_name = display_name or person.display_name or ""
    person.college = college or person.college or ""
    person.language = language or person.language
    session.flush()
    return person


def enrol(
    session: Session, course: Course | str, person: Person | str, role: Role | str, actor: str
) -> None:
    """Give a person a role in a course; repeating it changes nothing."""
    course = course if isinstance(course, Course) else find_course(session, course)
    person = person if isinstance(person, Person) else find_person(session, person)
    enrol_all(session, course.id, [(person, Role(role))], actor)


def enrol_all(
    session: Session, course_id: str, roles: Iterable[tuple[Person, Role]], actor: str
) -> list[tuple[Person, Role]]:
    """Give people their roles in a course, with few queries, whatever their number.

    Returns
    -------
    list
        The roles that are new.

    Raises
    ------
    Conflict
        The course would be left without an instructor.
    """
    enrolments = {
        found.person_id: found
        for found in session.scalars(select(Enrolment).where(Enrolment.course_id == course_id))
    }
    new, former = [], []
    for person, role in roles:
        found = enrolments.get(person.id)
        if found is not None and found.role is role:
            continue
        if found is None:
            found = Enrolment(course_id=course_id, person_id=person.id, role=role)
            session.add(found)
            enrolments[person.id] = found
        if found.role is Role.INSTRUCTOR and role is not Role.INSTRUCTOR:
            former.append(person.name)
        found.role = role
        record(session, actor, "course.enrol", f"{course_id}/{person.name}", role=role.value)
        new.append((person, role))
    if former and all(one.role is not Role.INSTRUCTOR for one in enrolments.values()):
        raise _last_instructor(former[-1], course_id)
    session.flush()
    return new


def _last_instructor(name: str, course_id: str) -> Conflict:
    return Conflict(
        mark("{name} is the only instructor of {course}. Add another one first."),
        name=name,
        course=course_id,
    )


def remove(session: Session, course_id: str, name: str, actor: str) -> Role:
    """Take someone out of a course; what they handed in, and their scores, are kept.

    Returns
    -------
    Role
        What they were in it.

    Raises
    ------
    NotFound, Conflict
        Nobody of that name is in the course, or it would be left without an instructor.
    """
    find_course(session, course_id)
    found = session.scalar(
        select(Enrolment)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Enrolment.course_id == course_id, Person.name == name)
    )
    if found is None:
        raise NotFound(
            mark("There is no {name} in the course {course}."), name=name, course=course_id
        )
    role = found.role
    if role is Role.INSTRUCTOR and len(people_of(session, course_id, role)) == 1:
        raise _last_instructor(name, course_id)
    session.delete(found)
    record(session, actor, "course.remove", f"{course_id}/{name}", role=role.value)
    return role


def find_course(session: Session, course_id: str) -> Course:
    course = session.get(Course, course_id)
    if course is None:
        raise NotFound(mark("There is no course {course}."), course=course_id)
    return course


def find_person(session: Session, name: str) -> Person:
    person = session.scalar(select(Person).where(Person.name == name))
    if person is None:
        raise NotFound(mark("There is nobody called {name}."), name=name)
    return person


def find_assignment(session: Session, course_id: str, name: str) -> Assignment:
    """An assignment of a course, published or not."""
    found = session.scalar(
        select(Assignment)
        .where(Assignment.course_id == course_id, Assignment.name == name)
        .options(joinedload(Assignment.course))
    )
    if found is None:
        find_course(session, course_id)
        raise NotFound(
            mark("The course {course} has no assignment {assignment}."),
            course=course_id,
            assignment=name,
        )
    return found


def courses_of(session: Session, person: str) -> list[tuple[Course, Role]]:
    """The courses a person is in, with the role: by focus area, newest term first."""
    rows = session.execute(
        select(Course, Enrolment.role)
        .join(Enrolment, Enrolment.course_id == Course.id)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Person.name == person)
        .order_by(Course.focus_area, Course.term.desc(), Course.id)
    )
    return [(course, role) for course, role in rows]


def people_of(session: Session, course_id: str, role: Role | None = None) -> list[Person]:
    """The people in a course, by name."""
    query = (
        select(Person)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(Enrolment.course_id == course_id)
        .order_by(Person.name)
    )
    if role is not None:
        query = query.where(Enrolment.role == role)
    return list(session.scalars(query))


def role_in(session: Session, course_id: str, person: str) -> Role | None:
    """What a person is in a course; None when not enrolled or no such course."""
    return session.scalar(
        select(Enrolment.role)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Enrolment.course_id == course_id, Person.name == person)
    )


def require_member(session: Session, course_id: str, person: str) -> Role:
    """The person's role, or a refusal."""
    find_course(session, course_id)
    role = role_in(session, course_id, person)
    if role is None:
        raise NotAllowed(mark("You are not enrolled in the course {course}."), course=course_id)
    return role


def require_right(session: Session, course_id: str, person: str, act: Act) -> Role:
    """The person's role in the course, or a refusal when it may not do this."""
    role = require_member(session, course_id, person)
    if not may(role, act):
        message = (
            mark("Only an instructor or assistant of the course {course} may do this.")
            if may(Role.ASSISTANT, act)
            else mark("Only an instructor of the course {course} may do this.")
        )
        raise NotAllowed(message, course=course_id)
    return role
