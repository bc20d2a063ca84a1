"""Any bytes that a student process may send: data of known types or the refusal, and a verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
EXAMPLES = os.environ.get("ULAB_FUZZ_EXAMPLES", "300")
"""How many of each kind; tens of thousands take minutes."""
PATIENCE_S = 3600


@pytest.mark.timeout(PATIENCE_S)
def test_whatever_is_sent_is_data_or_refused_and_earns_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "judge_fuzz", EXAMPLES],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr[-8000:]


@pytest.mark.parametrize(
    ("tried", "event"),
    [
        ("pickle.loads(pickle.dumps(print))", "pickle.find_class"),
        ("open('/etc/passwd')", "open"),
        ("os.system('true')", "os.system"),
    ],
)
def test_the_fuzzer_would_see_what_must_not_happen(tried: str, event: str) -> None:
    code = (
        "import os, pickle, sys, judge_fuzz\n"
        "sys.addaudithook(judge_fuzz._watch)\n"
        f"with judge_fuzz.watched(): {tried}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS, capture_output=True, text=True, check=False
    )
    assert f"SystemError: {event}" in done.stderr
