"""What can be seen to be wrong with a lab without running it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from nbformat import NotebookNode

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_curricula.build import Built
from ulab_curricula.errors import BadLab, BadTest
from ulab_curricula.labs import Lab
from ulab_curricula.mutations import free_without_reason
from ulab_curricula.parsing import parse
from ulab_curricula.places import place_of, place_of_name
from ulab_curricula.pointgiving import given_points
from ulab_curricula.prose import inspect_prose, remarks_on_prose
from ulab_curricula.questions import Mix, mixed
from ulab_curricula.source import CHINESE
from ulab_curricula.unseeded import unseeded

_MARKER_LIKE = re.compile(r"(?im)^\s*#*\s*(begin|end)\s+(hid\w*|sol\w*)")
_REGION = re.compile(r"### BEGIN (HIDDEN TESTS|SOLUTION)\n(.*?)### END \1", re.DOTALL)
_MIXED = {
    Mix.LATE: mark(
        "It gives {name} a new value after a test has used it. The judge runs the lab's own cells "
        "before all tests: use another name."
    ),
    Mix.TESTS: mark(
        "It uses {name}, which only a test cell defines. Tests run apart from the notebook: define "
        "it in a locked cell."
    ),
    Mix.SENT: mark(
        "A helper marked @ulab.at_student uses {name}, which the student's process does not have: "
        "define it inside the helper, or mark it too."
    ),
    Mix.STAR: mark(
        "It does not say which names it brings, so all of them would count as the student's: "
        "import them by name."
    ),
}
_LINK = re.compile(r"\]\((https?://[^)\s]+)\)")


def inspect(lab: Lab, built: Built) -> list[BadLab]:
    """All that is wrong with a built lab, in the order of its cells."""
    return [
        *_bad_code(lab, built.canonical),
        *_leaks(lab, built),
        *_disagreements(lab, built),
        *_untranslated(lab, built.sources["en"]),
        *_unlike_the_judge(lab, built.canonical),
        *_free_without_reason(lab, built.canonical),
        *inspect_prose(lab, built),
    ]


def remarks(lab: Lab, built: Built) -> list[BadLab]:
    """What need not be wrong, but may not be what the author wants."""
    source = built.canonical
    return [
        *_points_given(lab, source),
        *_unseeded(lab, source),
        *remarks_on_prose(lab, built),
    ]


def _points_given(lab: Lab, source: NotebookNode) -> list[BadLab]:
    return [
        BadLab(
            mark(
                "{file}, cell {cell}: the test ends in “{code}”. If that is a number, it counts "
                "as the points, and the student's code chooses it. End the line with a semicolon "
                "if it is to give no points, or count the points in the test."
            ),
            file=lab.source,
            cell=found.cell,
            code=found.code,
        )
        for found in given_points(source)
    ]


def _unseeded(lab: Lab, source: NotebookNode) -> list[BadLab]:
    return [
        BadTest(
            mark(
                "{code} takes its seed from the machine, so the test may pass once and fail once. "
                "Give it a seed, such as 0."
            ),
            place_of(lab, source, found.cell, found.line),
            code=found.code,
        )
        for found in unseeded(source)
    ]


def _unlike_the_judge(lab: Lab, source: NotebookNode) -> Iterator[BadLab]:
    for found in mixed(source):
        place = place_of_name(lab, source, found.cell, found.name, within=found.statement)
        yield BadTest(_MIXED[found.why], place, name=found.name)


def _free_without_reason(lab: Lab, source: NotebookNode) -> Iterator[BadLab]:
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        for line in free_without_reason(cell.source):
            yield BadTest(
                mark(
                    "Say why no test can tell: # free choice: the reason. Better still, write a "
                    "test that can."
                ),
                place_of(lab, source, cell.metadata.get("nbgrader", {}).get("grade_id", ""), line),
            )


def _bad_code(lab: Lab, source: NotebookNode) -> Iterator[BadLab]:
    for cell in source.cells:
        if cell.cell_type == "code":
            try:
                parse(_without_magics(cell.source))
            except SyntaxError as error:
                yield BadLab(
                    mark("{file}, cell {cell}: not Python ({reason})."),
                    file=lab.source,
                    cell=cell.id,
                    reason=error,
                )


def _leaks(lab: Lab, built: Built) -> Iterator[BadLab]:
    for language, release in built.releases.items():
        source = built.sources[language]
        secrets = _secret_lines(source)
        for cell in release.cells:
            lines = {line.strip() for line in cell.source.splitlines()}
            leaked = sorted(lines & secrets) or _MARKER_LIKE.findall(cell.source)
            if leaked:
                yield BadLab(
                    mark(
                        "{file}, cell {cell}: the release still holds a solution or a hidden "
                        "test; are the markers spelt right?"
                    ),
                    file=lab.source,
                    cell=cell.id,
                )


def _secret_lines(source: NotebookNode) -> set[str]:
    """Lines that stand inside marked regions and nowhere outside them."""
    inside: set[str] = set()
    outside: set[str] = set()
    for cell in source.cells:
        for region in _REGION.finditer(cell.source):
            inside.update(line.strip() for line in region[2].splitlines())
        outside.update(line.strip() for line in _REGION.sub("", cell.source).splitlines())
    return {line for line in inside - outside if len(line) > 3}


def _disagreements(lab: Lab, built: Built) -> Iterator[BadLab]:
    for one, other in zip(built.sources["zh"].cells, built.sources["en"].cells, strict=True):
        reason = _difference(one, other)
        if reason:
            yield BadLab(
                mark("{file}, cell {cell}: Chinese and English differ in {what}."),
                file=lab.source,
                cell=one.id,
                what=UserError(reason),
            )


def _difference(one: NotebookNode, other: NotebookNode) -> str | None:
    if one.cell_type != other.cell_type:
        return mark("kind")
    mine, yours = one.metadata.get("nbgrader", {}), other.metadata.get("nbgrader", {})
    # nbgrader's own names.
    for key in ("grade_id", "points", "grade", "solution", "locked"):
        if mine.get(key) != yours.get(key):
            return key
    if one.cell_type == "code":
        try:
            same = ast.dump(parse(_without_magics(one.source))) == ast.dump(
                parse(_without_magics(other.source))
            )
        except SyntaxError:
            return None
        return None if same else mark("code")
    if sorted(_LINK.findall(one.source)) != sorted(_LINK.findall(other.source)):
        return mark("links")
    return None


def _untranslated(lab: Lab, english: NotebookNode) -> Iterator[BadLab]:
    for cell in english.cells:
        if cell.cell_type == "markdown":
            found = bool(CHINESE.search(cell.source))
        else:
            found = _chinese_in_code(_without_magics(cell.source))
        if found:
            yield BadLab(
                mark(
                    "{file}, cell {cell}: the English notebook holds Chinese. Give prose a lang, "
                    "tag comments with zh: and en:, put strings into ulab.say."
                ),
                file=lab.source,
                cell=cell.id,
            )


def _chinese_in_code(code: str) -> bool:
    try:
        tree = parse(code)
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (SyntaxError, tokenize.TokenError):
        return False
    if any(token.type == tokenize.COMMENT and CHINESE.search(token.string) for token in tokens):
        return True
    translated = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "zh"
        for part in ast.walk(node.value)
    }
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in translated
        and CHINESE.search(node.value)
        for node in ast.walk(tree)
    )


def _without_magics(code: str) -> str:
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in code.splitlines())
