"""Says in the chosen language what is wrong with how a command was written.

Typer has English sentences alone for that; what it says of values stays its own where none of ours
fits.
"""

from __future__ import annotations

import re
from functools import partialmethod
from typing import Any

from typer import core
from typer._click.core import Command
from typer._click.exceptions import (
    BadOptionUsage,
    BadParameter,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer._click.formatting import HelpFormatter

from ulab_deploy.console import t

__all__ = ["UsageError", "said", "speak"]

_write_usage = HelpFormatter.write_usage
_help_option = Command.get_help_option
_short_help = Command.get_short_help_str
_FIRST_CLAUSE = re.compile(r"[^。：]*")
_NO_COMMAND = re.compile(r"No such command '(?P<name>[^']*)'(?:\. Did you mean (?P<near>.*)\?|\.)")
_TOO_MANY = re.compile(r"Got unexpected extra argument\(s\) \((?P<rest>.*)\)", re.DOTALL)


def speak() -> None:
    """Let Typer's own words on a page of help be in the chosen language."""
    words = {
        "Arguments": t("Arguments"),
        "Commands": t("Commands"),
        "Options": t("Options"),
        "required": t("required"),
        "default: {default}": t("default: {default}"),
    }
    vars(core)["_"] = lambda message: words.get(message, message)

    def help_option(command: Command, ctx: Any) -> Any:
        found = _help_option(command, ctx)
        if found is not None:
            found.help = t("Show this page and exit.")
        return found

    def short_help(command: Command, limit: int = 45) -> str:
        # Typer shortens between words, of which a Chinese sentence has few or none.
        shortened = _short_help(command, limit)
        if shortened.endswith("...") and "。" in (command.help or ""):
            return _FIRST_CLAUSE.match(command.help or "")[0]  # type: ignore[index]
        return shortened

    Command.get_short_help_str = short_help  # type: ignore[assignment, method-assign]
    # These two know no translation at all.
    HelpFormatter.write_usage = partialmethod(_write_usage, prefix=t("Usage: "))  # type: ignore
    Command.get_help_option = help_option  # type: ignore[assignment, method-assign]


def said(error: UsageError) -> str:
    """What is wrong, how the command is written, and where to read more."""
    if isinstance(error, NoArgsIsHelpError):
        return error.format_message()
    lines = [_sentence(error)]
    if error.ctx is not None:
        lines.append(error.ctx.get_usage())
        lines.append(t("More: {command} --help", command=error.ctx.command_path))
    return "\n".join(lines)


def _sentence(error: UsageError) -> str:
    match error:
        case NoSuchOption():
            sentence = t("There is no option {option}.", option=error.option_name)
            return sentence + _near(", ".join(error.possibilities or ()))
        case BadOptionUsage():
            return t("The option {option} needs a value after it.", option=error.option_name)
        case MissingParameter():
            return t("Missing: {what}.", what=_called(error))
        case BadParameter():
            return t("{what} can't be this: {reason}", what=_called(error), reason=_reason(error))
    if found := _NO_COMMAND.fullmatch(error.message):
        sentence = t("There is no command {name}.", name=found["name"])
        return sentence + _near((found["near"] or "").replace("'", ""))
    if found := _TOO_MANY.fullmatch(error.message):
        return t("This is more than the command takes: {rest}.", rest=found["rest"])
    return error.format_message()


def _near(offered: str) -> str:
    return t(" Did you mean {offered}?", offered=offered) if offered else ""


def _called(error: BadParameter) -> str:
    return error.param.get_error_hint().replace("'", "") if error.param is not None else ""


def _reason(error: BadParameter) -> str:
    """In our words for numbers, which are all that our commands let Typer read."""
    for kind, sentence in (
        ("integer", t("write a whole number.")),
        ("number", t("write a number.")),
    ):
        if f"valid {kind}" in error.message:
            return sentence
    return error.message
