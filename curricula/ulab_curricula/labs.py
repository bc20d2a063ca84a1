"""Find labs and curricula in the checkout and read them."""

from __future__ import annotations

import difflib
import functools
import hashlib
import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ulab_core.i18n import mark
from ulab_core.manifest_files import BadManifest, Found
from ulab_curricula.errors import BadLab
from ulab_curricula.manifest import (
    CurriculumManifest,
    FocusArea,
    FocusAreas,
    LabManifest,
)
from ulab_curricula.reading import PAGE, find_manifest, read_manifest

CURRICULA = Path(__file__).resolve().parents[1]
LABS = CURRICULA.parent / "labs"

SCRIPT, NOTEBOOK = "lab.py", "lab.ipynb"

# Counted up when the same source builds to other notebooks, so that they get another version.
BUILDER = 1


@dataclass(frozen=True)
class Lab:
    """A lab's folder and what its manifest says."""

    folder: Path
    manifest: LabManifest

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def source(self) -> Path:
        """`lab.py`, or the `lab.ipynb` that is there instead."""
        notebook = self.folder / NOTEBOOK
        return notebook if notebook.is_file() else self.folder / SCRIPT

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of all that the built notebooks depend on."""
        tools = f"{BUILDER} nbgrader {importlib.metadata.version('nbgrader')}"
        return _digest(
            tools.encode(), (self.folder / "lab.yaml").read_bytes(), self.source.read_bytes()
        )


@dataclass(frozen=True)
class Curriculum:
    """A curriculum's folder, what its manifest says, its labs in order, its focus area."""

    folder: Path
    manifest: CurriculumManifest
    labs: tuple[Lab, ...]
    focus_area: FocusArea

    @property
    def id(self) -> str:
        return self.manifest.id

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of all that a published version depends on."""
        return _digest(
            self.manifest.model_dump_json().encode(),
            self.focus_area.model_dump_json().encode(),
            *(lab.digest.encode() for lab in self.labs),
        )

    @property
    def version(self) -> str:
        """What this content is published as: the edition and the digest's beginning."""
        return f"{self.manifest.edition}-{self.digest[:10]}"


def load_lab(folder: Path) -> Lab:
    """Read a lab's manifest.

    Raises
    ------
    BadManifest
        `lab.yaml` can't be used, or does not fit its place.
    BadLab
        There is no `lab.py`.
    """
    path = folder / "lab.yaml"
    found = find_manifest(path, LabManifest)
    manifest = found.manifest
    _require_name(found, "id", manifest.id, folder.resolve().name)
    _require_name(found, "focus_area", manifest.focus_area, folder.resolve().parent.name)
    sources = [folder / name for name in (SCRIPT, NOTEBOOK) if (folder / name).is_file()]
    if not sources:
        raise BadLab(
            mark("{file} is missing; {page} says what it holds."), page=PAGE, file=folder / SCRIPT
        )
    if len(sources) > 1:
        raise BadLab(
            mark("{folder} holds both lab.py and lab.ipynb; keep the one that you write in."),
            folder=folder,
        )
    return Lab(folder, manifest)


def find_labs(root: Path = LABS) -> list[Lab]:
    """All labs below `root`, by focus area and id."""
    return [load_lab(path.parent) for path in sorted(root.glob("*/*/lab.yaml"))]


def load_focus_areas(root: Path = CURRICULA) -> tuple[FocusArea, ...]:
    """The focus areas in the order people see them."""
    return read_manifest(root / "focus-areas.yaml", FocusAreas).focus_areas


def load_curriculum(folder: Path, labs_root: Path | None = None) -> Curriculum:
    """Read a curriculum and its labs.

    Parameters
    ----------
    folder
        ``curricula/<curriculum>``.
    labs_root
        Where the labs are; None means ``labs`` beside ``curricula``.

    Raises
    ------
    BadManifest
        A manifest can't be used, or names a lab or focus area that is not there.
    """
    path = folder / "curriculum.yaml"
    found = find_manifest(path, CurriculumManifest)
    manifest = found.manifest
    _require_name(found, "id", manifest.id, folder.resolve().name)
    root = labs_root or folder.resolve().parent.parent / "labs"
    # Curricula of others may do with the areas that are known here.
    own_areas = (folder.resolve().parent / "focus-areas.yaml").is_file()
    areas_root = folder.resolve().parent if own_areas else CURRICULA
    areas = {area.id: area for area in load_focus_areas(areas_root)}
    if manifest.focus_area not in areas:
        raise BadManifest(
            mark("{file}: there is no focus area {name}. Known ones: {known}."),
            file=found.place("focus_area"),
            name=manifest.focus_area,
            known=_nearest(manifest.focus_area, areas),
        )
    folders = {lab.parent.name: lab.parent for lab in root.glob("*/*/lab.yaml")}
    for position, name in enumerate(manifest.labs):
        if name not in folders:
            raise BadManifest(
                mark("{file}: there is no lab {name}. Known ones: {known}."),
                file=found.place("labs", position),
                name=name,
                known=_nearest(name, folders),
            )
        if name in manifest.labs[:position]:
            raise BadManifest(
                mark("{file}: the lab {name} stands there twice."),
                file=found.place("labs", position),
                name=name,
            )
    labs = tuple(load_lab(folders[name]) for name in manifest.labs)
    return Curriculum(folder, manifest, labs, areas[manifest.focus_area])


def find_curricula(root: Path = CURRICULA, labs_root: Path | None = None) -> list[Curriculum]:
    """All curricula below `root`."""
    return [
        load_curriculum(path.parent, labs_root) for path in sorted(root.glob("*/curriculum.yaml"))
    ]


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known names, those alone that are near when some are."""
    names = sorted(known)
    return ", ".join(difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names)


def _require_name(
    manifest: Found[LabManifest] | Found[CurriculumManifest], key: str, found: str, folder: str
) -> None:
    if found != folder:
        raise BadManifest(
            mark("{file} says {key} {found}, but lies in a folder {folder}; make them the same."),
            file=manifest.place(key),
            key=key,
            found=found,
            folder=folder,
        )


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()
