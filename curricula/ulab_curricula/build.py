"""Build a lab: the source notebook, and what students get, made by nbgrader's own converters."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from ulab_core.i18n import LANGUAGES, mark
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import Lab
from ulab_curricula.source import CANONICAL, notebook

DRAFT = "draft"
_ANSWER = re.compile(r"### BEGIN SOLUTION\n(?P<text>.*?)\n### END SOLUTION", re.DOTALL)

_STUBS = {
    "zh": ("# 在这里写你的代码\nraise NotImplementedError()", "在这里写下你的回答。"),
    "en": ("# Write your code here\nraise NotImplementedError()", "Write your answer here."),
}


@dataclass(frozen=True)
class Built:
    """A lab's notebooks: the sources and the releases by language, and the points."""

    sources: dict[str, NotebookNode]
    releases: dict[str, NotebookNode]

    @property
    def canonical(self) -> NotebookNode:
        """The notebook that gradebooks are filled from."""
        return self.sources[CANONICAL]

    @property
    def max_score(self) -> float:
        return sum(
            cell.metadata.nbgrader.points
            for cell in self.canonical.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        )


def build(lab: Lab, version: str = DRAFT) -> Built:
    """Make a lab's notebooks in memory.

    Raises
    ------
    BadLab
        The source can't be built; the sentence says where.
    """
    sources = {language: notebook(lab, language, version) for language in LANGUAGES}
    releases = {language: _release(lab, sources[language], language) for language in LANGUAGES}
    return Built(sources, releases)


def build_lab(lab: Lab, out: Path, version: str = DRAFT) -> None:
    """Write a lab's notebooks and ``lab.json`` below `out`, as `docs/curricula.md` lays them out.

    Parameters
    ----------
    lab
        The lab.
    out
        The lab's folder in a published version, or any folder; made when missing.
    version
        The curriculum's version, recorded in each notebook.

    Raises
    ------
    BadLab
        The source can't be built.
    """
    built = build(lab, version)
    _write(out / "source" / f"{lab.id}.ipynb", built.canonical)
    for language, release in built.releases.items():
        _write(out / "release" / language / f"{lab.id}.ipynb", release)
    (out / "lab.json").write_text(dump(describe(lab, built)), encoding="utf-8")
    (out / "rubrics.json").write_text(dump(rubrics(built)), encoding="utf-8")


def describe(lab: Lab, built: Built) -> dict[str, Any]:
    """What ``lab.json`` says."""
    # What only the check uses is of no interest to who runs the lab.
    manifest = lab.manifest.model_dump(mode="json", exclude={"memory_mb", "glossary_exceptions"})
    return {
        **manifest,
        "languages": list(LANGUAGES),
        "max_score": built.max_score,
        "digest": lab.digest,
    }


def rubrics(built: Built) -> dict[str, dict[str, str]]:
    """What a person grades the open questions by: Markdown by language and grade id."""
    return {language: _rubrics(source) for language, source in built.sources.items()}


def _rubrics(source: NotebookNode) -> dict[str, str]:
    found = {}
    for cell in source.cells:
        about = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and about.get("grade"):
            written = _ANSWER.search(cell.source)
            if written:
                found[about["grade_id"]] = written["text"].strip()
    return found


def dump(content: dict[str, Any]) -> str:
    """JSON as it is written everywhere here: readable, the same bytes each time."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _write(path: Path, content: NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(content, version=4) + "\n", encoding="utf-8")


def _release(lab: Lab, source: NotebookNode, language: str) -> NotebookNode:
    code, text = _STUBS[language]
    config = Config({"ClearSolutions": {"code_stub": {"python": code}, "text_stub": text}})
    # nbgrader's own order, without the step that fills a gradebook.
    steps = (
        LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums,
        ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata,
    )  # fmt: skip
    release, resources = copy.deepcopy(source), {"language": "python"}
    for step in steps:
        try:
            release, resources = step(config=config).preprocess(release, resources)
        except Exception as error:  # nbgrader raises bare RuntimeError, ValidationError and others
            raise BadLab(
                mark("{file} can't be released by nbgrader: {reason}."),
                file=lab.source,
                reason=str(error).rstrip("."),
            ) from None
    return release
