"""What is wrong with settings, in sentences that name the file's key or the variable."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from pydantic_core import ErrorDetails

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.value_problems import said_of


class BadSettings(UserError):
    """`ulab.toml` or a `ULAB_…` variable holds something that can't be used."""


class UnusableSettings(BadSettings):
    """Values that don't fit, each where it stands.

    Parameters
    ----------
    file
        Where values come from that no variable sets.
    errors
        As pydantic reports them.
    sections
        The keys there are, by section.
    environment
        The variables there are.
    """

    def __init__(
        self,
        file: Path,
        errors: Collection[ErrorDetails],
        sections: Mapping[str, Collection[str]],
        environment: Collection[str],
    ) -> None:
        super().__init__(mark("{file} can't be used: {problems}"), file=file)
        self._sections = sections
        variables = {name.upper(): name for name in environment}
        self._of_file: list[ErrorDetails] = []
        self._of_variables: list[tuple[str, ErrorDetails]] = []
        for error in errors:
            variable = variables.get(_variable_of(error))
            if variable:
                self._of_variables.append((variable, error))
            else:
                self._of_file.append(error)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        sentences = []
        if self._of_file:
            problems = [
                self._problem(".".join(map(str, error["loc"])), error, translate)
                for error in self._of_file
            ]
            sentences.append(
                translate(self.message).format(
                    file=self.values["file"], problems="; ".join(problems)
                )
            )
        for variable, error in self._of_variables:
            problem = self._problem(variable, error, translate)
            sentences.append(
                translate(mark("A variable can't be used: {problem}")).format(problem=problem)
            )
        return "\n".join(sentences)

    def _problem(self, where: str, error: ErrorDetails, translate: Callable[[str], str]) -> str:
        if error["type"] == "extra_forbidden":
            near = nearest_key(".".join(map(str, error["loc"])), self._sections)
            message = (
                translate(mark("unknown key {key}; did you mean {near}?"))
                if near
                else translate(mark("unknown key {key}"))
            )
            return message.format(key=where, near=near)
        return f"{where}: {said_of(error, translate)}"


def _variable_of(error: ErrorDetails) -> str:
    return "ULAB_" + "__".join(map(str, error["loc"][:2])).upper()


def nearest_key(key: str, sections: Mapping[str, Collection[str]]) -> str | None:
    """The key that was probably meant; a section only for what should be one.

    Examples
    --------
    >>> nearest_key("server.prot", {"server": ["port"], "site": ["name"]})
    'server.port'
    >>> nearest_key("nosection", {"server": ["port"], "site": ["name"]})
    """
    section, _, name = key.rpartition(".")
    known = sections.get(section, ()) if section else sections
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"{section}.{near[0]}" if section else near[0]
    elsewhere = [f"{other}.{name}" for other, keys in sections.items() if name in keys]
    return elsewhere[0] if len(elsewhere) == 1 else None
