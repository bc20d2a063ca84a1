"""Reading what a published curriculum version holds, without knowing how it was made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ulab_core.errors import NotFound
from ulab_core.i18n import LANGUAGES, mark
from ulab_core.layout import Layout


@dataclass(frozen=True)
class LabFiles:
    """One lab of a published curriculum.

    Attributes
    ----------
    folder
        Holds ``lab.json``, ``source/`` and ``release/<language>/``.
    about
        The content of ``lab.json``.
    """

    folder: Path
    about: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.about["id"])

    @property
    def source_notebook(self) -> Path:
        """The notebook with solutions and hidden tests."""
        return self.folder / "source" / f"{self.id}.ipynb"

    def release_notebook(self, language: str) -> Path:
        """The student's notebook in `language`, or in the language there is."""
        for candidate in (language, *LANGUAGES):
            path = self.folder / "release" / candidate / f"{self.id}.ipynb"
            if path.is_file():
                return path
        raise NotFound(mark("The lab {lab} has no notebook for students."), lab=self.id)


@dataclass(frozen=True)
class CurriculumFiles:
    """A published, immutable curriculum version."""

    folder: Path
    about: dict[str, Any]

    def lab(self, lab_id: str) -> LabFiles:
        folder = self.folder / "labs" / lab_id
        try:
            about = json.loads((folder / "lab.json").read_text(encoding="utf-8"))
        except OSError:
            raise NotFound(
                mark("The curriculum {curriculum} has no lab {lab}."),
                curriculum=self.about["id"],
                lab=lab_id,
            ) from None
        return LabFiles(folder, about)

    @property
    def labs(self) -> list[LabFiles]:
        """The labs in their order."""
        return [self.lab(lab_id) for lab_id in self.about["labs"]]


def open_curriculum(layout: Layout, curriculum: str, version: str) -> CurriculumFiles:
    """Find a published version.

    Raises
    ------
    NotFound
        There is no such version.
    """
    folder = layout.curriculum_version(curriculum, version)
    try:
        about = json.loads((folder / "curriculum.json").read_text(encoding="utf-8"))
    except OSError:
        raise NotFound(
            mark("Version {version} of the curriculum {curriculum} is not published."),
            curriculum=curriculum,
            version=version,
        ) from None
    return CurriculumFiles(folder, about)
