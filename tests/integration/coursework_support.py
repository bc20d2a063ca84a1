"""A small published curriculum and a course that runs it, for tests of coursework."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from sqlalchemy import event

from ulab_core.database import Database, upgrade
from ulab_core.layout import Layout
from ulab_core.models import Role
from ulab_core.settings import Settings, load_settings
from ulab_coursework.coursefolder import gradebook_url
from ulab_coursework.courses import create_course, enrol, ensure_person
from ulab_coursework.releases import publish_assignment
from ulab_coursework.standing import Standing, history
from ulab_coursework.submissions import Receipt, receive
from ulab_coursework.worker import Worker

COURSE = "sums-2026"
LAB = "sums"
OTHER_LAB = "products"
HIDDEN_LINE = "assert add(20, 22) == 42, 'a hidden check'"

_SOLUTIONS = {
    LAB: ("add", "return a + b", "assert add(1, 2) == 3, 'add(1, 2) must be 3'"),
    OTHER_LAB: ("times", "return a * b", "assert times(2, 3) == 6"),
}


def source_notebook(lab: str) -> nbformat.NotebookNode:
    """A lab's canonical notebook: one function, a test of 2 points, one of 3 partly hidden."""
    name, body, check = _SOLUTIONS[lab]
    solution = f"def {name}(a, b):\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION"
    hidden = HIDDEN_LINE if lab == LAB else "assert times(6, 7) == 42"
    cells = [
        new_markdown_cell("# 求和"),
        new_code_cell("import math"),
        new_code_cell(solution, metadata=_meta(f"{lab}-solution", solution=True)),
        new_code_cell(check, metadata=_meta(f"{lab}-visible", grade=True, points=2)),
        new_code_cell(
            f"assert {name}(0, 0) == 0\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS",
            metadata=_meta(f"{lab}-hidden", grade=True, points=3),
        ),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"{lab}-{number}"  # the same bytes each time
    notebook = new_notebook(cells=cells, metadata={"ulab": {"lab": lab, "language": "zh"}})
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return notebook


def _meta(grade_id: str, **flags: Any) -> dict[str, Any]:
    base = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    found = {**base, "grade_id": grade_id, **flags}
    found["locked"] = found["grade"]
    return {"nbgrader": found}


def release_notebook(lab: str, language: str = "zh") -> nbformat.NotebookNode:
    """What students get of `source_notebook`."""
    notebook = source_notebook(lab)
    notebook.metadata["ulab"]["language"] = language
    for cell in notebook.cells:
        lines, keep = [], True
        for line in cell.source.split("\n"):
            if "### BEGIN" in line:
                keep = False
                if "SOLUTION" in line:
                    lines += ["    # YOUR CODE HERE", "    raise NotImplementedError()"]
            elif "### END" in line:
                keep = True
            elif keep:
                lines.append(line)
        cell.source = "\n".join(lines)
    return notebook


def answer(body: str = "return a + b", lab: str = LAB, language: str = "zh", **extra: str) -> bytes:
    """A submission whose function has `body`; `extra` replaces cells by grade id."""
    notebook = release_notebook(lab, language)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id == f"{lab}-solution":
            cell.source = f"def {_SOLUTIONS[lab][0]}(a, b):\n    {body}"
        cell.source = extra.get(grade_id.replace("-", "_"), cell.source)
    return nbformat.writes(notebook).encode()


def write_curriculum(layout: Layout, labs: tuple[str, ...] = (LAB, OTHER_LAB)) -> None:
    """Publish a made curriculum in the form that the publisher writes."""
    folder = layout.curriculum_version("sums-foundations", "1")
    for lab in labs:
        _write_json(
            folder / "labs" / lab / "lab.json",
            {
                "id": lab,
                "focus_area": "energy-prediction",
                "level": "foundation",
                "licence": {"zh": "", "en": ""},
                "outcomes": [{"zh": "会求一张表的和", "en": "Sum a table"}],
                "prerequisites": [{"zh": "会用循环", "en": "You have used loops"}],
                "grading_seconds": 30,
                "digest": "0" * 64,
                "titles": {"zh": f"练习 {lab}", "en": f"Exercise {lab}"},
                "summaries": {"zh": "", "en": ""},
                "minutes": 10,
                "profile": "cpu",
                "datasets": [],
                "max_score": 5,
                "languages": ["zh", "en"],
            },
        )
        _write_notebook(folder / "labs" / lab / "source" / f"{lab}.ipynb", source_notebook(lab))
        for language in ("zh", "en"):
            _write_notebook(
                folder / "labs" / lab / "release" / language / f"{lab}.ipynb",
                release_notebook(lab, language),
            )
    _write_json(
        folder / "curriculum.json",
        {
            "id": "sums-foundations",
            "version": "1",
            "focus_area": "energy-prediction",
            "focus_area_titles": {"zh": "能源预测", "en": "Energy prediction"},
            "outcomes": [{"zh": "知道什么时候求和", "en": "Know when to sum"}],
            "prerequisites": [{"zh": "会加法", "en": "You can add"}],
            "titles": {"zh": "求和基础", "en": "Sums"},
            "summaries": {"zh": "", "en": ""},
            "labs": list(labs),
            "digest": "0" * 64,
        },
    )


def unchanged(lab: str, notebook: nbformat.NotebookNode) -> None:
    """Leave a lab as it is."""


def publish_version(
    layout: Layout,
    version: str,
    change: Callable[[str, nbformat.NotebookNode], None] = unchanged,
) -> None:
    """Publish another version of the curriculum; `change` is given each source and release."""
    folder = layout.curriculum_version("sums-foundations", version)
    shutil.copytree(layout.curriculum_version("sums-foundations", "1"), folder)
    about = json.loads((folder / "curriculum.json").read_text())
    _write_json(folder / "curriculum.json", about | {"version": version})
    for path in folder.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        change(path.stem, notebook)
        nbformat.write(notebook, path)
    for path in folder.glob("labs/*/lab.json"):
        [source] = (path.parent / "source").iterdir()
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        _write_json(path, json.loads(path.read_text()) | {"digest": digest})


def ask_for_an_essay(layout: Layout) -> None:
    """Give the lab a question that only a person can grade, of 4 points."""
    folder = layout.curriculum_version("sums-foundations", "1") / "labs" / LAB
    for path in folder.rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        essay = new_markdown_cell(
            "Why?", metadata=_meta("sums-why", grade=True, solution=True, points=4)
        )
        essay.id, essay.metadata.nbgrader["locked"] = "sums-why", False
        notebook.cells.append(essay)
        nbformat.write(notebook, path)


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _write_notebook(path: Path, notebook: nbformat.NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


@dataclass(frozen=True)
class Base:
    """The state of a small base: students alice and bob, instructor carol, stranger dave."""

    settings: Settings
    layout: Layout
    db: Database


GRADING = "[grading]\ncell_timeout_s = 20\njob_timeout_s = 120\nmemory_mb = 1024\n"


def make_base(root: Path, monkeypatch: Any, publish: bool = True, config: str = GRADING) -> Base:
    """Prepare a state directory in `root` with one course whose first assignment is published."""
    file = root / "ulab.toml"
    file.write_text(f'[server]\nstate_dir = "{root / "state"}"\n{config}')
    monkeypatch.setenv("ULAB_CONFIG", str(file))
    settings = load_settings()
    layout = Layout.of(settings)
    layout.prepare()
    upgrade(settings)
    base = Base(settings, layout, Database.of(settings))
    furnish(base, publish)
    return base


def furnish(base: Base, publish: bool = True) -> None:
    """Put the course and its people into a prepared base."""
    layout, db = base.layout, base.db
    write_curriculum(layout)
    with db.write() as session:
        create_course(session, layout, COURSE, "sums-foundations", "1", None, "2026", "carol")
        for name in ("alice", "bob", "carol", "dave"):
            ensure_person(session, name, display_name=name.title())
        for name in ("alice", "bob"):
            enrol(session, COURSE, name, Role.STUDENT, "carol")
        enrol(session, COURSE, "carol", Role.INSTRUCTOR, "carol")
    if publish:
        publish_assignment(db, layout, COURSE, LAB, None, "at_once", "carol")


def set_deadline(base: Base, due_at: datetime) -> None:
    publish_assignment(base.db, base.layout, COURSE, LAB, due_at, "at_once", "carol")


def hand_in(base: Base, content: bytes, person: str = "alice", assignment: str = LAB) -> Receipt:
    return receive(
        base.db, base.layout, base.settings, COURSE, assignment, person, content, "portal"
    )


def grade_all(base: Base, **grading: Any) -> None:
    section = base.settings.grading.model_copy(update=grading)
    worker = Worker(base.settings.model_copy(update={"grading": section}))
    while worker.work_once():
        pass


def newest(base: Base, person: str = "alice") -> Standing:
    with base.db.read() as session:
        return history(session, COURSE, LAB, person)[0]


@contextmanager
def counted_queries(db: Database) -> Iterator[list[str]]:
    """Every statement that the database is given meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def cells_by_id(base: Base, person: str = "alice") -> dict[str, nbformat.NotebookNode]:
    path = base.layout.course(COURSE) / "autograded" / person / LAB / f"{LAB}.ipynb"
    notebook = nbformat.read(str(path), as_version=4)
    return {c.metadata.nbgrader["grade_id"]: c for c in notebook.cells if "nbgrader" in c.metadata}


def grades(base: Base, person: str = "alice") -> dict[str, Any]:
    with Gradebook(gradebook_url(base.layout, COURSE), COURSE) as gradebook:
        [notebook] = gradebook.find_submission(LAB, person).notebooks
        return {
            g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in notebook.grades
        }
