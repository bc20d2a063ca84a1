"""Submissions taken, graded in the real sandbox, and read back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from integration.coursework_support import (
    COURSE,
    HIDDEN_LINE,
    LAB,
    OTHER_LAB,
    Base,
    answer,
    make_base,
)
from nbgrader.api import Gradebook
from sqlalchemy import func, select

from ulab_core.errors import NotAllowed, NotFound, TooLarge
from ulab_core.i18n import translations
from ulab_core.models import AuditEntry, Job, JobState, Submission, utc_now
from ulab_core.process import descendants
from ulab_coursework import queue, releases
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.feedback import NotReleased, feedback_html, release_feedback
from ulab_coursework.gradebook import class_scores, score_of, to_csv
from ulab_coursework.notebooks import NotANotebook, OtherAssignment
from ulab_coursework.standing import Standing, State, class_standing, history
from ulab_coursework.submissions import AfterDeadline, Receipt, grade_again, receive
from ulab_coursework.worker import Worker

PATIENCE_S = 90


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    return make_base(tmp_path, monkeypatch)


def hand_in(base: Base, content: bytes, person: str = "alice", assignment: str = LAB) -> Receipt:
    return receive(
        base.db, base.layout, base.settings, COURSE, assignment, person, content, "portal"
    )


def grade_all(base: Base, **grading: Any) -> None:
    section = base.settings.grading.model_copy(update=grading)
    worker = Worker(base.settings.model_copy(update={"grading": section}))
    while worker.work_once():
        pass


def newest(base: Base, person: str = "alice") -> Standing:
    with base.db.read() as session:
        return history(session, COURSE, LAB, person)[0]


def cells_by_id(base: Base, person: str = "alice") -> dict[str, nbformat.NotebookNode]:
    path = base.layout.course(COURSE) / "autograded" / person / LAB / f"{LAB}.ipynb"
    notebook = nbformat.read(str(path), as_version=4)
    return {c.metadata.nbgrader["grade_id"]: c for c in notebook.cells if "nbgrader" in c.metadata}


def grades(base: Base, person: str = "alice") -> dict[str, Any]:
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as gradebook:
        [notebook] = gradebook.find_submission(LAB, person).notebooks
        return {
            g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades
        }


# ---- taking a submission


def test_what_is_taken_is_stored_before_the_receipt_and_old_ones_stay(base: Base) -> None:
    before = utc_now()
    first = hand_in(base, answer("return 1"))
    assert before <= first.received_at <= utc_now()
    assert base.layout.submission_file(first.sha256).read_bytes() == answer("return 1")
    second = hand_in(base, answer("return 2"))
    again = hand_in(base, answer("return 1"))
    assert len({first.id, second.id, again.id}) == 3
    with base.db.read() as session:
        found = history(session, COURSE, LAB, "alice")
        audited = session.scalar(
            select(func.count()).where(AuditEntry.action == "submission.receive")
        )
    assert [one.id for one in found] == [again.id, second.id, first.id]
    assert audited == 3


def test_the_same_bytes_again_give_the_same_receipt_also_at_once_and_when_late(base: Base) -> None:
    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(lambda _: hand_in(base, answer()), range(8)))
    assert len({receipt.id for receipt in receipts}) == 1
    assert sum(not receipt.again for receipt in receipts) == 1
    past = utc_now() - timedelta(seconds=1)
    releases.set_deadline(base.db, base.layout, COURSE, LAB, past, "carol")
    assert hand_in(base, answer()).again
    with base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 1


def test_after_the_deadline_nothing_is_taken_until_it_is_extended(base: Base) -> None:
    past = utc_now() - timedelta(seconds=1)
    releases.set_deadline(base.db, base.layout, COURSE, LAB, past, "carol")
    with pytest.raises(AfterDeadline, match="Asia/Shanghai") as refused:
        hand_in(base, answer())
    assert "截止" in refused.value.sentence(translations("zh").gettext)
    future = utc_now() + timedelta(hours=1)
    releases.set_deadline(base.db, base.layout, COURSE, LAB, future, "carol")
    assert not hand_in(base, answer()).late


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"content": b"{"}, NotANotebook),
        ({"content": b" " * (20 * 1024 * 1024 + 1)}, TooLarge),
        ({"content": answer("return a * b", lab=OTHER_LAB)}, OtherAssignment),
        ({"person": "dave"}, NotAllowed),
        ({"person": "nobody"}, NotAllowed),
        ({"assignment": OTHER_LAB}, NotFound),
        ({"assignment": "missing"}, NotFound),
    ],
)
def test_refusals_store_nothing(base: Base, how: dict[str, Any], refusal: type) -> None:
    with pytest.raises(refusal):
        hand_in(base, **{"content": answer(), **how})
    with base.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 0
    assert not [path for path in base.layout.submissions.rglob("*") if path.is_file()]


def test_a_withdrawn_assignment_takes_nothing_and_loses_nothing(base: Base) -> None:
    receipt = hand_in(base, answer())
    releases.withdraw_assignment(base.db, COURSE, LAB, "carol")
    with pytest.raises(NotFound, match="not published"):
        hand_in(base, answer("return 0"))
    assert newest(base).id == receipt.id


# ---- grading


def test_right_and_wrong_answers_get_their_points_and_feedback(base: Base) -> None:
    right = hand_in(base, answer(language="en"))
    hand_in(base, answer("return 3 if a else 0"), "bob")
    grade_all(base)

    mine, other = newest(base), newest(base, "bob")
    assert (mine.state, mine.score, mine.max_score) == (State.GRADED, 5, 5)
    assert (other.score, other.max_score) == (2, 5)
    with base.db.read() as session:
        points = score_of(base.layout, session, COURSE, "bob", LAB)
        assert points is not None
        assert (points.points, points.max_points, points.needs_person) == (2, 5, False)
        scores = class_scores(base.layout, session, COURSE)
    assert [(row.person, row.total) for row in scores.rows] == [("alice", 5), ("bob", 2)]
    assert "Alice,,5,,5" in to_csv(scores, "en")

    page = feedback_html(base.db, base.layout, right.id, "alice")
    assert "Your answer" in page
    page = feedback_html(base.db, base.layout, other.id, "bob")
    assert "你的解答" in page
    assert "a hidden check" in page, "the message is for the student"
    assert "add(20, 22)" not in page, "the hidden test is not"
    # The instructor's formgrader sees the whole test.
    assert HIDDEN_LINE in cells_by_id(base, "bob")["sums-hidden"].source


def test_student_code_can_not_put_the_hidden_test_into_its_feedback(base: Base) -> None:
    spy = (
        "import linecache, sys\n"
        "    name = sys._getframe(1).f_code.co_filename\n"
        "    print(''.join(linecache.getlines(name)))\n"
        "    return a + b"
    )
    hand_in(base, answer(spy))
    grade_all(base)
    printed = cells_by_id(base)["sums-hidden"].outputs
    assert "20, 22" in printed[0].text, "it did see the test: see docs/coursework.md"
    assert "20, 22" not in feedback_html(base.db, base.layout, newest(base).id, "alice")


def test_the_sandbox_has_no_network_no_secrets_and_no_other_files(base: Base) -> None:
    (base.layout.secrets / "key").write_text("secret")
    (base.layout.homes / "bob").mkdir()
    probe = f"""import os, json, socket
    from pathlib import Path
    try:
        socket.create_connection(("127.0.0.1", 22), 1)
    except OSError as error:
        network = type(error).__name__
    interfaces = [name for _, name in socket.if_nameindex()]
    others = ({str(base.layout.root)!r}, {str(Path(__file__).parent)!r})
    seen = [place for place in others if Path(place).exists()]
    names = [n for n in os.environ if "TOKEN" in n or "SECRET" in n or "PORTAL" in n]
    try:
        Path(os.environ["ULAB_DATASETS"], "new").write_text("x")
        wrote = True
    except OSError:
        wrote = False
    here = sorted(os.listdir("."))
    print(json.dumps([interfaces, seen, names, wrote, os.getuid() != 0, here]))
    return a + b"""
    hand_in(base, answer(probe))
    grade_all(base)
    told = json.loads(cells_by_id(base)["sums-visible"].outputs[0].text)
    assert told == [["lo"], [], [], False, True, ["results"]]


def test_tracking_a_run_needs_no_server(base: Base) -> None:
    track = (
        "import mlflow\n    with mlflow.start_run():\n"
        "        mlflow.log_metric('m', 1)\n    return a + b"
    )
    hand_in(base, answer(track))
    grade_all(base, cell_timeout_s=100)
    assert newest(base).score == 5


def test_warnings_cost_nothing(base: Base) -> None:
    hand_in(base, answer("import warnings; warnings.warn('old'); return a + b"))
    grade_all(base)
    assert newest(base).score == 5


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("while True: pass", "longer than 3 seconds"),
        ("import os; os._exit(1)", "kernel ended"),
        ("x = bytearray(8 << 30); return a + b", "MemoryError"),
        ("print('x' * 50_000_000); return 0", "AssertionError"),
        ("raise RuntimeError('mine')", "mine"),
    ],
    ids=["endless", "dead kernel", "memory", "flood", "error"],
)
def test_broken_code_ends_as_a_graded_job_that_says_why(base: Base, body: str, says: str) -> None:
    receipt = hand_in(base, answer(body, language="en"))
    grade_all(base, cell_timeout_s=3)
    found = newest(base)
    assert (found.state, found.score) == (State.GRADED, 0), found.problem
    assert says in feedback_html(base.db, base.layout, receipt.id, "alice")


def test_missing_and_repeated_cells_are_told_and_graded(base: Base) -> None:
    notebook = json.loads(answer(language="en"))
    solution = notebook["cells"][2]
    wrong = solution | {"source": "def add(a, b): return 0", "id": "again"}
    notebook["cells"] = [notebook["cells"][0], wrong, solution, notebook["cells"][3]]
    receipt = hand_in(base, json.dumps(notebook).encode())
    grade_all(base)
    assert newest(base).score == 5
    page = feedback_html(base.db, base.layout, receipt.id, "alice")
    assert "sums-hidden was missing" in page
    assert "sums-solution was there more than once" in page


def test_changed_tests_and_points_are_undone(base: Base) -> None:
    notebook = json.loads(answer("return 0"))
    for cell in notebook["cells"][3:]:
        cell["source"] = "pass"
        cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False}
    hand_in(base, json.dumps(notebook).encode())
    grade_all(base)
    assert (newest(base).score, newest(base).max_score) == (0, 5)


def test_an_old_submission_graded_late_does_not_replace_the_new_one(base: Base) -> None:
    old = hand_in(base, answer("return 0"))
    hand_in(base, answer())
    grade_all(base)
    assert newest(base).score == 5
    assert grades(base)["sums-visible"][0] == 2
    with base.db.write() as session:
        queue.enqueue(session, session.get_one(Submission, old.id))
    grade_all(base)
    assert grades(base)["sums-visible"][0] == 2
    assert "0 / 5" in feedback_html(base.db, base.layout, old.id, "alice")


# ---- people


def test_a_regrade_keeps_what_a_person_graded(base: Base) -> None:
    hand_in(base, answer("return 0"))
    grade_all(base)
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as gradebook:
        grade = gradebook.find_grade("sums-visible", LAB, LAB, "alice")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = gradebook.find_comment("sums-solution", LAB, LAB, "alice")
        comment.manual_comment = "nearly there <script>"
        gradebook.db.commit()
    assert grade_again(base.db, COURSE, LAB, "carol") == 1
    grade_all(base)
    assert grades(base)["sums-visible"] == (0, 1.5, False)

    assert release_feedback(base.db, base.layout, COURSE, LAB, "carol") == 1
    page = feedback_html(base.db, base.layout, newest(base).id, "alice")
    assert "nearly there &lt;script&gt;" in page
    assert "1.5 / 5" in page
    with base.db.read() as session:
        points = score_of(base.layout, session, COURSE, "alice", LAB)
    assert points is not None
    assert points.points == 1.5


def test_feedback_waits_for_its_release_and_is_for_its_owner_alone(base: Base) -> None:
    releases.publish_assignment(base.db, base.layout, COURSE, LAB, None, "on_release", "carol")
    receipt = hand_in(base, answer())
    with pytest.raises(NotReleased, match="not been graded"):
        feedback_html(base.db, base.layout, receipt.id, "alice")
    grade_all(base)
    found = newest(base)
    assert (found.withheld, found.score, found.feedback) == (True, None, False)
    with pytest.raises(NotReleased, match="not released"):
        feedback_html(base.db, base.layout, receipt.id, "alice")
    assert feedback_html(base.db, base.layout, receipt.id, "carol")
    with pytest.raises(NotAllowed):
        release_feedback(base.db, base.layout, COURSE, LAB, "alice")
    release_feedback(base.db, base.layout, COURSE, LAB, "carol")
    assert newest(base).score == 5
    assert feedback_html(base.db, base.layout, receipt.id, "alice")
    for other in ("bob", "dave"):
        with pytest.raises(NotFound):
            feedback_html(base.db, base.layout, receipt.id, other)


def test_a_table_for_a_spreadsheet_holds_no_formulas(base: Base) -> None:
    with base.db.write() as session:
        from ulab_coursework.courses import find_person

        find_person(session, "bob").display_name = '=HYPERLINK("http://evil")'
    with base.db.read() as session:
        table = to_csv(class_scores(base.layout, session, COURSE), "zh")
    assert table.startswith("\ufeff账号,姓名,学院")
    assert "'=HYPERLINK" in table


def test_a_course_as_root_belongs_to_its_group(base: Base) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to a group")
    hand_in(base, answer())
    grade_all(base)
    for path in base.layout.course(COURSE).rglob("*"):
        if path.name != ".gradebook.lock":
            assert path.stat().st_gid == base.settings.accounts.uid_base * 2 + 1, path
            assert path.stat().st_mode & 0o060 == 0o060, path
            assert not path.stat().st_mode & 0o007, path


# ---- workers as processes


def start_worker(base: Base, number: int = 1) -> subprocess.Popen[bytes]:
    environment = os.environ | {"JUPYTERHUB_SERVICE_NAME": f"grading-worker-{number}"}
    with (base.layout.logs / f"worker-{number}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ulab_coursework.worker"],
            env=environment,
            stdout=log,
            stderr=log,
        )


def eventually(look: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if look():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def test_a_killed_workers_job_is_done_by_the_next_and_a_stopped_one_gives_it_back(
    base: Base, tmp_path: Path
) -> None:
    hand_in(base, answer("import time; time.sleep(4); return a + b"))

    def in_sandbox(worker: subprocess.Popen[bytes]) -> bool:
        return newest(base).state is State.RUNNING and len(descendants(worker.pid)) > 3

    worker = start_worker(base)
    eventually(lambda: in_sandbox(worker))
    inside = descendants(worker.pid)
    worker.kill()
    worker.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in inside))
    with base.db.write() as session:  # do not sit the lease out
        [job] = session.scalars(select(Job))
        assert (job.state, job.attempts) == (JobState.RUNNING, 1)
        job.leased_until = utc_now() - timedelta(seconds=1)

    worker = start_worker(base, 2)
    eventually(lambda: in_sandbox(worker))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    with base.db.read() as session:
        [job] = session.scalars(select(Job))
        assert (job.state, job.attempts, job.worker) == (JobState.QUEUED, 1, None)

    worker = start_worker(base)
    try:
        eventually(lambda: newest(base).state is State.GRADED)
    finally:
        worker.terminate()
        worker.wait()
    assert newest(base).score == 5
    assert not list((base.layout.run / "grading").glob("*.db"))


def test_two_workers_fill_one_gradebook(base: Base) -> None:
    hand_in(base, answer("return 3"))
    hand_in(base, answer(), "bob")
    workers = [start_worker(base, number) for number in (1, 2)]
    try:
        eventually(lambda: {newest(base, p).state for p in ("alice", "bob")} == {State.GRADED})
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
    with base.db.read() as session:
        rows = class_scores(base.layout, session, COURSE).rows
        shown = class_standing(session, COURSE, LAB)
    assert [(row.person, row.total) for row in rows] == [("alice", 2), ("bob", 5)]
    assert [row.newest.score for row in shown if row.newest] == [2, 5]
