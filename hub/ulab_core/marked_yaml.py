"""Reads YAML that others may have written, and remembers at which line each value stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from ulab_core.errors import UserError
from ulab_core.i18n import mark

MOST_CHARACTERS = 500_000
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
}

Path = tuple[str | int, ...]
"""Where a value stands: the keys and positions that lead to it."""


class BadYaml(UserError):
    """A text is no YAML, or more than plain values.

    Parameters
    ----------
    line
        Where, counted from 1.
    """

    def __init__(self, message: str, line: int, **values: object) -> None:
        super().__init__(message, **values)
        self.line = line


@dataclass(frozen=True)
class Marked:
    """What a YAML text holds, with the line of each key and item."""

    content: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """Knows plain values alone."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        # A few aliases of aliases can stand for a text of gigabytes.
        if self.check_event(yaml.events.AliasEvent):
            raise BadYaml(
                mark("an alias (*) may not be used; write the value out"),
                self.peek_event().start_mark.line + 1,
            )
        return super().compose_node(parent, index)


def read_marked(text: str) -> Marked:
    """Read a YAML text.

    Raises
    ------
    BadYaml
        It is no YAML, holds a tag or an alias, a key twice, or is too long or too deep.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadYaml(mark("it is longer than {most} characters"), 1, most=MOST_CHARACTERS)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            lines = dict(_lines(node, ())) if node is not None else {}
            content = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        line = place.line + 1 if place is not None else 1
        raise BadYaml(mark("it is not YAML ({reason})"), line, reason=error.problem) from None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadYaml(mark("it is not YAML ({reason})"), 1, reason=reason) from None
    except RecursionError:
        raise BadYaml(mark("it is nested too deeply"), 1) from None
    return Marked(content, lines)


def _lines(node: Node, path: Path) -> Iterator[tuple[Path, int]]:
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        raise BadYaml(
            mark("the tag {tag} may not be used; write a plain value"), line, tag=node.tag
        )
    if not path:
        yield path, line
    if isinstance(node, MappingNode):
        seen = set()
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else str(key.start_mark.line)
            if name in seen:
                raise BadYaml(
                    mark("the key {key} stands there twice"), key.start_mark.line + 1, key=name
                )
            seen.add(name)
            _refuse_tag(key)
            yield (*path, name), key.start_mark.line + 1
            yield from _lines(value, (*path, name))
    elif not isinstance(node, ScalarNode):
        for position, item in enumerate(node.value):
            yield (*path, position), item.start_mark.line + 1
            yield from _lines(item, (*path, position))


def _refuse_tag(node: Node) -> None:
    if node.tag not in _PLAIN_TAGS:
        raise BadYaml(
            mark("the tag {tag} may not be used; write a plain value"),
            node.start_mark.line + 1,
            tag=node.tag,
        )
