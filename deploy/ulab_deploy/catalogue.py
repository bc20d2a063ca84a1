"""Finding labs, curricula and published versions that the command line names."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from ulab_core.errors import NotFound, UserError
from ulab_core.i18n import mark
from ulab_core.models import Role
from ulab_core.team_models import TeamRole
from ulab_curricula import (
    Curriculum,
    Lab,
    PublishedCurriculum,
    find_labs,
    load_curriculum,
    load_lab,
    published,
)
from ulab_curricula.labs import CURRICULA, find_curricula
from ulab_deploy.base import Base

_NO_LAB = mark("There is no lab {name}. Known: {known}.")


def published_version(base: Base, curriculum: str, version: str = "") -> PublishedCurriculum:
    """A published version of a curriculum, the newest unless one is named.

    Raises
    ------
    NotFound
    """
    versions = [found for found in published(base.layout) if found.id == curriculum]
    if version:
        versions = [found for found in versions if found.version == version]
    if versions:
        return versions[-1]
    known = sorted({found.id for found in published(base.layout)})
    raise NotFound(
        mark("No published curriculum {curriculum}. Published: {known}."),
        curriculum=f"{curriculum} {version}".rstrip(),
        known=", ".join(known) or "-",
    )


def require_role(role: str) -> Role:
    """The role that was typed.

    Raises
    ------
    UserError
        There is no such role.
    """
    try:
        return Role(role)
    except ValueError:
        raise UserError(
            mark("{role} is no role; write student, assistant or instructor."), role=role
        ) from None


def require_team_role(role: str) -> TeamRole:
    """The role in a team that was typed.

    Raises
    ------
    UserError
        There is no such role.
    """
    try:
        return TeamRole(role)
    except ValueError:
        raise UserError(
            mark("{role} is no role in a team; write owner, member or mentor."), role=role
        ) from None


def curricula_of_checkout(names: Sequence[str]) -> list[Curriculum]:
    """The named curricula of the checkout, all when none is named.

    A name may also be the path of a curriculum's folder, or of a folder with others laid out as the
    checkout's.

    Raises
    ------
    NotFound, BadManifest
    """
    if not names:
        return find_curricula()
    known = sorted(path.parent.name for path in CURRICULA.glob("*/curriculum.yaml"))
    found = []
    for name in names:
        folder = _folder(name)
        if folder is not None and (folder / "curriculum.yaml").is_file():
            found.append(load_curriculum(folder))
        elif folder is not None and any(folder.glob("curricula/*/curriculum.yaml")):
            found += find_curricula(folder / "curricula")
        else:
            _require_known(name, known, mark("There is no curriculum {name}. Known: {known}."))
            found.append(load_curriculum(CURRICULA / name))
    return found


def _folder(name: str) -> Path | None:
    """The folder that a path means; a bare name is the checkout's own."""
    return Path(name) if os.sep in name or name in (".", "..") else None


def labs_of_checkout(names: Sequence[str]) -> list[Lab]:
    """The named labs of the checkout, all when none is named; a curriculum's name means its labs.

    A name may also be the path of a lab's or a curriculum's folder, or of a folder with others laid
    out as the checkout's.

    Raises
    ------
    NotFound, BadManifest
    """
    labs = {lab.id: lab for lab in find_labs()}
    chosen: dict[str, Lab] = {}
    for name in names or labs:
        folder = _folder(name)
        if folder is not None:
            chosen |= {lab.id: lab for lab in _labs_in(folder)}
        elif name in labs:
            chosen[name] = labs[name]
        elif (CURRICULA / name / "curriculum.yaml").is_file():
            found = load_curriculum(CURRICULA / name)
            chosen |= {lab.id: lab for lab in found.labs}
        else:
            _require_known(name, sorted(labs), _NO_LAB)
    return list(chosen.values())


def _labs_in(folder: Path) -> Sequence[Lab]:
    if (folder / "curriculum.yaml").is_file():
        return load_curriculum(folder).labs
    found = find_labs(folder / "labs")
    # A check of nothing would find nothing wrong.
    return found or [load_lab(folder)]


def lab_of_checkout(name: str) -> Lab:
    """The lab of that id, or in the folder of that path.

    Raises
    ------
    NotFound, BadManifest
    """
    folder = _folder(name)
    if folder is not None:
        return load_lab(folder)
    labs = {lab.id: lab for lab in find_labs()}
    _require_known(name, sorted(labs), _NO_LAB)
    return labs[name]


def _require_known(name: str, known: Sequence[str], message: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise NotFound(message, name=name, known=", ".join(near or known) or "-")
