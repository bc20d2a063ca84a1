"""What the doctor finds, in words, and the refusal when any of it keeps the base from coming up."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from ulab_core.errors import UserError
from ulab_core.i18n import mark


class Level(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    """The base can't come up before this is mended."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    check
        A short constant name, for machines.
    message, advice
        Catalogue keys: what is so, and what to do about it (empty when all is well).
    values
        What fills their places.
    """

    check: str
    level: Level
    message: str
    advice: str = ""
    values: dict[str, object] = field(default_factory=dict)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.message).format(**self.values)

    def what_to_do(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.advice).format(**self.values) if self.advice else ""


class Unfit(UserError):
    """The machine has problems that keep the base from coming up."""

    exit_code = 1

    def __init__(self, problems: list[Finding]) -> None:
        super().__init__(mark("The base can't come up:"))
        self.problems = problems

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        lines = [super().sentence(translate)]
        for problem in self.problems:
            lines.append(f"- {problem.sentence(translate)} {problem.what_to_do(translate)}")
        return "\n".join(lines)


def require_fit(findings: list[Finding]) -> None:
    """Refuse when anything found keeps the base from coming up.

    Raises
    ------
    Unfit
    """
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    if problems:
        raise Unfit(problems)
