"""A course's folder: its instructors may write in it, and can lead the base nowhere else by it."""

import contextlib
import os
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from integration.coursework_support import (
    COURSE,
    LAB,
    Base,
    answer,
    grade_all,
    grades,
    hand_in,
    newest,
)
from integration.sandbox_support import only_root
from sqlalchemy.exc import OperationalError

from ulab_coursework.coursefolder import (
    FolderTampered,
    gradebook_lock,
    gradebook_url,
    prepare_folder,
    read_file,
    write_file,
)
from ulab_coursework.courserights import course_rights
from ulab_coursework.feedback import release_feedback
from ulab_coursework.gradebook import class_scores
from ulab_coursework.standing import State


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of the base's own, with a file that nobody else may change."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    (folder / "file").write_text("ours")
    (folder / "file").chmod(0o600)
    return folder


def untouched(folder: Path) -> bool:
    file = folder / "file"
    return (
        [path.name for path in folder.iterdir()] == ["file"]
        and file.read_text() == "ours"
        and stat.S_IMODE(file.stat().st_mode) == 0o600
        and stat.S_IMODE(folder.stat().st_mode) == 0o700
        and folder.stat().st_gid == os.getegid()
    )


@pytest.mark.parametrize(
    ("room", "depth"),
    [("submitted", "room"), ("autograded", "student"), ("autograded", "assignment")],
)
def test_grading_follows_no_link_in_the_courses_folder(
    base: Base, elsewhere: Path, room: str, depth: str
) -> None:
    place = base.layout.course(COURSE) / room
    if depth == "room":
        place.rmdir()
    else:
        place = place / "alice" / ("" if depth == "student" else LAB)
        place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(elsewhere)
    hand_in(base, answer())
    grade_all(base)
    assert newest(base).state is State.FAILED
    assert "is a link" in str(newest(base).problem)
    assert untouched(elsewhere)


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(
    base: Base, elsewhere: Path
) -> None:
    folder = base.layout.course(COURSE)
    planted = folder / "submitted" / "alice" / LAB / "timestamp.txt"
    planted.parent.mkdir(parents=True)
    planted.symlink_to(elsewhere / "file")
    hand_in(base, answer())
    grade_all(base)
    assert newest(base).state is State.GRADED
    assert not planted.is_symlink()
    assert untouched(elsewhere)


def test_feedback_is_made_of_no_file_that_a_link_leads_to(base: Base, tmp_path: Path) -> None:
    hand_in(base, answer())
    grade_all(base)
    base.layout.graded_notebook(newest(base).id).unlink()  # as of a submission graded long ago
    autograded = base.layout.course(COURSE) / "autograded" / "alice" / LAB / f"{LAB}.ipynb"
    moved = shutil.move(autograded, tmp_path / "secret.ipynb")
    autograded.symlink_to(moved)
    with pytest.raises(FolderTampered, match="is a link"):
        release_feedback(base.db, base.layout, COURSE, LAB, "carol")
    autograded.unlink()
    shutil.move(moved, autograded)
    assert release_feedback(base.db, base.layout, COURSE, LAB, "carol") == 1


def _link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere / "file")


def _dangling(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere / "new")


def _pipe(path: Path, elsewhere: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("plant", [_link, _dangling, _pipe])
def test_a_gradebook_is_a_file_of_the_courses_folder(
    base: Base, elsewhere: Path, plant: Callable[[Path, Path], None]
) -> None:
    path = base.layout.gradebook(COURSE)
    assert gradebook_url(base.layout, COURSE)
    path.unlink()
    plant(path, elsewhere)
    with pytest.raises(FolderTampered):
        gradebook_url(base.layout, COURSE)
    hand_in(base, answer())
    grade_all(base)
    assert newest(base).state is State.FAILED
    assert untouched(elsewhere)


def test_a_file_is_written_and_read_below_the_folder_and_pipes_block_nobody(base: Base) -> None:
    folder = base.layout.course(COURSE)
    write_file(folder, "source/new/a.txt", b"one", None)
    write_file(folder, "source/new/a.txt", b"two", None)
    assert read_file(folder, "source/new/a.txt") == b"two"
    assert [path.name for path in (folder / "source" / "new").iterdir()] == ["a.txt"]
    os.mkfifo(folder / "source" / "pipe")
    with pytest.raises(FolderTampered):
        read_file(folder, "source/pipe")
    with pytest.raises(FileNotFoundError):
        read_file(folder, "source/nothing/a.txt")
    (folder / "source" / "folder").mkdir()
    with pytest.raises(FolderTampered):
        write_file(folder, "source/folder", b"", None)


def test_the_lock_of_a_gradebook_is_not_where_an_instructor_could_hold_it(base: Base) -> None:
    with gradebook_lock(base.layout, COURSE):
        inside = [path.name for path in base.layout.course(COURSE).rglob("*lock*")]
    assert inside == []


@only_root
def test_an_instructor_writes_the_gradebook_and_can_not_replace_it_or_a_room(base: Base) -> None:
    folder, gid = base.layout.course(COURSE), base.settings.accounts.uid_base * 2 + 1
    hand_in(base, answer())
    grade_all(base)
    assert _as_instructor(folder, gid, "os.open('gradebook.db', os.O_RDWR)")
    assert _as_instructor(folder, gid, "os.open('gradebook.db-journal', os.O_CREAT); "
                                       "os.unlink('gradebook.db-journal')")  # fmt: skip
    assert _as_instructor(folder, gid, "os.mkdir('source/another')")
    assert not _as_instructor(folder, gid, "os.unlink('gradebook.db')")
    assert not _as_instructor(folder, gid, "os.rename('gradebook.db', 'x')")
    assert not _as_instructor(folder, gid, "os.rename('source', 'x')")
    assert grades(base)["sums-visible"][0] == 2


@only_root
def test_a_gradebook_that_formgrader_made_becomes_the_bases(base: Base) -> None:
    path, uid = base.layout.gradebook(COURSE), base.settings.accounts.uid_base + 3
    os.chown(path, uid, -1)
    gradebook_url(base.layout, COURSE)
    assert path.stat().st_uid == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@only_root
def test_preparing_again_changes_nothing_behind_a_link(base: Base, elsewhere: Path) -> None:
    folder = base.layout.course(COURSE)
    (folder / "source").rename(folder / "old")
    (folder / "source").symlink_to(elsewhere)
    with pytest.raises(FolderTampered):
        prepare_folder(base.layout, COURSE, base.settings.accounts.uid_base * 2 + 1)
    assert untouched(elsewhere)


def _as_instructor(folder: Path, gid: int, code: str) -> bool:
    """Whether `code` succeeds in the folder with the rights of the course's grading server."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.chdir(folder)
            os.setgroups([])
            os.setgid(gid)
            os.setuid(gid - 100_000)
            exec(code)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@only_root
def test_a_journal_that_names_a_file_of_the_bases_removes_nothing(
    base: Base, elsewhere: Path, tmp_path: Path
) -> None:
    victim = elsewhere / "file"
    victim.write_bytes(b"ours\0")
    path = base.layout.gradebook(COURSE)
    _crash_while_writing(path)
    journal = path.with_name("gradebook.db-journal")
    _name_super_journal(journal, victim)
    os.chown(journal, base.settings.accounts.uid_base + 3, path.stat().st_gid)
    with base.db.read() as session, contextlib.suppress(OperationalError):
        class_scores(base.layout, session, COURSE)
    assert victim.exists()
    # Played back as it should be, a journal that crashed with its writer is no trouble.
    journal.unlink(missing_ok=True)
    _crash_while_writing(path)
    with base.db.read() as session:
        assert class_scores(base.layout, session, COURSE).rows
    assert not journal.exists()


@only_root
def test_only_the_thread_that_opens_a_gradebook_gives_up_its_rights(
    base: Base, elsewhere: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(os.getpid).result()  # it is there now, and was not made by this thread's rights
        with course_rights(base.layout, COURSE):
            _has_the_courses_rights_alone(base, elsewhere)
            pool.submit((elsewhere / "other").touch).result()
            pool.submit((elsewhere / "other").unlink).result()
    (elsewhere / "file").write_text("ours")
    assert untouched(elsewhere)


def _has_the_courses_rights_alone(base: Base, elsewhere: Path) -> None:
    with pytest.raises(PermissionError):
        (elsewhere / "new").write_text("")
    with pytest.raises(PermissionError):
        (elsewhere / "file").unlink()
    assert base.layout.gradebook(COURSE).read_bytes()


def _crash_while_writing(path: Path) -> None:
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute('pragma cache_size=1'); c.execute('begin'); "
        "c.execute('create table big(a)'); "
        "c.executemany('insert into big values(?)', [('x' * 900,)] * 400); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.with_name(f"{path.name}-journal").stat().st_size


def _name_super_journal(journal: Path, victim: Path) -> None:
    """Have a journal say that it belongs to a transaction whose list of journals is `victim`."""
    content, name = journal.read_bytes(), os.fsencode(victim)
    (page_size,) = struct.unpack(">I", content[24:28])
    content += struct.pack(">I", 0x40000000 // page_size + 1) + name
    content += struct.pack(">II", len(name), sum(name)) + content[:8]
    journal.write_bytes(content)
