"""Which data sets this kernel has read, for the runs that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Card = dict[str, Any]

cards: dict[str, Card] = {}
"""Name to card, in the order they were first read."""

listeners: list[Callable[[str, Card], None]] = []
"""Called with each data set that is read."""


def note(name: str, card: Card) -> None:
    cards[name] = card
    for listener in list(listeners):
        listener(name, card)
