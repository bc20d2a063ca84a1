"""The one kind of error a person can cause: a sentence that says what was wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable

from ulab_core.i18n import mark


class Titles:
    """What a sentence calls something that has a title in each language."""

    def __init__(self, zh: str, en: str) -> None:
        self._titles = {"中文": zh, "English": en}

    def said(self, translate: Callable[[str], str]) -> str:
        """The title in the language of `translate`."""
        return self._titles[translate(mark("English"))]


class UserError(Exception):
    """Something a person can mend.

    Parameters
    ----------
    message
        An English sentence, or several, with ``{name}`` places. It is also the key of the
        translation catalogue, so it must be a literal wrapped in `ulab_core.i18n.mark`.
    **values
        What fills the places; `Titles` and other errors are said in the sentence's language.

    Notes
    -----
    Subclasses exist so that callers can tell causes apart; `status` is the HTTP status a page or
    API answers with, and `exit_code` what the command line returns.
    """

    status = 400
    exit_code = 2

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The error as a sentence, in the language of `translate`."""
        values = {name: _said(value, translate) for name, value in self.values.items()}
        return translate(self.message).format(**values)

    def __str__(self) -> str:
        return self.sentence()


def _said(value: object, translate: Callable[[str], str]) -> object:
    if isinstance(value, Titles):
        return value.said(translate)
    return value.sentence(translate) if isinstance(value, UserError) else value


class NotAllowed(UserError):
    """The person is known but has no right to do this."""

    status = 403


class NotFound(UserError):
    """What was asked for does not exist, or not for this person."""

    status = 404


class Conflict(UserError):
    """The thing exists already, or its state does not admit this."""

    status = 409


class TooLarge(UserError):
    """More was sent than is taken."""

    status = 413
