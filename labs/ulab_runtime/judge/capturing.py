"""What code writes to standard output, kept up to a limit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

TEXT_LIMIT = 200_000


class KeptText(io.TextIOBase):
    """A stream that keeps the first characters and forgets the others."""

    encoding = "utf-8"

    def __init__(self, limit: int = TEXT_LIMIT) -> None:
        self._parts: list[str] = []
        self._left = limit

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._left > 0:
            self._parts.append(text[: self._left])
            self._left -= len(text)
        return len(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)


@contextmanager
def captured_text() -> Iterator[KeptText]:
    """Keep what is written to `sys.stdout`, and drop what is written to `sys.stderr`."""
    kept = KeptText()
    with redirect_stdout(kept), redirect_stderr(KeptText(0)):
        yield kept
