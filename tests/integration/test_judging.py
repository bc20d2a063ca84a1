"""Submissions judged in real sandboxes: what earns points, and what ends only itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from integration.judging_support import Answer, Locked, Test, judge, judges, kinds, said

from ulab_coursework.judging import Judges
from ulab_runtime.forkserver.own import own_fork_server
from ulab_runtime.judge.benches import BrokenTests
from ulab_runtime.judge.verdicts import Kind

DOUBLE = (Answer, "def double(x):\n    return 2 * x")
ASKS = (Test, "assert double(4) == 8")


@pytest.fixture(scope="module")
def fork_server() -> Iterator[Path]:
    with own_fork_server(["ulab_runtime.judge.student", "ulab_runtime.judge.bench"]) as path:
        assert path is not None
        yield path


@pytest.fixture(scope="module")
def made(fork_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    with judges(fork_server, tmp_path_factory.mktemp("store")) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(fork_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    store = tmp_path_factory.mktemp("store")
    with judges(fork_server, store, cell_timeout_s=2, job_timeout_s=60) as made:
        yield made


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("def double(x):\n    return 2 * x", Kind.PASSED),
        ("def double(x):\n    return x", Kind.FAILED),
        ("def double(x):\n    return 1 / 0", Kind.FAILED),
        ("", Kind.FAILED),
        ("def double(x:", Kind.FAILED),
        ("import warnings\ndef double(x):\n    warnings.warn('x')\n    return x + x", Kind.PASSED),
    ],
)
def test_an_answer_gets_the_verdict_it_should(made: Judges, answer: str, kind: Kind) -> None:
    cells = [DOUBLE, ASKS]
    whole = judge(made, *cells)
    assert kinds(whole) == [Kind.PASSED]
    assert kinds(judge(made, (Answer, answer), ASKS, key=repr(cells))) == [kind]


def test_partial_credit_is_the_tests_last_value(made: Judges) -> None:
    judged = judge(made, DOUBLE, (Test, "0.5 * (double(1) == 2) + 0.5 * (double(1) == 3)"))
    [verdict] = judged.verdicts.values()
    assert (verdict.kind, verdict.value) == (Kind.PARTIAL, 0.5)


READ_ALL_MEMORY = r"""
import re
found = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        begin, end = (int(part, 16) for part in line.split()[0].split("-"))
        if " r" not in line or "[v" in line:
            continue
        memory.seek(begin)
        try:
            found += len(re.findall(rb"z[e]bra [c]rossing", memory.read(end - begin)))
        except OSError:
            pass
print(found)
"""


def test_tests_are_nowhere_in_the_memory_of_the_students_process(made: Judges) -> None:
    asks = (Test, "assert double(4) == 8, 'zebra crossing'")
    judged = judge(made, DOUBLE, asks, (Answer, READ_ALL_MEMORY))
    assert kinds(judged) == [Kind.PASSED]
    assert said(judged)[2] == "0"
    # It does find what is there.
    there = (Answer, "held = 'zebra ' + 'crossing'\n" + READ_ALL_MEMORY)
    assert said(judge(made, DOUBLE, asks, there))[2] != "0"


def test_a_cell_that_ends_its_process_costs_only_itself(made: Judges) -> None:
    judged = judge(
        made,
        DOUBLE,
        (Locked, "print('before')"),
        (Answer, "import os\nos._exit(3)"),
        ASKS,
        (Answer, "def triple(x):\n    return 3 * x"),
        (Test, "assert triple(2) == 6"),
    )
    assert kinds(judged) == [Kind.PASSED, Kind.PASSED]
    assert "The kernel ended while this cell ran." in said(judged)[2]


def test_a_question_that_ends_the_process_costs_only_itself(made: Judges) -> None:
    judged = judge(
        made,
        DOUBLE,
        (Answer, "import os\ndef leave():\n    os._exit(0)"),
        (Test, "helper = 4\nleave()"),
        (Test, "assert double(4) == 8"),
    )
    assert kinds(judged) == [Kind.DIED, Kind.PASSED]


def test_so_does_one_that_hangs_up_and_lives_on(made: Judges) -> None:
    lives = "import os, threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()"
    judged = judge(
        made,
        DOUBLE,
        (Answer, f"{lives}\ndef leave():\n    os.closerange(3, 100)"),
        (Test, "helper = 4\nleave()"),
        (Test, "assert double(4) == 8"),
    )
    assert kinds(judged) == [Kind.DIED, Kind.PASSED]


@pytest.mark.parametrize(
    "loops",
    [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    ],
)
def test_a_cell_without_an_end_is_stopped_and_the_next_goes_on(hasty: Judges, loops: str) -> None:
    judged = judge(hasty, DOUBLE, (Answer, loops), ASKS)
    assert kinds(judged) == [Kind.PASSED]
    assert said(judged)[1] == "This cell ran longer than 2 seconds and was stopped."


def test_a_question_without_an_end_is_stopped_and_the_next_goes_on(hasty: Judges) -> None:
    judged = judge(
        hasty,
        (Answer, "def forever():\n    while True: pass"),
        DOUBLE,
        (Test, "forever()"),
        ASKS,
    )
    assert kinds(judged) == [Kind.TIMED_OUT, Kind.PASSED]


def test_a_test_without_an_end_is_stopped(hasty: Judges) -> None:
    judged = judge(hasty, DOUBLE, (Test, "double(1)\nwhile True: pass"), ASKS)
    assert kinds(judged) == [Kind.TIMED_OUT, Kind.PASSED]


def test_too_much_memory_costs_only_that_cell(made: Judges) -> None:
    greedy = "held = []\nwhile True:\n    held.append(bytearray(50_000_000))"
    judged = judge(made, DOUBLE, (Answer, greedy), (Answer, "held = None"), ASKS)
    assert kinds(judged) == [Kind.PASSED]
    [error] = judged.notebook.cells[1].outputs
    assert "This cell needs more memory" in error.traceback[-1]


def test_nothing_of_one_submission_is_there_in_the_next(made: Judges) -> None:
    leave = (
        Answer,
        "open('/tmp/left', 'w').write('x')\nimport os\nprint(sorted(os.listdir('/tmp')))",
    )
    assert "left" in said(judge(made, leave, (Test, "pass")))[0]
    look = (Answer, "import os\nprint('left' in os.listdir('/tmp'))")
    assert said(judge(made, look, (Test, "pass")))[0] == "False"


def test_there_is_no_network_and_no_token(made: Judges) -> None:
    look = (
        "import os, socket\n"
        "try:\n    socket.create_connection(('1.1.1.1', 53), timeout=1)\n"
        "except OSError as error:\n    print('no network')\n"
        "print([name for name in os.environ if 'TOKEN' in name or 'SECRET' in name])"
    )
    assert said(judge(made, (Answer, look), (Test, "pass")))[0] == "no network\n[]"


def test_random_numbers_are_the_same_in_every_grading(made: Judges) -> None:
    cells = (
        (Answer, "import random\nprint(random.random())\ndef draw():\n    return random.random()"),
        (Test, "import random\nassert draw() == draw() or True"),
    )
    first, second = judge(made, *cells), judge(made, *cells)
    assert said(first) == said(second)
    assert said(first)[0]


FIVES = [
    "np.testing.assert_allclose(answer, 5)",
    "np.testing.assert_array_equal(answer, 5)",
    "np.testing.assert_almost_equal(answer, 5)",
    "np.testing.assert_array_less(4, answer)",
    "assert np.allclose(answer, 5)",
    "from numpy import allclose\nassert allclose(5, answer)",
    "import pytest\nassert answer == pytest.approx(5)",
]


@pytest.mark.parametrize("test", FIVES)
def test_an_empty_array_is_not_close_to_a_number(made: Judges, test: str) -> None:
    libraries = (Locked, "import numpy as np")
    asks = (Test, test)
    for answer, kind in (
        ("np.array([])", Kind.FAILED),
        ("np.zeros((0, 3))", Kind.FAILED),
        ("np.float64(5)", Kind.PASSED),
        ("5", Kind.PASSED),
        ("np.array([5.0, 5.0])", Kind.PASSED),
    ):
        judged = judge(made, libraries, (Answer, f"answer = {answer}"), asks, key=test)
        assert (answer, kinds(judged)) == (answer, [kind])


def test_empty_arrays_are_equal(made: Judges) -> None:
    libraries = (Locked, "import numpy as np")
    asks = (Test, "np.testing.assert_allclose(answer, [])\nassert np.allclose([], answer)")
    assert kinds(judge(made, libraries, (Answer, "answer = np.array([])"), asks)) == [Kind.PASSED]


def test_no_more_run_at_once_than_may(fork_server: Path, tmp_path: Path) -> None:
    at_work = "import time\nprint(time.monotonic())\ntime.sleep(0.3)\nprint(time.monotonic())"
    with (
        judges(fork_server, tmp_path, at_once=1, cell_timeout_s=2) as made,
        ThreadPoolExecutor(8) as pool,
    ):
        judged = list(pool.map(lambda slot: judge(made, (Answer, at_work), slot=slot), range(8)))
    # Waiting for one's turn is no time of one's own: the last waits longer than a cell may run.
    times = sorted(tuple(map(float, said(one)[0].split())) for one in judged)
    assert len(times) == 8
    assert all(one[1] < next_one[0] for one, next_one in pairwise(times))


def test_a_lab_whose_own_code_fails_judges_nobody(made: Judges) -> None:
    with pytest.raises(BrokenTests, match="ZeroDivisionError"):
        judge(made, (Locked, "limit = 1 / 0"), DOUBLE, (Test, "assert double(1) < limit"))


def test_without_a_fork_server_everything_starts_cold_and_says_the_same(tmp_path: Path) -> None:
    with judges(None, tmp_path) as cold:
        judged = judge(cold, DOUBLE, ASKS, (Answer, "import os\nos._exit(1)"), ASKS)
    assert kinds(judged) == [Kind.PASSED, Kind.PASSED]
