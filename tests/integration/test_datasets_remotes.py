"""Data sets kept elsewhere, over SSH and on S3: who gets in, who doesn't, who sees the keys."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from integration.dataset_support import content
from integration.remote_servers import S3, SshHost, s3_server, sshd
from typer.testing import CliRunner

from ulab_core.layout import Layout
from ulab_core.settings import Datasets, Settings
from ulab_coursework.judging import DATASETS, sandbox_spec
from ulab_datasets import adding, dvc_repo, own, store
from ulab_datasets.adding import briefly
from ulab_datasets.errors import RemoteFailed
from ulab_datasets.remotes import Remote, remote_of
from ulab_deploy.cli import build
from ulab_hub.profiles import Profile
from ulab_hub.residents import Resident
from ulab_hub.student_sandbox import build as student_sandbox
from ulab_runtime.sandbox import run

TABLE = b"place,ph\na,5.5\nb,7.5\n"
STUDENT_UID = 210_042
LOOK = """
import json, pathlib, sys
def read(path):
    try:
        return len(pathlib.Path(path).read_bytes())
    except OSError as error:
        return type(error).__name__
print(json.dumps([read(path) for path in sys.argv[1:]]))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "state" / "datasets"
    told = briefly("Soil", "CC BY 4.0", "s", "lin")
    adding.add(made, "soil", {"soil.csv": io.BytesIO(TABLE)}, told)
    return made


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    with sshd(tmp_path_factory.mktemp("ssh")) as running:
        yield running


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        yield running


def over_ssh(host: SshHost, **changes: Path | str) -> Remote:
    settings = {"remote_key_file": host.key, "remote_known_hosts": host.known_hosts} | changes
    found = remote_of(Datasets(remote=host.url, **{k: str(v) for k, v in settings.items()}))
    assert found is not None
    return found


def push(root: Path, remote: Remote) -> int:
    return dvc_repo.push(root, root / "store" / "soil" / "data.dvc", remote)


def lose(root: Path) -> None:
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "store" / "soil")


def test_over_ssh_what_was_lost_comes_back(root: Path, host: SshHost) -> None:
    remote = over_ssh(host)
    assert (push(root, remote), push(root, remote)) == (2, 0)
    assert any(path.read_bytes() == TABLE for path in host.folder.rglob("*") if path.is_file())
    lose(root)
    (result,) = store.ensure(root, ["soil"], registry=own.registry(root), remote=remote)
    assert result.error is None
    store.prove(root, "soil", own.registry(root))


def test_over_ssh_nobody_else_gets_in_and_no_other_host_gets_anything(
    root: Path, host: SshHost, tmp_path: Path
) -> None:
    another = asyncssh.generate_private_key("ssh-ed25519")
    another.write_private_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o600)
    place = host.known_hosts.read_bytes().split()[0]
    # As when somebody else answers at the host's address.
    (tmp_path / "known_hosts").write_bytes(place + b" " + another.export_public_key())
    (tmp_path / "empty").touch()
    shutil.copy(host.key, tmp_path / "open")
    (tmp_path / "open").chmod(0o640)
    kept, before = content(host.folder), content(root)
    for changes, reason in (
        ({"remote_key_file": tmp_path / "key"}, "Permission denied"),
        ({"remote_known_hosts": tmp_path / "known_hosts"}, "Host key is not trusted"),
        ({"remote_known_hosts": tmp_path / "empty"}, "Host key is not trusted"),
        ({"remote_known_hosts": tmp_path / "none"}, "No such file"),
        ({"remote_key_file": tmp_path / "open"}, "chmod 600"),
    ):
        remote = over_ssh(host, **changes)
        with pytest.raises(RemoteFailed, match=reason):
            push(root, remote)
        with pytest.raises(RemoteFailed, match=reason):
            dvc_repo.pull(root, root / "store" / "soil" / "data.dvc", remote)
    assert (content(host.folder), content(root)) == (kept, before)


@pytest.fixture
def configured(s3: S3, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base whose settings name the bucket; the file with its key."""
    credentials = tmp_path / "credentials"
    s3.write_credentials(credentials)
    (tmp_path / "ulab.toml").write_text(
        f'[server]\nstate_dir = "{root.parent}"\n[datasets]\nremote = "{s3.url}"\n'
        f'remote_endpoint = "{s3.endpoint}"\nremote_profile = "base"\n'
    )
    monkeypatch.setenv("ULAB_CONFIG", str(tmp_path / "ulab.toml"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    return credentials


def ulab_datasets(*arguments: str) -> tuple[int, str]:
    shown = CliRunner().invoke(build(), ["--language", "en", "datasets", *arguments, "--json"])
    return shown.exit_code, shown.output


def pushed() -> dict[str, int]:
    code, said = ulab_datasets("push")
    assert code == 0, said
    count: dict[str, int] = json.loads(said)
    return count


def test_on_s3_what_was_lost_comes_back(configured: Path, root: Path) -> None:
    assert pushed() == {"soil": 2}
    assert pushed() == {"soil": 0}
    lose(root)
    code, said = ulab_datasets("pull", "soil")
    assert (code, json.loads(said)[0]["fetched"]) == (0, True)
    store.prove(root, "soil", own.registry(root))


def test_on_s3_nobody_else_gets_in_and_no_secret_is_said(
    configured: Path, root: Path, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(root)
    for changes in (
        {"aws_secret_access_key": "guessed-" + s3.secret[:8]},
        {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"},
    ):
        s3.write_credentials(configured, changes)
        code, said = ulab_datasets("push")
        assert code == 3
        assert "Forbidden" in said
        assert s3.secret[:8] not in said
    s3.write_credentials(configured)
    configured.chmod(0o644)
    code, said = ulab_datasets("push")
    assert (code, f"chmod 600 {configured}" in said, s3.secret in said) == (3, True, False)
    assert content(root) == before
    # Without what S3 needs.
    configured.chmod(0o600)
    monkeypatch.setattr(dvc_repo, "S3_PYTHON", root / "none")
    code, said = ulab_datasets("push")
    assert (code, "install.py --with s3" in said) == (3, True)


def test_students_read_data_sets_and_none_of_the_keys(
    configured: Path, root: Path, host: SshHost, tmp_path: Path
) -> None:
    settings = Settings(server={"state_dir": root.parent})
    layout = Layout.of(settings)
    layout.prepare()
    mine = layout.secrets / "remote-key"
    shutil.copy(host.key, mine)
    uid = STUDENT_UID if os.geteuid() == 0 else None
    home = tmp_path / "home"
    home.mkdir()
    if uid:
        os.chown(home, uid, uid)
    resident = Resident("ann", uid, uid, "zh", home)
    profile = Profile("cpu", "", "")
    data = f"{DATASETS}/soil/data/soil.csv"
    paths = [data, str(host.key), str(mine), str(configured)]
    for spec in (
        student_sandbox(settings, layout, resident, profile, [], {}),
        sandbox_spec(settings, layout.dataset_store, "zh", uid),
    ):
        command = [sys.executable, "-c", LOOK, *paths]
        done = run(dataclasses.replace(spec, command=command, outlives_parent=False), 60)
        assert done.returncode == 0, done.stdout_tail
        assert json.loads(done.stdout_tail) == [len(TABLE), *["FileNotFoundError"] * 3]
