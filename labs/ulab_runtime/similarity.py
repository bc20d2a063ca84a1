"""Inside a sandbox: compares texts pairwise by winnowing, and says which lines are similar."""

from __future__ import annotations

import io
import itertools
import json
import math
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

GRAM, WINDOW = 25, 6
"""Characters of filtered code that must be the same, and how many such passages choose one."""
DOCUMENT_S = 10
SHOWN_PAIRS = 500
COMMON_TO = 0.5
COMMON_AT_LEAST = 5


class TookTooLong(Exception):
    """A text that can't be read in its time."""


def compare(documents: dict[str, str], template: str) -> dict[str, Any]:
    """Compare all pairs of texts.

    Parameters
    ----------
    documents
        Python code by its author's name.
    template
        What everyone was given: passages of it count for nothing.

    Returns
    -------
    dict
        ``pairs``: most similar first, each ``{"people", "similarity", "lines"}``, where similarity
        lies between 0 and 1 and lines are numbered from 0, for either side. ``left_out``: names
        whose text can't be compared.
    """
    given = _fingerprint(template).hashes
    prints, left_out = {}, []
    for name, text in documents.items():
        try:
            with _within(DOCUMENT_S):
                prints[name] = _fingerprint(text)
        except (TookTooLong, RecursionError, ValueError, IndexError):
            left_out.append(name)
    # What many wrote alike says something of the exercise and nothing of two people.
    many = max(COMMON_AT_LEAST, math.ceil(COMMON_TO * len(prints)))
    seen = Counter(each for found in prints.values() for each in found.hashes)
    common = given | {each for each, times in seen.items() if times >= many}
    for found in prints.values():
        _forget(found, common)
    pairs = [_pair(a, b, prints) for a, b in itertools.combinations(sorted(prints), 2)]
    pairs.sort(key=lambda pair: (-pair["similarity"], pair["people"]))
    for pair in pairs[SHOWN_PAIRS:]:
        pair["lines"] = [[], []]
    return {"pairs": pairs, "left_out": left_out}


def _fingerprint(text: str) -> Any:
    # Heavy, and only needed here.
    from copydetect import CodeFingerprint

    return CodeFingerprint("code.py", GRAM, WINDOW, language="python", fp=io.StringIO(text))


def _forget(found: Any, common: set[int]) -> None:
    from copydetect.utils import get_token_coverage

    found.hashes -= common
    found.hash_idx = {h: places for h, places in found.hash_idx.items() if h in found.hashes}
    found.token_coverage = get_token_coverage(found.hash_idx, found.k, len(found.filtered_code))


def _pair(a: str, b: str, prints: dict[str, Any]) -> dict[str, Any]:
    from copydetect import compare_files

    first, second = prints[a], prints[b]
    pair: dict[str, Any] = {"people": [a, b], "similarity": 0.0, "lines": [[], []]}
    if not first.hashes & second.hashes:
        return pair
    _, shares, slices = compare_files(first, second)
    coverage = (first.token_coverage, second.token_coverage)
    shared = sum(share * size for share, size in zip(shares, coverage, strict=True))
    # Of both together: a short text that is a part of a long one is not wholly similar to it.
    pair["similarity"] = round(min(float(shared / sum(coverage)), 1.0), 4)
    pair["lines"] = [
        _lines(found.raw_code, spans) for found, spans in zip((first, second), slices, strict=True)
    ]
    return pair


def _lines(text: str, spans: Any) -> list[int]:
    """The numbers of the lines that the spans touch."""
    found: set[int] = set()
    for start, end in zip(*spans.tolist(), strict=True):
        first = text.count("\n", 0, int(start))
        found.update(range(first, first + text.count("\n", int(start), int(end)) + 1))
    lines = text.split("\n")
    return sorted(n for n in found if n < len(lines) and lines[n].strip())


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> None:
    """Read ``{"documents", "template"}`` from one file, write the result into another."""
    given = json.loads(Path(sys.argv[1]).read_bytes())
    result = compare(given["documents"], given["template"])
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
