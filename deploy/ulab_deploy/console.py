"""What the `ulab` command says, in the language of whoever runs it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from unicodedata import east_asian_width

from ulab_core.errors import UserError
from ulab_core.i18n import LANGUAGES, translations

_VARIABLES = ("ULAB_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_language = "en"
# Control characters, those that turn the direction of writing, and what no encoding can write.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Shorter steps need no remark.
_LONG_STEP_S = 3


def language_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language to speak: ``--language``, else what the environment says, else English."""
    for before, argument in zip(("", *arguments), arguments, strict=False):
        chosen = argument.removeprefix("--language=")
        if (before == "--language" or chosen != argument) and chosen in LANGUAGES:
            return chosen
    said = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return "zh" if said.startswith("zh") else "en"


def speak(language: str) -> None:
    """Choose the language of everything said from now on."""
    global _language
    _language = language


def language() -> str:
    return _language


def t(message: str, **values: object) -> str:
    """`message`, a literal, in the chosen language with its places filled."""
    text = translations(_language).gettext(message)
    return text.format(**values) if values else text


def sentence(error: UserError) -> str:
    """What went wrong, in the chosen language."""
    return error.sentence(translations(_language).gettext)


def harmless(line: str) -> str:
    """A line with what could act on a terminal written out: strangers' words may hold anything.

    Examples
    --------
    >>> harmless("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    return _ACTING.sub(lambda found: ascii(found[0])[1:-1], line)


def say(line: str = "") -> None:
    print(harmless(line), flush=True)


def warn(line: str) -> None:
    print(harmless(line), file=sys.stderr, flush=True)


def passing(line: str) -> None:
    """Say on a terminal how far it has come; the next line takes its place."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{harmless(line)}", end="", file=sys.stderr, flush=True)


def passed() -> None:
    """Remove what was said in passing."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def say_json(value: object, indent: int | None = 2) -> None:
    """For machines: one JSON value on standard output; on one line without `indent`."""
    print(json.dumps(value, ensure_ascii=False, indent=indent, default=str), flush=True)


def table(rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Rows as lines whose columns stand under one another, Chinese counted double."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*texts, strict=True)] if texts else []
    for row in texts:
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Say what goes on and, if it took a while, how long; the block may add lines."""
    started = time.monotonic()
    say(title)

    def more(line: str) -> None:
        say(f"  {line}")

    yield more
    seconds = time.monotonic() - started
    if seconds >= _LONG_STEP_S:
        say(f"  {seconds:.0f} s")


def debugging() -> bool:
    """Whether a programmer wants tracebacks."""
    return bool(os.environ.get("ULAB_DEBUG"))
