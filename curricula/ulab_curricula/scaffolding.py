"""Starts a new lab: a small one that holds already, in which each text says what to write there."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from ulab_core.i18n import mark
from ulab_core.manifest import Words
from ulab_curricula.errors import BadLab
from ulab_curricula.labs import load_curriculum, load_focus_areas, load_lab
from ulab_curricula.manifest import Id, Level
from ulab_curricula.schemas import modeline, write_schemas

TEMPLATES = Path(__file__).parent / "scaffold"
_OF_THE_WHOLE = ("README.md.txt", "curriculum.yaml.txt")
LEVELS: tuple[str, ...] = get_args(Level)


@dataclass(frozen=True)
class NewLab:
    """What is to be started.

    Attributes
    ----------
    area_titles
        Of a focus area that is new too; None where it must be known.
    curriculum
        The id of a curriculum to start with the lab; empty for none.
    """

    id: str
    area: str
    level: str = "foundation"
    titles: Words | None = None
    area_titles: Words | None = None
    curriculum: str = ""


def start_lab(new: NewLab, root: Path) -> list[Path]:
    """Write a new lab below `root`, laid out as the checkout is.

    Returns
    -------
    list
        The files written.

    Raises
    ------
    BadLab
        A name can't be used, the lab or the curriculum is there already, or the focus area is not.
    """
    for name in filter(None, (new.id, new.area, new.curriculum)):
        _require_id(name)
    if new.level not in LEVELS:
        raise BadLab(
            mark("A level is one of {levels}, not {level}."),
            levels=", ".join(LEVELS),
            level=new.level,
        )
    folder = root / "labs" / new.area / new.id
    manifest = root / "curricula" / new.curriculum / "curriculum.yaml"
    taken = [path.parent for path in root.glob(f"labs/*/{new.id}/lab.yaml")]
    for path in (*taken, folder, *((manifest,) if new.curriculum else ())):
        if path.exists():
            raise BadLab(mark("{path} is there already."), path=path)
    texts = {**_area(new, root), **_lab(new, folder)}
    readme = root / "README.md"
    if not readme.exists():
        texts[readme] = _filled("README.md", _values(new))
    if new.curriculum:
        texts[manifest] = _filled("curriculum.yaml", {**_values(new), "ID": new.curriculum})
    schemas = root / "curricula" / "schemas"
    if not schemas.exists():
        write_schemas(schemas)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".yaml" and not text.startswith("#"):
            text = modeline(path, path.stem, schemas) + text
        path.write_text(text, encoding="utf-8")
    load_lab(folder)
    if new.curriculum:
        load_curriculum(manifest.parent)
    return list(texts)


def _require_id(name: str) -> None:
    try:
        TypeAdapter(Id).validate_python(name)
    except ValidationError:
        raise BadLab(
            mark("A name may hold lower-case letters, digits and single hyphens only: {name}"),
            name=name,
        ) from None


def _area(new: NewLab, root: Path) -> Mapping[Path, str]:
    """The list of focus areas with the new one, where there is a new one."""
    path = root / "curricula" / "focus-areas.yaml"
    known = [area.id for area in load_focus_areas(path.parent)] if path.exists() else []
    if new.area in known:
        return {}
    if new.area_titles is None:
        raise BadLab(
            mark(
                "{file} has no focus area {area}. Known: {known}. To start a new one give its "
                "titles too: --area-zh and --area-en"
            ),
            file=path,
            area=new.area,
            known=", ".join(difflib.get_close_matches(new.area, known, n=1) or known) or "-",
        )
    text = path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else "focus_areas:"
    titles = ", ".join(
        f"{language}: {json.dumps(title, ensure_ascii=False)}"
        for language, title in new.area_titles.model_dump().items()
    )
    made = f"{text}\n  - id: {new.area}\n    titles: {{{titles}}}\n"
    try:
        listed = [area["id"] for area in yaml.safe_load(made)["focus_areas"]]
    except (yaml.YAMLError, TypeError, KeyError):
        listed = []
    if listed != [*known, new.area]:
        raise BadLab(
            mark("{file} is laid out so that nothing can be added; write the area in yourself."),
            file=path,
        )
    return {path: made}


def _lab(new: NewLab, folder: Path) -> Mapping[Path, str]:
    return {
        folder / path.relative_to(TEMPLATES).with_suffix(""): _filled(
            str(path.relative_to(TEMPLATES).with_suffix("")), _values(new)
        )
        for path in _templates()
    }


def _templates() -> Iterator[Path]:
    for path in sorted(TEMPLATES.rglob("*.txt")):
        if path.name not in _OF_THE_WHOLE:
            yield path


def _values(new: NewLab) -> Mapping[str, str]:
    titles = new.titles or Words(zh="写：标题", en="Write: a title")
    return {
        "ID": new.id,
        "LAB": new.id,
        "AREA": new.area,
        "LEVEL": new.level,
        "TITLE_ZH": _plain(titles.zh),
        "TITLE_EN": _plain(titles.en),
    }


def _plain(title: str) -> str:
    """A title that can stand in a quoted YAML text and in a heading."""
    return " ".join(title.replace("\\", "").replace('"', "”").split())


def _filled(name: str, values: Mapping[str, str]) -> str:
    text = (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
