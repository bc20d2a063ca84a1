"""A temporary base whose workers grade a class: what `ulab bench grading` takes for ours."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.manifest import Words
from ulab_core.models import Role, Submission
from ulab_core.process import die_with_parent
from ulab_core.settings import Settings
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_coursework.releases import publish_assignment
from ulab_coursework.submissions import receive
from ulab_curricula.labs import Curriculum, Lab
from ulab_curricula.manifest import CurriculumManifest, FocusArea
from ulab_curricula.publication import publish
from ulab_deploy.base import Base
from ulab_deploy.bench import base as bench_base
from ulab_hub.services import services
from ulab_runtime.forkserver.client import greets

COURSE, TEACHER = "bench", "teacher"
PATIENCE_S = 3600.0
WARM_S = 180.0
LOOK_S = 0.05
_WORDS = Words(zh="bench", en="bench")


class NotGraded(UserError):
    """The class was not graded in time, or not with full points."""

    exit_code = 1


@contextmanager
def serving(settings: Settings, folder: Path, labs: Sequence[Lab]) -> Iterator[Base]:
    """A base with a course of these labs, its grading workers and the kernels' fork server."""
    base = bench_base.prepare(settings, folder)
    furnish(base, labs)
    variables = bench_base.environment_of(base.settings, os.environ)
    wanted = [
        one
        for one in services(base.settings)
        if one["name"] == "fork-server-kernel" or one["name"].startswith("grading-worker")
    ]
    processes = []
    try:
        with (folder / "services.log").open("ab") as log:
            for one in wanted:
                env = variables | one["environment"] | {"JUPYTERHUB_SERVICE_NAME": one["name"]}
                processes.append(
                    subprocess.Popen(
                        one["command"],
                        env=env | bench_base.as_variables(base.settings),
                        cwd=one["cwd"],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        preexec_fn=die_with_parent,
                    )
                )
        until = time.monotonic() + WARM_S
        socket = base.layout.fork_for_base("kernel")
        while base.settings.warm.enabled and not greets(socket) and time.monotonic() < until:
            time.sleep(LOOK_S)
        yield base
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        bench_base.remove_sockets(base.layout)


def wait_for_parents(base: Base, labs: int) -> None:
    """Return when each of so many labs has its own parent, or after `WARM_S`."""
    until = time.monotonic() + WARM_S
    folder = base.layout.forks_of_labs(1)
    while base.settings.warm.enabled and time.monotonic() < until:
        if sum(greets(path) for path in folder.glob("*/fork.sock")) >= labs:
            return
        time.sleep(LOOK_S)


def furnish(base: Base, labs: Sequence[Lab]) -> None:
    manifest = CurriculumManifest(
        id=COURSE,
        focus_area="bench",
        edition="1",
        titles=_WORDS,
        summaries=_WORDS,
        labs=tuple(lab.id for lab in labs),
        outcomes=(_WORDS,),
        prerequisites=(),
    )
    area = FocusArea(id="bench", titles=_WORDS)
    version = publish(Curriculum(labs[0].folder, manifest, tuple(labs), area), base.layout)
    db = Database.of(base.settings)
    with db.write() as session:
        create_course(session, base.layout, COURSE, COURSE, version, None, "", TEACHER)
        ensure_person(session, TEACHER)
        enrol(session, COURSE, TEACHER, Role.INSTRUCTOR, TEACHER)
    for lab in labs:
        publish_assignment(db, base.layout, COURSE, lab.id, None, "at_once", TEACHER)


def mark_many(base: Base, lab: str, students: Sequence[str], content: bytes) -> float:
    """Hand in for each student and wait until all are graded; seconds of wall time.

    Raises
    ------
    NotGraded
    """
    db = Database.of(base.settings)
    with db.write() as session:
        for student in students:
            ensure_person(session, student)
            enrol(session, COURSE, student, Role.STUDENT, TEACHER)
    begun = time.monotonic()
    wanted = [
        receive(db, base.layout, base.settings, COURSE, lab, student, content, "portal").id
        for student in students
    ]
    graded = select(func.count()).where(
        Submission.id.in_(wanted), Submission.graded_at.is_not(None)
    )
    full = graded.where(Submission.score == Submission.max_score)
    while time.monotonic() - begun < PATIENCE_S:
        with db.read() as session:
            if session.scalar(graded) == len(wanted):
                seconds = time.monotonic() - begun
                if session.scalar(full) == len(wanted):
                    return seconds
                break
        time.sleep(LOOK_S)
    raise NotGraded(mark("Not every submission of {lab} was graded with full points."), lab=lab)
