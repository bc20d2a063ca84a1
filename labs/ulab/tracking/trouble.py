"""What can stand between a run and its server."""

from __future__ import annotations

import enum


class Trouble(enum.StrEnum):
    """What stands between a run and the server."""

    AWAY = "away"
    """No answer, or none that settles anything: asked again later."""
    LOGIN = "login"
    """The token is not, or no longer, accepted."""
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    REFUSED = "refused"
    """This request will never be taken."""


class Refusal(Exception):
    """The server did not do what it was asked.

    Attributes
    ----------
    trouble
        The kind.
    sentence
        What the server says, without its code.
    """

    def __init__(self, trouble: Trouble, sentence: str) -> None:
        super().__init__(f"{trouble}: {sentence}")
        self.trouble = trouble
        self.sentence = sentence
