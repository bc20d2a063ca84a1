"""Which repositories are fetched, and what Git is told while it fetches them."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest

from ulab_core.i18n import translations
from ulab_curricula.receiving import NotTaken
from ulab_curricula.repositories import (
    Repository,
    environment,
    fetched,
    is_address,
    refused_address,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.edu/labs.git",
        "https://example.edu:8443/group/labs",
        "ssh://git@example.edu/group/labs.git",
        "ssh://example.edu:2222/labs.git",
        "git@example.edu:group/labs.git",
    ],
)
def test_an_address_of_a_host_is_used(url: str) -> None:
    assert is_address(url)
    assert refused_address(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/evil",
        "ext::https://example.edu/x",
        "file:///etc",
        "http://example.edu/labs.git",
        "git://example.edu/labs.git",
        "ftp://example.edu/x",
        "fd::17",
        "--upload-pack=touch /tmp/evil",
        "-oProxyCommand=touch /tmp/evil",
        "ssh://-oProxyCommand=touch%20evil/x",
        "git@-oProxyCommand=x:labs",
        "git@example.edu:-x",
        "https://user:password@example.edu/labs.git",
        "https://-x.example.edu/labs.git",
        "https://example.edu/labs.git\n--config=x",
        "https://example.edu/a b",
        "https://",
        "/etc",
        "",
    ],
)
def test_any_other_address_is_refused_before_git_is_run(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NotTaken, match="can't be fetched") as refused, fetched(url):
        pass
    assert refused.value.sentence(translations("zh").gettext).startswith("无法获取")


@pytest.mark.parametrize("ref", ["--upload-pack=x", "-b", "a b", "a\nb", "a..\0"])
def test_a_branch_that_is_an_option_is_refused(ref: str) -> None:
    with pytest.raises(NotTaken, match="no branch or tag"), fetched("https://x.edu/y", ref):
        pass


@pytest.mark.parametrize("path", ["/srv/labs", "./labs", "labs.zip", "C", "a:b"])
def test_a_path_is_no_address(path: str) -> None:
    assert not is_address(path)


def test_git_gets_nothing_of_the_environment_but_what_reaches_a_host(tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    home = tmp_path_factory.mktemp("home")
    given = {
        "PATH": "/bin", "GIT_SSL_CAINFO": "/ca", "GIT_CONFIG_COUNT": "1", "GIT_DIR": "/x",
        "GIT_EXEC_PATH": "/x", "GIT_SSH": "/x", "HOME": "/root", "JUPYTERHUB_API_TOKEN": "secret",
    }  # fmt: skip
    made = environment(given, home)
    assert (made["PATH"], made["GIT_SSL_CAINFO"], made["HOME"]) == ("/bin", "/ca", str(home))
    assert made["GIT_ALLOW_PROTOCOL"] == "https:ssh"
    assert not {"GIT_CONFIG_COUNT", "GIT_DIR", "GIT_EXEC_PATH", "GIT_SSH"} & set(made)
    assert "secret" not in made.values()


def _put(folder: Path, kind: str, content: bytes) -> str:
    command = ["git", "hash-object", "-t", kind, "-w", "--stdin"]
    done = subprocess.run(command, input=content, cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


def _nested(folder: Path, levels: int) -> Repository:
    """A repository whose tree holds a tree ten times, which holds another ten times, and so on."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    found, mode = _put(folder, "blob", b"x"), "100644"
    for _ in range(levels):
        entries = (f"{mode} d{n}".encode() + b"\0" + bytes.fromhex(found) for n in range(10))
        found, mode = _put(folder, "tree", b"".join(entries)), "40000"
    root = _put(folder, "tree", b"40000 labs\0" + bytes.fromhex(found))
    who = "someone <someone@example.edu> 1 +0000"
    text = f"tree {root}\nauthor {who}\ncommitter {who}\n\nmany\n"
    return Repository(folder, _put(folder, "commit", text.encode()))


def test_a_few_trees_that_stand_for_millions_of_files_are_refused_in_little_memory(
    tmp_path: Path,
) -> None:
    assert len(list(_nested(tmp_path / "small", 2).entries())) == 100
    with pytest.raises(NotTaken, match="more than 5000 files"):
        list(_nested(tmp_path / "many", 4).entries())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotTaken, match="more than 4 MiB"):
        list(_nested(tmp_path / "bomb", 10).entries())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
