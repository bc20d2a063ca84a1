"""`ulab course move --preview`: whose score a move would move and why, before anything changes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.base import Base
from ulab_deploy.console import say, sentence, t

if TYPE_CHECKING:
    from ulab_coursework.move_preview import Tried
    from ulab_coursework.regrade_report import Moved

TRYING = mark("{done} of {all} submissions graded by the other tests …")


def preview_move(
    base: Base, course_id: str, version: str, json: bool, *, progress: bool = False
) -> None:
    """Say what moving a course would change.

    Parameters
    ----------
    progress
        With `json`: a line before for each submission, with how far it is.
    """
    from ulab_core.database import Database
    from ulab_coursework.courses import find_course
    from ulab_coursework.move_preview import try_move
    from ulab_curricula import load_published
    from ulab_curricula.differences import differences
    from ulab_deploy.commands.curricula_check import require_sandbox
    from ulab_deploy.commands.curricula_diff import HEAD, as_json, tell
    from ulab_deploy.grade import judges_of

    require_sandbox(base)
    db = Database.of(base.settings)
    with db.read() as session:
        course = find_course(session, course_id)
        curriculum, before = course.curriculum, course.curriculum_version
    then = load_published(base.layout, curriculum, version)
    found = differences(load_published(base.layout, curriculum, before), then)
    if not json:
        say(t(HEAD, curriculum=curriculum, before=before, after=version))
        tell(found)
    tried: list[Tried] = []
    at_once = len(os.sched_getaffinity(0))
    with judges_of([], base.settings, base.layout) as judges:
        language = base.settings.site.language
        all_of_it = [0]

        def told() -> None:
            if json and progress:
                console.say_json({"done": len(tried), "all": all_of_it[0]}, indent=None)
            console.passing(t(TRYING, done=len(tried), all=all_of_it[0]))

        def count(found: int) -> None:
            all_of_it[0] = found
            told()

        for one in try_move(db, base.layout, judges, course_id, version, at_once, language, count):
            tried.append(one)
            told()
    console.passed()
    if json:
        said = {**as_json(before, version, found), "submissions": _as_json(tried)}
        console.say_json(said, indent=None if progress else 2)
        return
    moved = [one for one in tried if one.other]
    say(
        t(
            "Submissions that would be graded again: {all}; with other points: {moved}. "
            "Nothing has been changed.",
            all=len(tried),
            moved=len(moved),
        )
    )
    for one in moved:
        say(one.lab)
        if one.problem is not None:
            say(f"  {one.moved.person}: {sentence(one.problem)}")
        else:
            tell_moved(one.moved, "  ")


def tell_moved(one: Moved, indent: str = "") -> None:
    """Say how a submission's points are others, and why."""
    now = t("waiting") if one.waits else points(one.after)
    say(f"{indent}{one.person}: {points(one.before)} → {now}")
    for move in one.moves:
        why = f"{move.reason_before or '-'} → {move.reason_after or '-'}"
        say(f"{indent}  {move.question}: {points(move.before)} → {points(move.after)}  {why}")


def points(found: float | None) -> str:
    """Points as a terminal shows them."""
    return "-" if found is None else f"{found:g}"


def _as_json(tried: list[Tried]) -> list[dict[str, object]]:
    from dataclasses import asdict

    return [
        {
            "lab": one.lab,
            **asdict(one.moved),
            "problem": None if one.problem is None else sentence(one.problem),
        }
        for one in tried
    ]
