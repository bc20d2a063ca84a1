"""The doctor's decisions, each from facts made up for it."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ulab_core.i18n import translations
from ulab_core.layout import Layout
from ulab_core.settings import Settings
from ulab_deploy.base import AlreadyRunning, Base, RunLock
from ulab_deploy.doctor import examine
from ulab_deploy.facts import Facts, bind_errno, gather
from ulab_deploy.findings import Level, Unfit, require_fit

WELL = Facts(limits="Limits are enforced.", state_owner=1000)
REFUSED = {"sandbox_error": "bwrap: setting up uid map: Permission denied"}


def test_a_fit_machine_has_no_complaints() -> None:
    findings = examine(WELL)
    assert {finding.level for finding in findings} == {Level.OK}
    require_fit(findings)


@pytest.mark.parametrize(
    ("change", "check", "level", "says", "advises"),
    [
        ({"python": (3, 10)}, "python", "problem", "3.10 is too old", "make PYTHON="),
        ({"system": "Darwin"}, "system", "problem", "runs on Linux", "Debian 12"),
        ({"bwrap": None, "sandbox_error": "gone"}, "bubblewrap", "problem", "gone", "apt-get"),
        (
            REFUSED | {"sysctls": {"kernel.apparmor_restrict_unprivileged_userns": 1}},
            "user-namespaces",
            "problem",
            "refuses user namespaces",
            "apparmor_parser",
        ),
        (
            REFUSED | {"sysctls": {"kernel.unprivileged_userns_clone": 0}},
            "user-namespaces",
            "problem",
            "unprivileged_userns_clone = 0",
            "sysctl -w kernel.unprivileged_userns_clone=1 ",
        ),
        (
            REFUSED | {"sysctls": {"user.max_user_namespaces": 0}},
            "user-namespaces",
            "problem",
            "max_user_namespaces = 0",
            "sysctl -w user.max_user_namespaces=15000 ",
        ),
        (REFUSED, "sandbox", "problem", "uid map: Permission denied", "Docker"),
        (
            REFUSED | {"environment_closed": True, "checkout": "/srv/ulab"},
            "environment",
            "problem",
            "can't read this installation",
            "chmod -R go+rX /srv/ulab",
        ),
        ({"bind_errno": errno.EADDRINUSE}, "port", "problem", "8000", "server.port"),
        (
            {"bind_errno": errno.EACCES, "port": 80},
            "port",
            "problem",
            "only be used by root",
            "1023",
        ),
        (
            {"bind_errno": errno.EADDRNOTAVAIL, "host": "10.9.9.9"},
            "port",
            "problem",
            "no address 10.9.9.9",
            "server.host",
        ),
        (
            {"loopback": False, "host": "0.0.0.0", "root": True},
            "tls",
            "warning",
            "without TLS",
            "public_url",
        ),
        (
            {"loopback": False, "public_url": "https://x"},
            "ordinary-user",
            "warning",
            "Without root",
            "as root",
        ),
        (
            {"state_error": "Permission denied"},
            "state",
            "problem",
            "can't be written: Permission denied",
            "server.state_dir",
        ),
        (
            {"state_owner": 0},
            "state",
            "problem",
            "belongs to another user",
            "user it always ran as",
        ),
        (
            {"root": True, "uid": 0, "state_owner": 0, "state_acls": False},
            "acls",
            "warning",
            "no POSIX ACLs",
            "ext4",
        ),
        ({"free_disk_mb": 500}, "disk", "problem", "0.5 GiB", "Free some space"),
        ({"free_disk_mb": 5000}, "disk", "warning", "only 4.9 GiB", "Free some space"),
        ({"memory_mb": 2000}, "memory", "warning", "2.0 GiB", "larger machine"),
        (
            {"memory_limit_mb": 32000},
            "memory",
            "warning",
            "more than the machine has",
            "limits.memory_mb",
        ),
        ({"node": None}, "proxy", "problem", "not installed", "make install"),
        ({"proxy": None}, "proxy", "problem", "not installed", "make install"),
        ({"nvidia_cards": 1}, "gpu", "warning", "driver is not ready", "nvidia-driver"),
        ({"nvidia_driver": "550.1"}, "gpu", "warning", "driver is not ready", "nvidia-driver"),
    ],
)
def test_each_trouble_is_named_with_what_to_do(
    change: dict[str, object], check: str, level: str, says: str, advises: str
) -> None:
    findings = [f for f in examine(replace(WELL, **change)) if f.level is not Level.OK]
    (finding,) = (f for f in findings if f.check == check)
    assert finding.level == level
    assert says in finding.sentence()
    assert advises in finding.what_to_do()
    chinese = translations("zh").gettext
    assert finding.sentence(chinese) != finding.sentence()
    assert finding.what_to_do(chinese) != finding.what_to_do()
    if level == "problem":
        with pytest.raises(Unfit) as caught:
            require_fit(findings)
        # `ulab up` refuses with the doctor's own words.
        assert finding.sentence() in str(caught.value)
        assert finding.what_to_do() in str(caught.value)
    else:
        require_fit(findings)


def test_a_gpu_with_its_driver_is_reported() -> None:
    facts = replace(WELL, nvidia_cards=2, nvidia_driver="550.54", nvidia_devices=2)
    (finding,) = (f for f in examine(facts) if f.check == "gpu")
    assert finding.level is Level.OK
    assert finding.sentence() == "2 NVIDIA GPU, driver 550.54."


def test_a_running_base_explains_its_own_port() -> None:
    (finding,) = (f for f in examine(replace(WELL, running=77)) if f.check == "port")
    assert finding.level is Level.OK
    assert "process 77" in finding.sentence()


def test_a_taken_port_is_found_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert bind_errno("127.0.0.1", port) == errno.EADDRINUSE
    assert bind_errno("127.0.0.1", port) is None
    assert bind_errno("192.0.2.1", port) == errno.EADDRNOTAVAIL


def base_in(tmp_path: Path) -> Base:
    settings = Settings(server={"state_dir": tmp_path / "state"})
    return Base(settings, Layout.of(settings))


def test_this_machine_is_looked_at_without_changing_anything(tmp_path: Path) -> None:
    facts = gather(base_in(tmp_path))
    assert facts.sandbox_error is None
    assert facts.limits
    assert facts.memory_mb > 100
    assert facts.uid == os.geteuid()
    assert facts.state_acls, "teams' folders are tested on this file system"
    assert list(tmp_path.iterdir()) == []


def test_two_can_not_run_one_base(tmp_path: Path) -> None:
    base = base_in(tmp_path)
    base.layout.prepare()
    first, second = RunLock(base.layout), RunLock(base.layout)
    assert second.holder() is None
    first.take()
    assert second.holder() == os.getpid()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        second.take()


def test_someone_who_only_asks_does_not_keep_a_base_from_starting(tmp_path: Path) -> None:
    base = base_in(tmp_path)
    base.layout.prepare()
    lock = RunLock(base.layout)
    asking = lock.path.open("a+")
    fcntl.flock(asking, fcntl.LOCK_SH)
    answered = threading.Timer(0.2, asking.close)
    answered.start()
    lock.take()
    answered.join()
    assert lock.holder() == os.getpid()


def test_whoever_has_just_taken_the_lock_is_named_once_it_has_said_its_number(
    tmp_path: Path,
) -> None:
    base = base_in(tmp_path)
    base.layout.prepare()
    lock = RunLock(base.layout)
    with lock.path.open("a+") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        threading.Timer(0.2, lock.path.write_text, ["4711"]).start()
        assert lock.holder() == 4711
