"""The portal and the workers of the chaos test as processes: `python chaos_support.py portal`."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

REAL = "ULAB_CHAOS_SANDBOX"
"""Set to grade in real sandboxes; without it a stand-in says at once what the cells would."""


def serve_portal(port: int) -> None:
    import uvicorn
    from integration.portal_support import KnownPeople

    from ulab_core.settings import load_settings
    from ulab_portal.app import create_app

    app = create_app(load_settings(), KnownPeople())
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def work() -> None:
    from ulab_coursework import worker

    if not os.environ.get(REAL):
        worker.Judges = AtOnce  # type: ignore[misc,assignment]
    worker.main()


class AtOnce:
    """Says after a moment what the judge would of the answers of this test."""

    def __init__(self, *_: object) -> None:
        pass

    def judge(
        self, notebook: Any, tests: Any, language: str, slot: int, progress: Any, begin: Any
    ) -> Any:
        from ulab_core.settings import load_settings
        from ulab_coursework.filling import fill
        from ulab_coursework.judging import Judged
        from ulab_runtime.judge.record import Record
        from ulab_runtime.judge.verdicts import Kind, Verdict

        begin()
        time.sleep(random.uniform(0.0, 0.3))
        right = any("return a + b" in cell.source for cell in notebook.cells)
        verdicts = {
            test.id: Verdict(test.id, Kind.PASSED)
            if right or "42" not in test.source
            else Verdict(test.id, Kind.FAILED, reason="AssertionError: a hidden check")
            for test in tests.questions
        }
        record = Record(verdicts=verdicts, started=True)
        fill(notebook, record, load_settings(), "zh")
        return Judged(notebook, verdicts, True, "")

    def end(self) -> None:
        pass


if __name__ == "__main__":
    # This folder's modules are imported by the name that pytest gives them.
    sys.path[0] = str(Path(__file__).parent.parent)
    if sys.argv[1] == "portal":
        serve_portal(int(sys.argv[2]))
    else:
        work()
