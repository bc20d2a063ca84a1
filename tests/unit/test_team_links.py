"""How the folders of a person's teams appear in their home, whatever lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulab_hub.singleuser.team_links import show_teams


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for team in ("grid", "windfarm"):
        (tmp_path / "srv" / team).mkdir(parents=True)
    return tmp_path / "srv"


def test_a_link_is_made_kept_and_taken_away(home: Path, folders: Path, tmp_path: Path) -> None:
    for _ in range(2):
        show_teams(home, folders)
        assert sorted(path.name for path in (home / "teams").iterdir()) == ["grid", "windfarm"]
    folders.rename(tmp_path / "gone")
    show_teams(home, folders)
    assert list(home.iterdir()) == []


def test_a_folder_of_the_persons_own_stays_and_has_the_teams_in_it(
    home: Path, folders: Path
) -> None:
    (home / "teams" / "grid").mkdir(parents=True)
    (home / "teams" / "mine.txt").write_text("mine")
    (home / "teams" / "elsewhere").symlink_to("/nowhere")
    show_teams(home, folders)
    assert (home / "teams" / "windfarm").readlink() == folders / "windfarm"
    assert not (home / "teams" / "grid").is_symlink()
    (folders / "windfarm").rmdir()
    show_teams(home, folders)
    left = sorted(path.name for path in (home / "teams").iterdir())
    assert left == ["elsewhere", "grid", "mine.txt"]


@pytest.mark.parametrize("kind", ["file", "link", "broken link"])
def test_anything_else_stays_as_it_is(home: Path, folders: Path, tmp_path: Path, kind: str) -> None:
    place = home / "teams"
    if kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path if kind == "link" else tmp_path / "nothing")
    before = [path.name for path in tmp_path.iterdir()]
    show_teams(home, folders)
    if kind == "file":
        assert place.read_text() == "mine"
    else:
        assert place.readlink() in (tmp_path, tmp_path / "nothing")
    assert [path.name for path in tmp_path.iterdir()] == before
