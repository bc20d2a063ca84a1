"""`ulab course`: curricula run in a term for a roster."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.commands import course_groups, course_policies
from ulab_deploy.commands.options import Course, Json, Lab, People
from ulab_deploy.commands.session import writing
from ulab_deploy.console import say, t

ACTOR = "ulab course"
ROLES = {
    "student": mark("student"),
    "assistant": mark("assistant"),
    "instructor": mark("instructor"),
}


def register(app: typer.Typer) -> None:
    course = typer.Typer(
        help=t("Courses: a curriculum run in a term for a roster."),
        epilog=t("Example: {example}", example="ulab course list"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(course, name="course")
    course_policies.register(course)
    course_groups.register(course)

    @course.command(
        "create",
        help=t("Run a published curriculum as a course; nothing needs a restart."),
        epilog=t("Example: {example}", example="ulab course create vision-2026 vision-foundations"),
    )
    def create(
        course: Annotated[str, typer.Argument(help=t("The new course's id."))],
        curriculum: Annotated[str, typer.Argument(help=t("The curriculum's id."))],
        version: Annotated[
            str, typer.Option(help=t("The curriculum's version; the newest when left out."))
        ] = "",
        title_zh: Annotated[
            str, typer.Option(help=t("The Chinese title; the curriculum's when left out."))
        ] = "",
        title_en: Annotated[
            str, typer.Option(help=t("The English title; the curriculum's when left out."))
        ] = "",
        term: Annotated[str, typer.Option(help=t("The term, such as 2026-spring."))] = "",
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_coursework.courses import create_course
        from ulab_deploy.base import existing_base
        from ulab_deploy.catalogue import published_version

        base = existing_base()
        chosen = published_version(base, curriculum, version)
        with Database.of(base.settings).write() as session:
            made = create_course(
                session, base.layout, course, curriculum, chosen.version,
                {"zh": title_zh, "en": title_en}, term, ACTOR,
            )  # fmt: skip
            title = made.title(console.language())
        if json:
            console.say_json(
                {"course": course, "curriculum": curriculum, "version": chosen.version}
            )
        else:
            say(t("Created the course {course}: {title}", course=course, title=title))

    @course.command(
        "enrol",
        help=t("Put people into a course."),
        epilog=t(
            "Example: {example}", example="ulab course enrol vision-2026 zhangwei --role instructor"
        ),
    )
    def enrol_(
        course: Course,
        people: People,
        role: Annotated[str, typer.Option(help=t("student, assistant or instructor"))] = "student",
        json: Json = False,
    ) -> None:
        from ulab_coursework.courses import enrol
        from ulab_deploy.catalogue import require_role

        wanted = require_role(role)
        with writing() as session:
            for name in people:
                enrol(session, course, name, wanted, ACTOR)
        if json:
            console.say_json({"course": course, "people": people, "role": wanted.value})
        else:
            word = t(ROLES[wanted])
            for name in people:
                say(t("{name} is now {role} of {course}", name=name, role=word, course=course))

    @course.command(
        "remove",
        help=t("Take people out of a course; what they handed in is kept."),
        epilog=t("Example: {example}", example="ulab course remove vision-2026 zhangwei"),
    )
    def remove_(
        course: Course,
        people: People,
        json: Json = False,
    ) -> None:
        from ulab_coursework.courses import remove

        with writing() as session:
            for name in people:
                remove(session, course, name, ACTOR)
        if json:
            console.say_json({"course": course, "people": people})
        else:
            for name in people:
                say(t("{name} is no longer in {course}", name=name, course=course))

    @course.command(
        "list",
        help=t("List courses."),
        epilog=t("Example: {example}", example="ulab course list --json"),
    )
    def list_(json: Json = False) -> None:
        from ulab_deploy import listings
        from ulab_deploy.base import existing_base

        rows = listings.courses(existing_base(), console.language())
        if json:
            console.say_json(rows)
            return
        if not rows:
            say(t("There are no courses yet. Create one with: ulab course create"))
        for line in console.table(
            [
                (row["course"], row["title"], row["term"],
                 t("students: {students}, assistants: {assistants}, instructors: {instructors}",
                   **row),
                 t("assignments published: {published} of {assignments}", **row))
                for row in rows
            ]
        ):  # fmt: skip
            say(line)

    @course.command(
        "similarity",
        help=t("Compare a class's submissions; what is similar may have many causes."),
        epilog=t("Example: {example}", example="ulab course similarity vision-2026 garments"),
    )
    def similarity_(
        course: Course,
        lab: Lab,
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_coursework.similarity import make_report
        from ulab_deploy.base import existing_base

        base = existing_base()
        db = Database.of(base.settings)
        report = make_report(db, base.layout, base.settings, course, lab)
        if json:
            pairs = [
                {"people": list(pair.people), "similarity": pair.similarity}
                for pair in report.pairs
            ]
            console.say_json(
                {"made_at": report.made_at, "pairs": pairs, "left_out": list(report.left_out)}
            )
            return
        for line in console.table(
            [(f"{pair.similarity:.0%}", *pair.people) for pair in report.pairs[:20]]
        ):
            say(line)
        say(
            t(
                "Similar work may come from the same source, from working together, or from a "
                "question with few good answers. Look at both before you think of anything else."
            )
        )
