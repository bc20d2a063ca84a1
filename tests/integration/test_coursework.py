"""Submissions graded in the real sandbox."""

import json
from pathlib import Path

import pytest
from integration.coursework_support import (
    COURSE,
    HIDDEN_LINE,
    LAB,
    Base,
    answer,
    cells_by_id,
    grade_all,
    grades,
    hand_in,
    newest,
)

from ulab_core.models import Submission
from ulab_coursework import queue
from ulab_coursework.feedback import feedback_html
from ulab_coursework.gradebook import class_scores, score_of, to_csv
from ulab_coursework.standing import State


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
    assert '<a href="#sums-visible">求和 (1)</a>' in page, "as the table of scores calls it"
    page = feedback_html(base.db, base.layout, other.id, "bob")
    assert "你的解答" in page
    assert "a hidden check" in page, "the message is for the student"
    assert "add(20, 22)" not in page, "the hidden test is not"
    # The instructor's formgrader sees the whole test.
    assert HIDDEN_LINE in cells_by_id(base, "bob")["sums-hidden"].source


def test_student_code_can_not_see_the_hidden_test(base: Base) -> None:
    spy = (
        "import linecache, sys, json\n"
        "    seen.append([f.f_code.co_filename for f in sys._current_frames().values()])\n"
        "    seen.append(linecache.getlines(sys._getframe(1).f_code.co_filename))\n"
        "    open('/tmp/seen', 'w').write(str(seen))\n"
        "    raise ValueError(f'seen {seen}')\n"
        "seen = []"
    )
    hand_in(base, answer(spy))
    grade_all(base)
    page = feedback_html(base.db, base.layout, newest(base).id, "alice")
    assert "ValueError" in page, "it ran to its end"
    assert "20, 22" not in page


def test_the_sandbox_has_no_network_no_secrets_and_no_other_files(base: Base) -> None:
    (base.layout.secrets / "key").write_text("secret")
    (base.layout.homes / "bob").mkdir()
    probe = f"""return a + b

def look():
    import os, json, socket
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
    here = [entry.name for entry in Path().iterdir() if entry.is_file()]
    print(json.dumps([interfaces, seen, names, wrote, os.getuid() != 0, here]))

look()"""
    hand_in(base, answer(probe))
    grade_all(base)
    told = json.loads(cells_by_id(base)["sums-solution"].outputs[0].text)
    assert told == [["lo"], [], [], False, True, []]


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
    assert "求和 (2) was missing" in page
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
