"""Filling a course's gradebook from a lab's source notebook, with nbgrader's own preprocessors.

nbgrader's converter changes the working directory of the whole process, which the portal's
threads share; running its preprocessors over the notebook gives the same gradebook without that.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
from alembic.config import Config
from alembic.script import ScriptDirectory
from nbgrader.api import Base, Gradebook
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    SaveCells,
)
from sqlalchemy import create_engine, text

from ulab_core.errors import Conflict, Titles
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_coursework.coursefolder import (
    course_gid,
    gradebook_lock,
    gradebook_url,
    prepare_folder,
    write_file,
)
from ulab_coursework.courserights import course_rights
from ulab_curricula import PublishedLab

# GenerateAssignment's list, less the two that read files of the course folder.
_TO_GRADEBOOK = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
)
GRADEBOOK = "gradebook.db"
_TO_RELEASE = (ClearHiddenTests, ClearMarkScheme, ComputeChecksums, CheckCellMetadata)


class CellsChanged(Conflict):
    """The lab's cells no longer fit the submissions there are."""


def fill_gradebook(
    layout: Layout, course_id: str, number: int, lab: PublishedLab, due_at: datetime | None
) -> None:
    """Put a lab into the course's gradebook and folder; safe to repeat.

    Raises
    ------
    CellsChanged
        Students handed in already and the new source has other cells.
    """
    gid = course_gid(number)
    folder = prepare_folder(layout, course_id, gid)
    source = lab.source_notebook.read_bytes()
    file_name = f"{lab.id}.ipynb"
    with gradebook_lock(layout, course_id):
        create_gradebook(folder, gid)
        url = gradebook_url(layout, course_id)
        with course_rights(layout, course_id), Gradebook(url, course_id) as gradebook:
            duedate = due_at.astimezone(UTC).replace(tzinfo=None) if due_at else None
            gradebook.update_or_create_assignment(lab.id, duedate=duedate)
        notebook = nbformat.reads(source.decode(), as_version=4)
        resources = resources_of(url, lab.id)
        try:
            with course_rights(layout, course_id):
                notebook = apply(_TO_GRADEBOOK, notebook, resources)
        except RuntimeError as error:
            raise CellsChanged(
                mark(
                    "{assignment} can't be published again: students submitted already and the "
                    "lab now has other cells ({reason})."
                ),
                assignment=Titles(zh=lab.titles["zh"], en=lab.titles["en"]),
                reason=error,
            ) from None
        write_file(folder, f"source/{lab.id}/{file_name}", source, gid)
        release = nbformat.writes(apply(_TO_RELEASE, notebook, resources)).encode()
        write_file(folder, f"release/{lab.id}/{file_name}", release, gid)


def create_gradebook(folder: Path, gid: int | None) -> None:
    """Make a course's gradebook, empty, if there is none.

    nbgrader does this itself when it opens a missing one, but asks an ``alembic`` on the PATH for
    the schema's version, and a service need not have one there.
    """
    if os.path.lexists(folder / GRADEBOOK):
        return
    config = Config()
    config.set_main_option("script_location", str(Path(nbgrader.__file__).parent / "alembic"))
    version = ScriptDirectory.from_config(config).get_current_head()
    with tempfile.TemporaryDirectory() as own:
        path = Path(own) / GRADEBOOK
        engine = create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            connection.execute(
                text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            )
            connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})
        engine.dispose()
        write_file(folder, GRADEBOOK, path.read_bytes(), gid)


def resources_of(url: str, assignment: str, student: str = ".") -> dict[str, Any]:
    """What nbgrader's preprocessors want to know beside the notebook."""
    return {
        "unique_key": assignment,
        "output_files_dir": f"{assignment}_files",
        "nbgrader": {
            "student": student,
            "assignment": assignment,
            "notebook": assignment,
            "db_url": url,
        },
    }


def apply(kinds: Any, notebook: nbformat.NotebookNode, resources: dict[str, Any]) -> Any:
    """Run preprocessors over a notebook, one after the other."""
    for kind in kinds:
        notebook, resources = kind().preprocess(notebook, resources)
    return notebook
