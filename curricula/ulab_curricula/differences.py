"""What a version of a curriculum has other than another one, in words; data in, sentences out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ulab_core.i18n import LANGUAGES, mark
from ulab_curricula.publication import PublishedCurriculum, PublishedLab
from ulab_curricula.titles import heading_before

_HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS", re.DOTALL)
_ANSWER = re.compile(r"### BEGIN SOLUTION\n.*?### END SOLUTION", re.DOTALL)
_LANGUAGES = {"zh": mark("in Chinese"), "en": mark("in English")}
_WORDS = {
    "titles": mark("The title {language} is now “{after}”; it was “{before}”."),
    "summaries": mark("The summary {language} is worded differently."),
    "outcomes": mark("The outcomes {language} are worded differently."),
    "prerequisites": mark("The prerequisites {language} are worded differently."),
    "licence": mark("The licence {language} is worded differently."),
    "focus_area_titles": mark("The focus area's title {language} is now “{after}”."),
}
_VALUES = {
    "focus_area": mark("The focus area is now {after}; it was {before}."),
    "level": mark("The level is now {after}; it was {before}."),
    "minutes": mark("A student needs {after} minutes; it was {before}."),
    "profile": mark("It is done on {after}; it was {before}."),
    "grading_seconds": mark("Grading may take {after} s; it was {before} s."),
    "max_score": mark("All questions together are worth {after:g} points; it was {before:g}."),
}


@dataclass(frozen=True)
class Difference:
    """One thing that is other than before.

    Attributes
    ----------
    lab
        The lab's id; empty for the curriculum itself.
    cell
        The cell's id; empty where none is meant.
    message, values
        An English sentence and what fills its places.
    tests
        Whether it may change what an answer earns.
    """

    lab: str
    cell: str
    message: str
    values: Mapping[str, object]
    tests: bool = False

    def said(self, translate: Callable[[str], str] = str) -> str:
        """The sentence, in the language of `translate`."""
        values = {
            name: translate(_LANGUAGES[str(value)]) if name == "language" else value
            for name, value in self.values.items()
        }
        return translate(self.message).format(**values)


def differences(before: PublishedCurriculum, after: PublishedCurriculum) -> list[Difference]:
    """All that `after` has other than `before`: the curriculum's own first, then lab by lab."""
    found = [
        *_manifest("", before, after, ("focus_area",)),
        *_words("", before, after, ("titles", "focus_area_titles", "summaries")),
        *_lists("", before, after, ("outcomes", "prerequisites")),
    ]
    old, new = {lab.id: lab for lab in before.labs}, {lab.id: lab for lab in after.labs}
    for lab in after.labs:
        if lab.id not in old:
            message = mark("The lab {lab} is new, with {points:g} points.")
            values = {"lab": lab.id, "points": lab.max_score}
            found.append(Difference(lab.id, "", message, values))
    for lab in before.labs:
        if lab.id not in new:
            message = mark("The lab {lab} is gone.")
            found.append(Difference(lab.id, "", message, {"lab": lab.id}, tests=True))
    kept = [lab.id for lab in before.labs if lab.id in new]
    order = [lab.id for lab in after.labs if lab.id in old]
    if kept != order:
        message = mark("The labs come in another order: {labs}.")
        found.append(Difference("", "", message, {"labs": ", ".join(order)}))
    for name in order:
        found += lab_differences(old[name], new[name])
    return found


def lab_differences(before: PublishedLab, after: PublishedLab) -> list[Difference]:
    """All that a lab has other than before."""
    name = after.id
    datasets = [
        Difference(name, "", message, {"datasets": ", ".join(sorted(found))}, tests=True)
        for message, found in (
            (mark("It now uses the data {datasets}."), {*after.datasets} - {*before.datasets}),
            (
                mark("It no longer uses the data {datasets}."),
                {*before.datasets} - {*after.datasets},
            ),
        )
        if found
    ]
    return [
        *_manifest(name, before, after, tuple(_VALUES)),
        *_words(name, before, after, ("titles", "summaries", "licence")),
        *_lists(name, before, after, ("outcomes", "prerequisites")),
        *datasets,
        *_cells(name, _notebook(before.source_notebook), _notebook(after.source_notebook)),
        *_texts(name, before, after),
        *_comments(name, before, after),
    ]


def _manifest(lab: str, before: Any, after: Any, keys: Sequence[str]) -> Iterator[Difference]:
    for key in keys:
        one, other = getattr(before, key), getattr(after, key)
        if one != other:
            yield Difference(lab, "", _VALUES[key], {"before": one, "after": other})


def _words(lab: str, before: Any, after: Any, keys: Sequence[str]) -> Iterator[Difference]:
    for key in keys:
        for language in LANGUAGES:
            one, other = getattr(before, key)[language], getattr(after, key)[language]
            if one != other:
                values = {"language": language, "before": one, "after": other}
                yield Difference(lab, "", _WORDS[key], values)


def _lists(lab: str, before: Any, after: Any, keys: Sequence[str]) -> Iterator[Difference]:
    for key in keys:
        for language in LANGUAGES:
            one, other = (
                [words[language] for words in getattr(side, key)] for side in (before, after)
            )
            if one != other:
                yield Difference(lab, "", _WORDS[key], {"language": language})


def _cells(lab: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    old, new = _named(before), _named(after)
    for name, cell in new.items():
        if name not in old:
            yield _added(lab, name, cell)
    for name, cell in old.items():
        if name not in new:
            graded = _about(cell).get("grade", False)
            message = mark("The question {cell} is gone.") if graded else mark("{cell} is gone.")
            yield Difference(lab, name, message, {"cell": name}, tests=graded)
    kept = [name for name in old if name in new]
    if kept != [name for name in new if name in old]:
        yield Difference(lab, "", mark("The cells come in another order."), {}, tests=True)
    for name in kept:
        yield from _changed(lab, name, old[name], new[name])
    free = [[_source(cell) for cell in cells if _is_free_code(cell)] for cells in (before, after)]
    if free[0] != free[1]:
        message = mark("Code that students may change is other than before.")
        yield Difference(lab, "", message, {}, tests=True)


def _added(lab: str, name: str, cell: Any) -> Difference:
    about = _about(cell)
    if about.get("grade"):
        message = mark("The question {cell} is new, worth {points:g} points.")
        return Difference(lab, name, message, {"cell": name, "points": about["points"]}, tests=True)
    return Difference(lab, name, mark("{cell} is new."), {"cell": name}, tests=True)


def _changed(lab: str, name: str, before: Any, after: Any) -> Iterator[Difference]:
    was, now = _about(before), _about(after)
    one, other = _source(before), _source(after)

    def difference(message: str, tests: bool = True, **values: object) -> Difference:
        return Difference(lab, name, message, {"cell": name, **values}, tests)

    kinds = ("grade", "solution", "task", "locked")
    if before["cell_type"] != after["cell_type"] or any(
        bool(was.get(kind)) != bool(now.get(kind)) for kind in kinds
    ):
        yield difference(mark("{cell} is another kind of cell than before."))
    if was.get("points") != now.get("points") and None not in (
        was.get("points"),
        now.get("points"),
    ):
        yield difference(
            mark("{cell} is worth {after:g} points; it was {before:g}."),
            before=was["points"],
            after=now["points"],
        )
    if one == other:
        return
    if now.get("grade") and now.get("solution"):
        yield difference(mark("The rubric of {cell} is worded differently."), tests=False)
    elif now.get("grade"):
        if _HIDDEN.sub("", one) != _HIDDEN.sub("", other):
            yield difference(mark("The tests of {cell} that students see are other than before."))
        if _HIDDEN.findall(one) != _HIDDEN.findall(other):
            yield difference(mark("The hidden tests of {cell} are other than before."))
    elif now.get("solution"):
        if _ANSWER.sub("", one) != _ANSWER.sub("", other):
            yield difference(mark("What students are given in {cell} is other than before."), False)
        if _ANSWER.findall(one) != _ANSWER.findall(other):
            yield difference(mark("The reference answer of {cell} is other than before."), False)
    else:
        yield difference(mark("The lab's own cell {cell} is other than before."))


def _comments(lab: str, before: PublishedLab, after: PublishedLab) -> Iterator[Difference]:
    """Comments of code that are other in the language that the source notebook isn't in."""
    sources = [_notebook(side.source_notebook) for side in (before, after)]
    for language in LANGUAGES:
        releases = [_notebook(side.release_notebook(language)) for side in (before, after)]
        # What the source has other than before is said already.
        same = [{name: _source(cell) for name, cell in _named(cells).items()} for cells in sources]
        old, new = (_named(cells) for cells in releases)
        for name in old:
            if (
                name in new
                and same[0].get(name) == same[1].get(name)
                and old[name]["cell_type"] == "code"
                and _source(old[name]) != _source(new[name])
            ):
                message = mark("The comments of {cell} are worded differently {language}.")
                yield Difference(lab, name, message, {"cell": name, "language": language})
        free = [
            [[_source(cell) for cell in cells if _is_free_code(cell)] for cells in pair]
            for pair in (sources, releases)
        ]
        if free[0][0] == free[0][1] and free[1][0] != free[1][1]:
            message = mark(
                "Comments in code that students may change are worded differently {language}."
            )
            yield Difference(lab, "", message, {"language": language})


def _texts(lab: str, before: PublishedLab, after: PublishedLab) -> Iterator[Difference]:
    for language in LANGUAGES:
        sides = []
        for side in (before, after):
            cells = _notebook(side.release_notebook(language))
            sides.append(
                [
                    (_source(cell), heading_before(cells, place))
                    for place, cell in enumerate(cells)
                    if cell["cell_type"] == "markdown" and not _about(cell)
                ]
            )
        old, new = ([text for text, _ in side] for side in sides)
        for kind, a, _, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            message = _TEXT_KINDS.get(kind)
            if message:
                _, heading = sides[1][c] if d > c else sides[0][a]
                yield Difference(lab, "", message, {"language": language, "heading": heading})


_TEXT_KINDS = {
    "replace": mark("Under “{heading}” the text {language} is worded differently."),
    "insert": mark("Under “{heading}” there is more text {language}."),
    "delete": mark("Under “{heading}” there is less text {language}."),
}


def _notebook(path: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["cells"]
    return found


def _named(cells: Sequence[Any]) -> dict[str, Any]:
    return {_about(cell)["grade_id"]: cell for cell in cells if _about(cell)}


def _about(cell: Any) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def _is_free_code(cell: Any) -> bool:
    return cell["cell_type"] == "code" and not _about(cell)


def _source(cell: Any) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
