"""Data sets of teams: who adds, who reads, what is refused before anything changes."""

from __future__ import annotations

import io
import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from integration.coursework_support import Base, make_base
from integration.dataset_support import content
from integration.portal_support import KnownPeople, Portal
from integration.sandbox_support import Student, only_root
from sqlalchemy import select

from ulab_core.errors import NotAllowed, NotFound
from ulab_core.i18n import translations
from ulab_core.models import AuditEntry
from ulab_core.process import children
from ulab_core.team_models import TeamRole
from ulab_coursework.courses import ensure_person
from ulab_datasets import apart
from ulab_datasets.adding import briefly
from ulab_datasets.card import Card
from ulab_datasets.errors import AddingFailed, BadCard, DataMismatch, QuotaFull
from ulab_datasets.placing import locked
from ulab_hub.profiles import Profile
from ulab_hub.residents import settle
from ulab_hub.student_sandbox import TEAM_DATASETS, build
from ulab_portal.app import create_app
from ulab_runtime.sandbox import Mount, environment_mounts
from ulab_teams import datasets
from ulab_teams.datasets import BadSource
from ulab_teams.teams import create_team, remove_member, set_member

TEAM, OTHER = "windfarm", "grid"
TOLD = briefly("Turbines", "CC0", "our mast", "lin")
CSV = b"speed,power\n3.5,100\n7.1,\n"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    """A base with two teams, whose data sets may take 1 MB each."""
    limit = "[datasets]\nteam_quota_mb = 1\n"
    found = make_base(tmp_path, monkeypatch, publish=False, config=limit)
    with found.db.write() as session:
        for name in ("lin", "wang", "prof", "sun"):
            ensure_person(session, name)
        create_team(session, TEAM, "", "", "lin", "test")
        create_team(session, OTHER, "", "", "sun", "test")
        set_member(session, TEAM, "wang", TeamRole.MEMBER, "test")
        set_member(session, TEAM, "prof", TeamRole.MENTOR, "test")
    return found


def add(base: Base, person: str | None, name: str = "turbines", csv: bytes = CSV) -> Card:
    return datasets.add(
        base.settings, base.db, TEAM, name, {"t.csv": io.BytesIO(csv)}, TOLD,
        actor=person or "operator", person=person,
    )  # fmt: skip


@pytest.mark.parametrize("person", ["lin", "wang", None])
def test_owners_members_and_operators_add_and_remove(base: Base, person: str | None) -> None:
    card = add(base, person)
    assert card.shape.rows == 2
    assert [one.id for one in datasets.cards_of(base.db, base.layout, TEAM, "prof")] == ["turbines"]
    datasets.remove(base.settings, base.db, TEAM, "turbines", person or "operator", person)
    assert datasets.cards_of(base.db, base.layout, TEAM, "lin") == []
    with base.db.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.like("team.dataset%")))
        assert [(one.actor, one.action, one.target) for one in entries] == [
            (person or "operator", f"team.dataset.{act}", f"{TEAM}/turbines")
            for act in ("add", "remove")
        ]


@pytest.mark.parametrize("person", ["prof", "sun", "nobody"])
def test_mentors_and_others_change_nothing(base: Base, person: str) -> None:
    add(base, "lin")
    before = content(base.layout.team_datasets(TEAM))
    with pytest.raises(NotAllowed):
        add(base, person, csv=CSV + b"1,1\n")
    with pytest.raises(NotAllowed):
        datasets.remove(base.settings, base.db, TEAM, "turbines", person, person)
    assert content(base.layout.team_datasets(TEAM)) == before


@pytest.mark.parametrize("person", ["sun", "nobody"])
def test_who_is_not_in_the_team_is_told_of_no_data_set(base: Base, person: str) -> None:
    add(base, "lin")
    with pytest.raises(NotAllowed):
        datasets.cards_of(base.db, base.layout, TEAM, person)
    with pytest.raises(NotFound):
        datasets.cards_of(base.db, base.layout, "nowhere", "lin")


def test_more_than_the_quota_is_refused_before_anything_changes(base: Base) -> None:
    add(base, "lin", csv=b"speed\n" + b"1.5\n" * 50_000)
    before = content(base.layout.team_datasets(TEAM))
    for name, size in (("more", 900_000), ("turbines", 900_000), ("table", 250_000)):
        with pytest.raises(QuotaFull) as refused:
            add(base, "lin", name, b"speed\n" + b"1.5\n" * (size // 4))
        assert "of 1.0 MB are left. Nothing was changed" in str(refused.value)
        assert "什么都没有改动" in refused.value.sentence(translations("zh").gettext)
    assert content(base.layout.team_datasets(TEAM)) == before
    # What is removed makes room.
    datasets.remove(base.settings, base.db, TEAM, "turbines", "lin", "lin")
    add(base, "lin", "table", b"speed\n" + b"1.5\n" * 60_000)


@pytest.mark.parametrize(
    ("name", "file", "csv", "kind"),
    [
        ("../grid", "t.csv", CSV, BadCard),
        ("Turbines", "t.csv", CSV, BadCard),
        ("turbines", "../t.csv", CSV, BadCard),
        ("turbines", ".t.csv", CSV, BadCard),
        ("turbines", "t.csv", b"", DataMismatch),
        ("turbines", "t.csv", b'a\n"b', DataMismatch),
        ("turbines", "t.npy", b"\x80\x04N.", DataMismatch),
    ],
)
def test_what_can_not_be_a_data_set_is_refused(
    base: Base, name: str, file: str, csv: bytes, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        datasets.add(
            base.settings, base.db, TEAM, name, {file: io.BytesIO(csv)}, TOLD,
            actor="lin", person="lin",
        )  # fmt: skip
    assert datasets.cards_of(base.db, base.layout, TEAM, "lin") == []
    assert list(base.layout.team_datasets(TEAM).glob("store/*")) == []


def test_files_are_taken_from_the_teams_folder_and_from_nowhere_else(base: Base) -> None:
    folder = base.layout.team(TEAM)
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "t.csv").write_bytes(CSV)
    with datasets.opened(base.layout, TEAM, ["raw/t.csv"]) as files:
        assert files["t.csv"].read() == CSV
    secret = base.layout.root / "secret.csv"
    secret.write_bytes(CSV)
    (folder / "link.csv").symlink_to(secret)
    (folder / "way").symlink_to(base.layout.root)
    os.mkfifo(folder / "pipe.csv")
    for path in ("link.csv", "way/secret.csv", "../secret.csv", str(secret), "pipe.csv", "raw", ""):
        with pytest.raises(BadSource), datasets.opened(base.layout, TEAM, [path]):
            pass
    (folder / "t.csv").write_bytes(CSV)
    with (
        pytest.raises(BadCard, match=r"called t\.csv"),
        datasets.opened(base.layout, TEAM, ["t.csv", "raw/t.csv"]),
    ):
        pass


READ = """
try:
    import ulab
    result = list(ulab.load('windfarm/turbines').shape)
except Exception as error:
    result = str(error)
"""
CHANGE = f"""
import pathlib
def attempt(act):
    try:
        return act() or 'ok'
    except Exception as error:
        return type(error).__name__
here = pathlib.Path('{TEAM_DATASETS}/{TEAM}/turbines')
result = [attempt(lambda: (here / 'data' / 't.csv').write_bytes(b'')),
          attempt(lambda: (here / 'data' / 't.csv').unlink()),
          attempt(lambda: (here / 'new').write_text('x'))]
"""


def run(base: Base, name: str, code: str) -> Any:
    """What `result` is in a sandbox with the mounts and groups that the hub gives this person."""
    resident = settle(base.settings, base.db, name, "")
    spec = build(base.settings, base.layout, resident, Profile("cpu", "", ""), [], {})
    homes = Path(tempfile.mkdtemp(dir=base.layout.root.parent))
    homes.chmod(0o755)
    student = Student(homes, name, 0, os.geteuid() == 0, namespaces_for_all=True)
    given = [one for one in spec.mounts if one.target.startswith(("/srv/teams", TEAM_DATASETS))]
    home = Mount(student.home, f"/home/{name}", writable=True)
    mounts = [*environment_mounts(("ulab", "ulab_core", "ulab_runtime")), *given, home]
    variables = {"ULAB_TEAM_DATASETS": TEAM_DATASETS, "ULAB_LANGUAGE": "en"}
    env = {**student.spec([]).env, **variables}
    return student.python(code, mounts=mounts, groups=resident.groups, env=env)


def test_everyone_in_the_team_reads_and_nobody_changes_it(base: Base) -> None:
    add(base, "lin")
    for name in ("lin", "prof"):
        assert run(base, name, READ) == [2, 2]
    assert run(base, "wang", CHANGE) == ["OSError"] * 3


def test_who_is_not_in_the_team_reads_nothing(base: Base) -> None:
    add(base, "lin")
    assert "no data set" in run(base, "sun", READ)
    with base.db.write() as session:
        remove_member(session, TEAM, "wang", "test")
    look = f"""
import os, pathlib
result = [pathlib.Path('{TEAM_DATASETS}/{TEAM}').exists(),
          pathlib.Path({str(base.layout.team_datasets(TEAM))!r}).exists()]
"""
    assert run(base, "wang", look) == [False, False]
    assert "no data set" in run(base, "wang", READ)


@only_root
def test_the_group_alone_keeps_others_out_too(base: Base) -> None:
    add(base, "lin")
    store = base.layout.team_datasets(TEAM) / "store"
    student = Student(base.layout.homes, "sun", 0, by_root=True, namespaces_for_all=True)
    mounts = list(student.spec([]).mounts)
    mounts.insert(-1, Mount(store, "/srv/slipped-in"))
    code = """
import os
try:
    result = os.listdir('/srv/slipped-in')
except OSError as error:
    result = type(error).__name__
"""
    assert student.python(code, mounts=mounts) == "PermissionError"
    groups = (store.stat().st_gid,)
    assert student.python(code, mounts=mounts, groups=groups) == ["turbines"]


# The portal -------------------------------------------------------------------------------------

API = f"/services/ulab/api/teams/{TEAM}/datasets"
BODY = {"name": "turbines", "files": ["raw/t.csv"], "licence": "CC0", "source": "our mast"}


@pytest.fixture
def portal(base: Base) -> Portal:
    """The portal of the base, with a table in the team's folder."""
    (base.layout.team(TEAM) / "raw").mkdir(parents=True)
    (base.layout.team(TEAM) / "raw" / "t.csv").write_bytes(CSV)
    return Portal(base, create_app(base.settings, KnownPeople()))


def test_a_member_adds_and_removes_on_the_teams_page(portal: Portal) -> None:
    wang = portal.browser("wang")
    form = BODY | {"files": "raw/t.csv\n"}
    assert wang.act(f"teams/{TEAM}/datasets", **form).status_code == 204
    page = wang.see(f"teams/{TEAM}").text
    assert "ulab.load(&#34;windfarm/turbines&#34;)" in page or 'load("windfarm/turbines")' in page
    seen_by_mentor = portal.browser("prof").see(f"teams/{TEAM}").text
    assert 'data-dataset="turbines"' in seen_by_mentor
    assert 'id="add-dataset"' in page
    assert 'id="add-dataset"' not in seen_by_mentor
    assert wang.act(f"teams/{TEAM}/datasets/remove", name="turbines").status_code == 204
    assert 'data-dataset="turbines"' not in wang.see(f"teams/{TEAM}").text
    refused = wang.act(f"teams/{TEAM}/datasets", **(form | {"files": "../../secrets/x"}))
    assert "no plain file of the team" in refused.text


def test_both_languages_of_a_card_are_told_on_the_page(portal: Portal) -> None:
    lin = portal.browser("lin")
    form = BODY | {
        "files": "raw/t.csv",
        "title_zh": "风机", "title_en": "Turbines",
        "summary_zh": "一台风机的功率。", "summary_en": "The power of one turbine.",
        "problems_zh": "缺一个功率值。\n", "problems_en": "One power is missing.\n",
        "commercial": "yes", "changes": "no",
    }  # fmt: skip
    assert lin.act(f"teams/{TEAM}/datasets", **form).status_code == 204
    (told,) = lin.get(API).json()["datasets"]
    assert told["titles"] == {"zh": "风机", "en": "Turbines"}
    assert told["allows"] == {"commercial": "yes", "sharing": "unknown", "changes": "no"}
    assert told["known_problems"] == [{"zh": "缺一个功率值。", "en": "One power is missing."}]
    seen = {
        language: portal.browser("wang", language).see(f"teams/{TEAM}").text
        for language in ("zh", "en")
    }
    for said in ("风机", "一台风机的功率。", "缺一个功率值。", "商业使用：允许"):
        assert said in seen["zh"]
        assert said not in seen["en"]
    for said in ("Turbines", "The power of one", "One power is missing", "Commercial use: allowed"):
        assert said in seen["en"]
        assert said not in seen["zh"]
    uneven = lin.act(f"teams/{TEAM}/datasets", **(form | {"problems_en": "One.\nTwo."}))
    assert "1 known problems are in Chinese and 2 in English" in uneven.text


def test_over_the_api_a_card_says_it_all(portal: Portal) -> None:
    lin, headers = portal.browser("lin"), token(portal, "lin")
    words = {"zh": "风机", "en": "Turbines"}
    unknown = {"commercial": "unknown", "sharing": "unknown", "changes": "unknown"}
    card = {
        "titles": words, "summaries": words,
        "source": {"title": "our mast", "url": "", "citation": "our mast"},
        "licence": {"name": "CC0", "verified": True, "allows": unknown, "note": words},
        "splits": {"first": {"rows": [0, 1]}},
    }  # fmt: skip
    body = {"name": "turbines", "files": ["raw/t.csv"]}
    assert lin.post(API, json=body, headers=headers).status_code == 400
    bad = card | {"splits": {"first": {"rows": [0, 7]}}}
    assert lin.post(API, json=body | {"card": bad}, headers=headers).status_code == 400
    assert lin.post(API, json=body | {"card": {"title": "x"}}, headers=headers).status_code == 422
    assert lin.get(API).json()["datasets"] == []
    added = lin.post(API, json=body | {"card": card}, headers=headers)
    assert added.json()["datasets"][0]["titles"] == words


@pytest.mark.parametrize(("person", "reads"), [("prof", True), ("sun", False)])
def test_over_the_api_others_add_nothing_and_outsiders_see_nothing(
    portal: Portal, person: str, reads: bool
) -> None:
    assert (
        portal.browser("lin").post(API, json=BODY, headers=token(portal, "lin")).status_code == 201
    )
    before = content(portal.base.layout.team_datasets(TEAM))
    browser = portal.browser(person)
    answer = browser.get(API)
    assert answer.status_code == (200 if reads else 403)
    assert ("our mast" in answer.text) == reads
    # Not even whether a file is in the folder.
    for body in (BODY, BODY | {"files": ["raw/none.csv"]}):
        assert browser.post(API, json=body, headers=token(portal, person)).status_code == 403
    gone = browser.delete(f"{API}/turbines", headers=token(portal, person))
    assert gone.status_code == 403
    assert content(portal.base.layout.team_datasets(TEAM)) == before


def test_what_is_refused_apart_is_said_as_if_it_were_refused_here(portal: Portal) -> None:
    raw = portal.base.layout.team(TEAM) / "raw"
    (raw / "large.csv").write_bytes(b"speed\n" + b"1.5\n" * 300_000)
    before = content(portal.base.layout.team_datasets(TEAM))
    headers = token(portal, "lin") | {"accept-language": "en"}
    body = BODY | {"files": ["raw/large.csv"]}
    refused = portal.browser("lin").post(API, json=body, headers=headers)
    assert refused.status_code == 507
    assert "needs 1.2 MB, and 1.0 MB of 1.0 MB are left" in refused.text
    (raw / "large.csv").write_bytes(b'a\n"b')
    assert portal.browser("lin").post(API, json=body, headers=headers).status_code == 400
    assert content(portal.base.layout.team_datasets(TEAM)) == before


def test_a_table_that_takes_too_much_memory_is_refused(base: Base, tmp_path: Path) -> None:
    root = datasets.prepare_store(base.layout, TEAM, None).parent
    (tmp_path / "t.csv").write_bytes(b"speed\n" + b"1.5\n" * 500_000)
    # Before anything is read, and while the table is: pandas says so in an error of its own.
    for memory_mb, refused in ((16, True), (130, True), (apart.MEMORY_MB, False)):
        with (tmp_path / "t.csv").open("rb") as file:
            files = {"t.csv": file}
            if refused:
                with pytest.raises(DataMismatch, match=f"more than {memory_mb} MB of memory"):
                    apart.add(root, "t", files, TOLD, quota=None, memory_mb=memory_mb)
                assert list(root.glob("store/*")) == []
            else:
                card = apart.add(root, "t", files, TOLD, quota=None, memory_mb=memory_mb)
                assert card.shape.rows == 500_000


class Growing(io.BytesIO):
    """A file that someone goes on writing."""

    def read(self, size: int | None = -1) -> bytes:
        at = self.tell()
        self.seek(0, 2)
        self.write(b"1.5\n")
        self.seek(at)
        return super().read(size)


def test_what_grows_while_it_is_copied_is_refused(base: Base) -> None:
    with pytest.raises(DataMismatch, match=r"t\.csv grew while it was copied"):
        datasets.add(
            base.settings, base.db, TEAM, "t", {"t.csv": Growing(b"speed\n1.5\n")}, TOLD,
            actor="lin", person="lin",
        )  # fmt: skip
    assert datasets.cards_of(base.db, base.layout, TEAM, "lin") == []


def test_a_team_adds_one_at_a_time_and_others_are_served(portal: Portal) -> None:
    root = datasets.prepare_store(portal.base.layout, TEAM, None).parent
    lin, headers = portal.browser("lin"), token(portal, "lin")
    others = set(children(os.getpid()))  # that earlier tests keep
    with ThreadPoolExecutor(1) as pool:
        with locked(root):  # so that the first has to wait
            first = pool.submit(lin.post, API, json=BODY, headers=headers)
            while others.issuperset(children(os.getpid())):
                assert not first.done()
                time.sleep(0.05)
            refused = portal.browser("wang").post(
                API, json=BODY | {"name": "second"}, headers=token(portal, "wang")
            )
            assert refused.status_code == 409
            assert portal.browser("wang").see(f"teams/{TEAM}").status_code == 200
        assert first.result().status_code == 201
    again = lin.post(API, json=BODY | {"name": "second"}, headers=headers)
    assert again.status_code == 201


def token(portal: Portal, person: str) -> dict[str, str]:
    return {"x-csrf-token": portal.browser(person).token()}


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "was killed"), (signal.SIGSEGV, "SIGSEGV"), (None, "took more than")],
)
def test_what_ends_otherwise_is_not_called_a_want_of_memory(
    base: Base, tmp_path: Path, number: signal.Signals | None, said: str
) -> None:
    root = datasets.prepare_store(base.layout, TEAM, None).parent
    (tmp_path / "t.csv").write_bytes(CSV)
    others = set(children(os.getpid()))
    with ThreadPoolExecutor(1) as pool, locked(root), (tmp_path / "t.csv").open("rb") as file:
        # The lock has it wait.
        time_s = 1.0 if number is None else apart.TIME_S
        adding = pool.submit(apart.add, root, "t", {"t.csv": file}, TOLD, quota=None, time_s=time_s)
        while number is not None and not (new := set(children(os.getpid())) - others):
            time.sleep(0.05)
        if number is not None:
            os.kill(new.pop(), number)
        with pytest.raises(AddingFailed, match=said):
            adding.result()
    assert list(root.glob("store/*")) == []
    left = root / ".fetch-of-one-that-was-killed"
    left.mkdir()
    with (tmp_path / "t.csv").open("rb") as file:
        assert apart.add(root, "t", {"t.csv": file}, TOLD, quota=None).shape.rows == 2
    assert not left.exists()
