"""Settings, languages, errors and the database: what every other part relies on."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from ulab_core import audit
from ulab_core.database import Database, upgrade
from ulab_core.errors import UserError
from ulab_core.i18n import choose_language, translations
from ulab_core.layout import Layout
from ulab_core.models import AuditEntry, Person
from ulab_core.publishing_models import Base
from ulab_core.settings import BadSettings, load_settings


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_state_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path / "ulab.toml", "[server]\nstate_dir = 'var'\n"))
    assert settings.server.state_dir == tmp_path / "var"


def test_a_variable_that_means_a_whole_section_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULAB_SITE", "Base")
    with pytest.raises(BadSettings, match="ULAB_SITE can't be used"):
        load_settings()


def test_variables_win_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULAB_SERVER__PORT", "8123")
    settings = load_settings(write(tmp_path / "ulab.toml", "[server]\nport = 9000\n"))
    assert settings.server.port == 8123


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[server]\nprot = 1\n", "did you mean server.port?"),
        ("[serv]\nport = 1\n", "unknown key serv; did you mean server?"),
        ("[server]\nport = 'x'\n", "server.port: must be a whole number"),
        ("[server]\nport = 70000\n", "server.port: must be 65535 or less"),
        ("[site]\nlanguage = 'fr'\n", "site.language: must be one of 'zh' or 'en'"),
        ("[limits]\ncpus = 0\n", "limits.cpus: must be greater than 0"),
        ("port = 9000\n", "unknown key port; did you mean server.port?"),
        ("server = 1\n", "server: must be a section"),
        ("[site]\ntime_zone = 'Mars/Base'\n", "not a time zone"),
        ("[server\n", "is not TOML"),
    ],
)
def test_bad_settings_say_what_and_where(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(BadSettings) as refused:
        load_settings(write(tmp_path / "ulab.toml", content))
    assert said in str(refused.value)


def test_what_is_near_to_nothing_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"unknown key nosection$"):
        load_settings(write(tmp_path / "ulab.toml", "[nosection]\nx = 1\n"))


def test_a_wrong_variable_is_named_and_not_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ULAB_SERVER__PORT", "many")
    file = write(tmp_path / "ulab.toml", "[server]\nport = 9000\n")
    with pytest.raises(BadSettings) as refused:
        load_settings(file)
    assert str(refused.value) == (
        "A variable can't be used: ULAB_SERVER__PORT: must be a whole number"
    )
    write(file, "[limits]\ncpus = 'two'\n")
    with pytest.raises(BadSettings) as refused:
        load_settings(file)
    chinese = refused.value.sentence(translations("zh").gettext)
    assert "limits.cpus: 必须是数字" in chinese
    assert "ULAB_SERVER__PORT: 必须是整数" in chinese


def test_the_mark_that_windows_puts_first_is_read_over(tmp_path: Path) -> None:
    file = tmp_path / "ulab.toml"
    file.write_bytes(b"\xef\xbb\xbf[server]\nport = 9000\n")
    assert load_settings(file).server.port == 9000


def test_a_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="can't be read"):
        load_settings(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("lab", False)],
)
def test_loopback(host: str, loopback: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULAB_SERVER__HOST", host)
    assert load_settings().server.on_loopback is loopback


@pytest.mark.parametrize(
    ("chosen", "header", "language"),
    [
        ("en", "zh-CN", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "fr-FR,en;q=0.5,zh;q=0.7", "zh"),
        (None, "", "zh"),
        ("tlh", None, "zh"),
        (None, ";;q=,x;q=z", "zh"),
    ],
)
def test_language_of_a_page(chosen: str | None, header: str | None, language: str) -> None:
    assert choose_language(chosen, header) == language


def test_an_error_is_a_sentence_in_the_readers_language() -> None:
    error = UserError("{n} of {m}", n=1, m=2)
    assert str(error) == "1 of 2"
    assert error.sentence({"{n} of {m}": "{m} 中的 {n}"}.__getitem__) == "2 中的 1"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("ULAB_SERVER__STATE_DIR", str(tmp_path))
    settings = load_settings()
    Layout.of(settings).prepare()
    upgrade(settings)
    upgrade(settings)
    return Database.of(settings)


def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_version_is_another_after_each_commit_of_whomever(database: Database) -> None:
    first = database.version()
    with database.read() as session:
        session.scalars(select(Person)).all()
    assert database.version() == first
    seen = {first}
    for writer in (database, Database(str(database.engine.url))):
        with writer.write() as session:
            session.add(Person(name=f"ann{len(seen)}"))
        seen.add(database.version())
    assert len(seen) == 3
    assert Database("postgresql+psycopg://nobody@127.0.0.1:1/x").version() is None


def test_a_write_is_all_or_nothing_and_moments_keep_their_zone(database: Database) -> None:
    with pytest.raises(StatementError), database.write() as session:  # noqa: PT012
        session.add(Person(name="lin"))
        audit.record(session, "admin", "person.add", "lin", when=object())
    with database.write() as session:
        session.add(Person(name="wang"))
        audit.record(session, "admin", "person.add", "wang", by="roster")
    with database.read() as session:
        assert session.scalars(select(Person.name)).all() == ["wang"]
        [entry] = session.scalars(select(AuditEntry)).all()
        assert entry.at.tzinfo is not None
        assert entry.detail == {"by": "roster"}
