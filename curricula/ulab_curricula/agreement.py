"""Whether the Chinese and the English text of a cell have the same numbers and terms."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import yaml

from ulab_curricula.labs import CURRICULA

GLOSSARY = CURRICULA / "glossary.yaml"

_MATHS = re.compile(r"\$[^$]+\$")
_NUMBER = re.compile(
    r"(?<![A-Za-z_\d.])(\d[\d,]*(?:\.\d+)?)\s*(万|亿|million|billion)?(?![A-Za-z_\d])"
)
_TIMES = {"万": 10**4, "亿": 10**8, "million": 10**6, "billion": 10**9}
# Smaller whole numbers are often written as a word in one language.
_SMALLEST = 100
# How long an answer should be differs between the languages.
_UNREAD = re.compile(r"`[^`]*`|https?://\S+|<[^>]+>|[\d–-]+ ?字|\d+(?:(?: to |[–-])\d+)? words")


@dataclass(frozen=True)
class Term:
    """What a thing is called in both languages; any of several words will do.

    Attributes
    ----------
    also
        Beginnings of other English words that say the first Chinese one.
    one_way
        Why the Chinese word need not mean the term; empty when it does.
    """

    en: tuple[str, ...]
    zh: tuple[str, ...]
    also: tuple[str, ...] = ()
    one_way: str = ""


@dataclass(frozen=True)
class TermApart:
    """A term that one text has and the other lacks; `said` is the one that has it."""

    term: Term
    said: str


def numbers(text: str) -> Counter[Decimal]:
    """The numbers of a text, thousands' commas removed and 万 worked out."""
    found = (
        Decimal(match[1].replace(",", "").rstrip(".")) * _TIMES.get(match[2] or "", 1)
        for match in _NUMBER.finditer(text)
    )
    return Counter(number.normalize() for number in found)


def formulas_differ(zh: str, en: str) -> bool:
    """Whether formulas hold other numbers; nothing but a slip can be the reason."""
    inside = [" ".join(_MATHS.findall(text)) for text in (zh, en)]
    return numbers(inside[0]) != numbers(inside[1])


def numbers_apart(zh: str, en: str) -> list[str]:
    """The numbers that stand in one text alone, those left out that may be words in the other."""
    mine, yours = (numbers(_UNREAD.sub(" ", text)) for text in (zh, en))
    apart = {*mine} ^ {*yours}
    return [f"{one:f}" for one in sorted(apart) if one >= _SMALLEST or one != int(one)]


@functools.cache
def glossary() -> tuple[Term, ...]:
    """The terms of ``curricula/glossary.yaml``."""
    entries = yaml.safe_load(GLOSSARY.read_text(encoding="utf-8"))["terms"]
    return tuple(
        Term(
            _several(entry, "en"),
            _several(entry, "zh"),
            _several(entry, "also"),
            entry.get("one_way", ""),
        )
        for entry in entries
    )


def _several(entry: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in entry.get(key, "").split("|") if part.strip())


def terms_apart(zh: str, en: str, terms: Sequence[Term] | None = None) -> Iterator[TermApart]:
    """The terms that one text uses and the other calls something else.

    An English term asks for any of its Chinese words, the first Chinese word for the term or what
    else may say it.

    Parameters
    ----------
    terms
        The glossary when left out.
    """
    theirs, ours = _UNREAD.sub(" ", zh), _UNREAD.sub(" ", en)
    for term in glossary() if terms is None else terms:
        if _says(ours, term.en, whole=True) and not any(word in zh for word in term.zh):
            yield TermApart(term, "en")
        back = term.zh[0] in theirs and not term.one_way
        if back and not _says(en, (*term.en, *term.also), whole=False):
            yield TermApart(term, "zh")


def _says(text: str, words: Sequence[str], *, whole: bool) -> bool:
    """Whether an English text has one of some words, or of the beginnings of words."""
    any_of = "|".join(re.escape(word) for word in words)
    end = r"s?(?![\w-])" if whole else ""
    return bool(re.search(rf"(?<![A-Za-z])(?:{any_of}){end}", text, re.IGNORECASE))
