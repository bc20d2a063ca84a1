"""`ulab course policy|extend|regrade|move`: deadlines, penalties, attempts, grading again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.commands.course_preview import preview_move, tell_moved
from ulab_deploy.commands.options import Course, Json, Lab, People
from ulab_deploy.console import say, t

ACTOR = "ulab course"


def register(course: typer.Typer) -> None:
    @course.command(
        "policy",
        help=t("Show or set a lab's deadline, penalty, attempts, groups and what counts."),
        epilog=t(
            "Example: {example}",
            example="ulab course policy vision-2026 garments --late step --amount 10 --cap 50",
        ),
    )
    def policy(
        course: Course,
        lab: Lab,
        due: Annotated[
            str, typer.Option(help=t("The deadline in the site's zone: 2026-09-01T23:59, or none."))
        ] = "",
        closes: Annotated[
            str, typer.Option(help=t("After when nothing late is taken either, or none."))
        ] = "",
        late: Annotated[str, typer.Option(help="refused | free | step | linear")] = "",
        amount: Annotated[float | None, typer.Option(help=t("The penalty a day or hour."))] = None,
        unit: Annotated[str, typer.Option(help="percent | points")] = "",
        per: Annotated[str, typer.Option(help="day | hour")] = "",
        cap: Annotated[
            str, typer.Option(help=t("The most a penalty takes, in percent, or none."))
        ] = "",
        attempts: Annotated[
            str, typer.Option(help=t("How many submissions are taken, or none."))
        ] = "",
        cooldown: Annotated[
            int | None, typer.Option(help=t("Minutes between two submissions."))
        ] = None,
        counts: Annotated[str, typer.Option(help="last | best")] = "",
        group_size: Annotated[
            str, typer.Option(help=t("How many students hand in together at most, or none."))
        ] = "",
        own_groups: Annotated[
            bool | None,
            typer.Option(
                "--own-groups/--no-own-groups",
                help=t("Whether students form their groups themselves."),
            ),
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_core.models import Counts, LatePer, LateRule, LateUnit
        from ulab_coursework.policies import SETTABLE, set_policy
        from ulab_coursework.regrading import follow
        from ulab_deploy.base import existing_base
        from ulab_deploy.typed import NONE, choice, moment, number

        base = existing_base()
        zone = base.settings.site.zone
        typed: dict[str, Any] = {
            "due_at": moment(due, zone),
            "closes_at": moment(closes, zone),
            "late_rule": choice(late, LateRule),
            "late_amount": amount,
            "late_unit": choice(unit, LateUnit),
            "late_per": choice(per, LatePer),
            "late_cap": number(cap, float),
            "attempts": number(attempts, int),
            "cooldown_minutes": cooldown,
            "counts": choice(counts, Counts),
            "group_size": number(group_size, int),
            "own_groups": own_groups,
        }
        wanted = {
            key: None if value == NONE else value
            for key, value in typed.items()
            if value is not None
        }
        db = Database.of(base.settings)
        with db.write() as session:
            found = set_policy(session, course, lab, wanted, ACTOR)
            rows = {key: getattr(found, key) for key in SETTABLE}
        if wanted:
            follow(db, base.layout, course, lab)
        plain = {
            key: value.astimezone(zone).isoformat() if isinstance(value, datetime) else value
            for key, value in rows.items()
        }
        if json:
            console.say_json({"course": course, "lab": lab, **plain})
        else:
            for key, value in plain.items():
                say(f"{key}: {'-' if value is None else value}")

    @course.command(
        "extend",
        help=t("Give students a deadline of their own; none takes it back."),
        epilog=t(
            "Example: {example}",
            example="ulab course extend vision-2026 garments 2026-09-03T23:59 zhangwei",
        ),
    )
    def extend_(
        course: Course,
        lab: Lab,
        until: Annotated[str, typer.Argument(help=t("In the site's zone: 2026-09-01T23:59."))],
        people: People,
        reason: Annotated[str, typer.Option(help=t("Why, for the instructors."))] = "",
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_coursework.policies import extend
        from ulab_coursework.regrading import follow
        from ulab_deploy.base import existing_base
        from ulab_deploy.typed import moment

        base = existing_base()
        typed = moment(until, base.settings.site.zone)
        if typed is None:
            raise UserError(mark("Say until when."))
        due_at = typed if isinstance(typed, datetime) else None
        db = Database.of(base.settings)
        with db.write() as session:
            for name in people:
                extend(session, course, lab, name, due_at, reason, ACTOR)
        follow(db, base.layout, course, lab)
        if json:
            said = due_at.isoformat() if due_at else None
            console.say_json({"course": course, "lab": lab, "people": people, "due_at": said})
        else:
            for name in people:
                say(f"{name}: {until}")

    @course.command(
        "regrade",
        help=t("Grade a lab's class again, or say what the last time changed."),
        epilog=t("Example: {example}", example="ulab course regrade vision-2026 garments --report"),
    )
    def regrade_(
        course: Course,
        lab: Lab,
        report: Annotated[
            bool, typer.Option("--report", help=t("Whose score the last regrade moved, and why."))
        ] = False,
        csv: Annotated[
            Path | None, typer.Option(help=t("Write the report into this file as CSV."))
        ] = None,
        force: Annotated[
            bool, typer.Option("--force", help=t("Also what these very tests have graded."))
        ] = False,
        json: Json = False,
    ) -> None:
        from dataclasses import asdict

        from ulab_core.database import Database
        from ulab_coursework.courses import find_assignment
        from ulab_coursework.regrade_report import last_report, regrades, to_csv
        from ulab_coursework.regrading import regrade
        from ulab_deploy.base import existing_base
        from ulab_deploy.files import write_text

        db = Database.of(existing_base().settings)
        if not report and csv is None:
            with db.write() as session:
                found_lab = find_assignment(session, course, lab)
                asked = regrade(session, found_lab, ACTOR, force=force)
            if json:
                console.say_json({"regrade": asked.id, "queued": asked.submissions})
            else:
                say(t("Submissions queued for grading: {count}", count=asked.submissions))
            return
        with db.read() as session:
            found_lab = find_assignment(session, course, lab)
            newest = regrades(session, found_lab, most=1)
            found = last_report(session, found_lab)
        if csv is not None:
            write_text(csv, to_csv(found, console.language()))
        if json:
            console.say_json([asdict(one) for one in found])
            return
        if not newest:
            say(t("This lab has not been graded again yet."))
        elif not found:
            say(t("No score moved."))
        for one in found:
            tell_moved(one)

    @course.command(
        "move",
        help=t("Run a course in another published version of its curriculum."),
        epilog=t(
            "Example: {example}", example="ulab course move vision-2026 1-4ad07ca7f6 --regrade"
        ),
    )
    def move_(
        course: Course,
        version: Annotated[str, typer.Argument(help=t("The version to move to."))],
        regrade: Annotated[
            bool,
            typer.Option("--regrade", help=t("Grade again what was handed in, by changed tests.")),
        ] = False,
        preview: Annotated[
            bool,
            typer.Option(
                "--preview",
                help=t("Change nothing; say what is other, and grade to say whose score moves."),
            ),
        ] = False,
        json: Json = False,
        progress: Annotated[bool, typer.Option("--progress", hidden=True)] = False,
    ) -> None:
        from dataclasses import asdict

        from ulab_core.database import Database
        from ulab_coursework.moving import move
        from ulab_deploy.base import existing_base

        base = existing_base()
        if preview:
            preview_move(base, course, version, json, progress=progress)
            return
        db = Database.of(base.settings)
        labs = move(db, base.layout, course, version, ACTOR, regrades=regrade)
        if json:
            console.say_json([asdict(one) for one in labs])
            return
        for one in labs:
            if one.new:
                say(t("{lab}: new, not published", lab=one.name))
            elif one.tests_changed:
                say(t("{lab}: other tests", lab=one.name))
            else:
                say(t("{lab}: the same tests", lab=one.name))
