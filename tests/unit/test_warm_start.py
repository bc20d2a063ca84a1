"""Starting a server warm or cold, without a sandbox."""

from __future__ import annotations

import tempfile
from typing import Any

import pytest

from ulab_hub import warm_start


class Ended:
    """A sandbox that has ended before its command could run."""

    def __init__(self) -> None:
        self.sandbox = self
        self.cleaned_up = False

    def run_cold(self) -> None:
        raise BrokenPipeError

    def end(self) -> None:
        self.cleaned_up = True


def test_a_sandbox_that_ended_is_cleaned_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Ended()
    monkeypatch.setattr(warm_start, "start_waiting", lambda *_, **__: ended)
    spec: Any = None
    with tempfile.TemporaryFile() as log, pytest.raises(BrokenPipeError):
        warm_start.start_server(spec, None, [], 3, log, "ann@")
    assert ended.cleaned_up
