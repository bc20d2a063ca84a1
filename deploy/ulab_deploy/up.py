"""`ulab up`: check the machine, prepare the state, then serve until told to stop."""

from __future__ import annotations

import http.client
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from ulab_core.programs import CHECKOUT
from ulab_core.serving import service_socket
from ulab_deploy import console
from ulab_deploy.base import Base, RunLock, open_base
from ulab_deploy.console import say, t, warn
from ulab_deploy.doctor import examine
from ulab_deploy.facts import gather
from ulab_deploy.findings import Level, require_fit
from ulab_deploy.prepare import Prepared, has_demonstration, prepare
from ulab_deploy.supervisor import Supervisor
from ulab_hub.services import settings_environment

HUB_CONFIG = CHECKOUT / "hub" / "ulab_hub" / "config.py"
PORTAL = "/services/ulab/"
# It asks a visitor to log in; 404 and 503 come from the proxy and the hub while it starts.
PORTAL_IS_UP = (200, 302, 303, 401, 403)
ANSWER_S = 5.0


def up() -> None:
    """Serve the base of the settings in force.

    Raises
    ------
    BadSettings, Unfit, AlreadyRunning, HubFailed
    """
    base = open_base()
    lock = RunLock(base.layout)
    lock.refuse_if_held()
    findings = examine(gather(base))
    require_fit(findings)
    for finding in findings:
        if finding.level is Level.WARNING:
            warn(f"! {finding.sentence(t)} {finding.what_to_do(t)}")
    # The state directory is closed to others as a whole; inside, students read what they're shown.
    os.umask(0o022)
    base.layout.prepare()
    lock.take()
    prepared = prepare(base)
    for warning in prepared.warnings:
        warn(f"! {warning}")
    say(t("Starting the hub…"))
    _supervisor(base, prepared).run(on_stop=lambda: say(t("Stopping…")))
    say(t("Stopped."))


def _supervisor(base: Base, prepared: Prepared) -> Supervisor:
    log = base.layout.logs / "hub.log"
    return Supervisor(
        command=[sys.executable, "-P", "-m", "ulab_hub.app", "-f", str(HUB_CONFIG)],
        env={**os.environ, **settings_environment(base.settings, os.environ, Path.cwd())},
        cwd=base.layout.hub,
        log=log,
        is_ready=lambda: serves(base),
        on_wait=lambda seconds: say(f"  {seconds} s: {awaited(base)}"),
        on_ready=lambda: _announce(base, prepared),
        on_death=lambda status: warn(
            t("The hub ended unexpectedly ({status}); starting it again. See {log}.",
              status=status, log=log)
        ),
    )  # fmt: skip


def serves(base: Base) -> bool:
    """Whether the hub and the portal answer through the proxy."""
    # Each is asked on its own socket first: until then the proxy would log every question.
    return (
        hub_answers(base)
        and portal_answers(base)
        and answers(base, "/hub/health") == 200
        and answers(base, PORTAL) in PORTAL_IS_UP
    )


def awaited(base: Base) -> str:
    """What a base that does not serve yet waits for."""
    if not hub_answers(base):
        return t("waiting for the hub to answer")
    if not portal_answers(base):
        return t("waiting for the portal to answer")
    return t("waiting for the proxy to let both be reached")


def hub_answers(base: Base) -> bool:
    """Whether the hub is up, though perhaps not yet behind the proxy."""
    connection = _SocketConnection(base.layout.socket_dir / "hub.sock")
    return _status(connection, "/hub/health") == 200


def portal_answers(base: Base) -> bool:
    """Whether the portal is up."""
    connection = _SocketConnection(service_socket(base.layout, "ulab"))
    return _status(connection, PORTAL) is not None


def answers(base: Base, path: str) -> int | None:
    """The HTTP status of a path of the site, or None when nobody answers."""
    where = urlsplit(base.settings.server.local_url)
    connection = http.client.HTTPConnection(
        where.hostname or "127.0.0.1", where.port, timeout=ANSWER_S
    )
    return _status(connection, path)


def _status(connection: http.client.HTTPConnection, path: str) -> int | None:
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(str(self._path))


def _announce(base: Base, prepared: Prepared) -> None:
    say()
    say(
        t(
            "{site} serves on {url}",
            site=base.settings.site.name,
            url=base.settings.server.browser_url,
        )
    )
    say()
    say(t("Who can log in:"))
    for line in console.table(who(base, prepared)):
        say(f"  {line}")
    say(t("First passwords are kept in {file}.", file=base.layout.first_passwords))
    say(t("Ctrl-C stops everything."))
    _tell_systemd("READY=1")


def who(base: Base, prepared: Prepared) -> list[tuple[str, str, str]]:
    """Rows of name, role and, when it was made now, password."""
    from ulab_deploy import demo

    roles = {base.settings.accounts.admin: t("administrator")}
    if has_demonstration(base.settings):
        words = {"instructor": t("instructor"), "student": t("student")}
        roles |= {name: words[role] for name, role in demo.ACCOUNTS.items()}
    return [(name, role, prepared.passwords.get(name, "")) for name, role in roles.items()]


def _tell_systemd(message: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect("\0" + address[1:] if address.startswith("@") else address)
        notify.sendall(message.encode())
