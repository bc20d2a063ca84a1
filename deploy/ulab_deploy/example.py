"""Writes `ulab.example.toml` from the settings themselves: ``python -m ulab_deploy.example``."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ulab_core.programs import CHECKOUT
from ulab_core.settings import Settings

EXAMPLE = CHECKOUT / "ulab.example.toml"
HEAD = """\
# Every setting of U Lab with its default. Copy this file to ulab.toml, and take the # away in
# front of what you change. A variable wins over the file: ULAB_SERVER__PORT=9000 is server.port.
# `ulab doctor` reads the file and says what is wrong with it.
"""
WIDTH = 98


def example() -> str:
    """The content of `ulab.example.toml`."""
    sections = []
    for name, section in Settings.model_fields.items():
        kind = section.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        sections.append("\n".join(_section(name, kind)))
    return "\n".join([HEAD, *sections])


def _section(name: str, kind: type[BaseModel]) -> Iterator[str]:
    yield f"# {(kind.__doc__ or '').splitlines()[0]}"
    yield f"[{name}]"
    for key, field in kind.model_fields.items():
        yield from textwrap.wrap(
            f"{field.description}{_bounds(field)}",
            WIDTH,
            initial_indent="# ",
            subsequent_indent="# ",
        )
        yield f"# {key} = {_toml(field.default)}"
    yield ""


def _bounds(field: FieldInfo) -> str:
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return f" One of: {', '.join(choices)}."
    bounds = {
        word: getattr(rule, name)
        for rule in field.metadata
        for name, word in (("ge", "at least"), ("gt", "more than"), ("le", "at most"))
        if hasattr(rule, name)
    }
    if not bounds:
        return ""
    said = ", ".join(f"{word} {value}" for word, value in bounds.items())
    return f" {said[0].upper()}{said[1:]}."


def _toml(value: Any) -> str:
    # Strings, numbers and booleans are written in JSON as they are in TOML.
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


if __name__ == "__main__":
    EXAMPLE.write_text(example(), encoding="utf-8")
