"""Publish a curriculum as an immutable version, and read what is published."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulab_core.i18n import LANGUAGES, mark
from ulab_core.layout import Layout
from ulab_curricula.errors import NotPublished

if TYPE_CHECKING:
    from ulab_curricula.labs import Curriculum

Words = Mapping[str, str]
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,60}")


@dataclass(frozen=True)
class PublishedLab:
    """A lab in a published version.

    Attributes
    ----------
    folder
        ``labs/<lab>`` of the version.
    id, focus_area, level, profile
        As in `lab.yaml`.
    titles, summaries, licence
        By language.
    minutes
        A student's time.
    datasets
        What it loads.
    outcomes, prerequisites
        One by language each.
    max_score
        Points in all, those given by a person included.
    grading_seconds
        The longest the whole notebook may take on one core.
    languages
        What it can be had in.
    """

    folder: Path
    id: str
    focus_area: str
    level: str
    profile: str
    titles: Words
    summaries: Words
    licence: Words
    minutes: int
    datasets: tuple[str, ...]
    outcomes: tuple[Words, ...]
    prerequisites: tuple[Words, ...]
    max_score: float
    grading_seconds: int
    languages: tuple[str, ...]
    digest: str

    @property
    def source_notebook(self) -> Path:
        """The canonical nbgrader source, with solutions and hidden tests: never for students."""
        return self.folder / "source" / f"{self.id}.ipynb"

    def rubrics(self, language: str) -> dict[str, str]:
        """What a person grades the open questions by, never for students: Markdown by grade id.

        Versions that were published before rubrics were kept have none.
        """
        file = self.folder / "rubrics.json"
        if not file.is_file():
            return {}
        found: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
        return found.get(language, {})

    def release_notebook(self, language: str) -> Path:
        """What students get; the first language when `language` is not there."""
        chosen = language if language in self.languages else self.languages[0]
        return self.folder / "release" / chosen / f"{self.id}.ipynb"


@dataclass(frozen=True)
class PublishedCurriculum:
    """An immutable version of a curriculum."""

    folder: Path
    id: str
    version: str
    focus_area: str
    focus_area_titles: Words
    titles: Words
    summaries: Words
    outcomes: tuple[Words, ...]
    prerequisites: tuple[Words, ...]
    labs: tuple[PublishedLab, ...]
    digest: str

    @property
    def published_at(self) -> datetime:
        """When this version was published."""
        return datetime.fromtimestamp((self.folder / "curriculum.json").stat().st_mtime, UTC)

    def lab(self, lab_id: str) -> PublishedLab:
        """The lab of that id.

        Raises
        ------
        NotPublished
            This version has no such lab.
        """
        for lab in self.labs:
            if lab.id == lab_id:
                return lab
        raise NotPublished(
            mark("Curriculum {curriculum} {version} has no lab {lab}."),
            curriculum=self.id,
            version=self.version,
            lab=lab_id,
        )


def publish(curriculum: Curriculum, layout: Layout) -> str:
    """Publish what the curriculum's folder holds now.

    Parameters
    ----------
    curriculum
        What to publish; `ulab_curricula.check_lab` proves labs, this does not.
    layout
        Where to.

    Returns
    -------
    str
        The version. The same content gives the same version, and when that is there already,
        nothing is built and nothing is written.

    Raises
    ------
    BadLab
        A lab can't be built.
    """
    version = curriculum.version
    target = layout.curriculum_version(curriculum.id, version)
    if (target / "curriculum.json").is_file():
        return version
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".publish-") as scratch:
        work = Path(scratch) / "version"
        build_version(curriculum, work)
        _freeze(work)
        try:
            work.rename(target)
        except OSError:
            # Someone published the same content at the same time; theirs is as good.
            if not (target / "curriculum.json").is_file():
                raise
    return version


def build_version(curriculum: Curriculum, out: Path) -> None:
    """Write what `publish` would into `out`, for whoever only wants to look at it.

    Raises
    ------
    BadLab
        A lab can't be built.
    """
    # Heavy (nbgrader, jupytext), and not needed when nothing changed.
    from ulab_curricula.build import build_lab, dump

    for lab in curriculum.labs:
        build_lab(lab, out / "labs" / lab.id, curriculum.version)
    (out / "curriculum.json").write_text(dump(_describe(curriculum)), encoding="utf-8")


def published(layout: Layout) -> list[PublishedCurriculum]:
    """All published versions: curricula by id, each one's versions from old to new."""
    found = list(layout.curricula.glob("[!.]*/[!.]*/curriculum.json"))
    found.sort(key=lambda path: (path.parent.parent.name, path.stat().st_mtime_ns))
    return [load_published(layout, path.parent.parent.name, path.parent.name) for path in found]


def load_published(layout: Layout, curriculum: str, version: str) -> PublishedCurriculum:
    """Read a published version.

    Raises
    ------
    NotPublished
        There is none.
    """
    folder = layout.curriculum_version(curriculum, version)
    # Anybody's address may name a version.
    if not _VERSION.fullmatch(version) or not (folder / "curriculum.json").is_file():
        raise NotPublished(
            mark("Curriculum {curriculum} has no published version {version}."),
            curriculum=curriculum,
            version=version,
        )
    return load_version(folder)


def load_version(folder: Path) -> PublishedCurriculum:
    """Read what `build_version` wrote into `folder`."""
    content = json.loads((folder / "curriculum.json").read_text(encoding="utf-8"))
    labs = tuple(load_built(folder / "labs" / lab) for lab in content.pop("labs"))
    return PublishedCurriculum(folder=folder, labs=labs, **_tuples(content))


def load_built(folder: Path) -> PublishedLab:
    """Read a lab that `build_lab` wrote into `folder`."""
    content = json.loads((folder / "lab.json").read_text(encoding="utf-8"))
    return PublishedLab(folder=folder, **_tuples(content))


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
    }


def _describe(curriculum: Curriculum) -> dict[str, Any]:
    manifest = curriculum.manifest.model_dump(mode="json", exclude={"edition"})
    return {
        **manifest,
        "version": curriculum.version,
        "focus_area_titles": {
            language: getattr(curriculum.focus_area.titles, language) for language in LANGUAGES
        },
        "digest": curriculum.digest,
    }


def _freeze(folder: Path) -> None:
    """Have all of a version on the disk, closed to change, before it gets its name."""
    for place, _, files in os.walk(folder):
        for name in files:
            with (Path(place) / name).open("rb") as file:
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
