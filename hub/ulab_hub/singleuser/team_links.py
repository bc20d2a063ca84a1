"""Show the folders of a person's teams in their home, where JupyterLab begins."""

from __future__ import annotations

import contextlib
from pathlib import Path

NAME = "teams"


def show_teams(home: Path, folders: Path) -> None:
    """Link ``~/teams`` to the teams' folders, or take the link away where there are none.

    What the person has there already stays: if it is a folder of theirs, the links to the single
    teams are put into it; if it is anything else, the folders are only where they are mounted.

    Parameters
    ----------
    folders
        Holds a folder for each team; doesn't exist for who is in no team.
    """
    place = home / NAME
    with contextlib.suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            _show_in(place, folders)
        elif _leads_to(place, folders):
            if not folders.is_dir():
                place.unlink()
        elif folders.is_dir():
            place.symlink_to(folders)


def _show_in(place: Path, folders: Path) -> None:
    for link in place.iterdir():
        if link.is_symlink() and link.readlink().parent == folders and not link.exists():
            link.unlink()
    if folders.is_dir():
        for folder in folders.iterdir():
            with contextlib.suppress(FileExistsError):
                (place / folder.name).symlink_to(folder)


def _leads_to(link: Path, target: Path) -> bool:
    return link.is_symlink() and link.readlink() == target
