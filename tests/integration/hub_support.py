"""A real hub on a free port with a state directory of its own, for tests that need one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from integration.hub_stub import free_port
from jupyterhub import orm
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from ulab_core.database import Database, upgrade
from ulab_core.layout import Layout
from ulab_core.process import descendants
from ulab_core.settings import Settings
from ulab_hub.accounts import Accounts

PASSWORD = "correct horse 7 battery"
READY_S = 60
CONFIG = """
from pathlib import Path
import ulab_hub.configuration as configuration
load_subconfig(str(Path(configuration.__file__).with_name("config.py")))
wanted = {services!r}
if wanted is not None:
    c.JupyterHub.services = [s for s in c.JupyterHub.services if s["name"] in wanted]
    present = {{s["name"] for s in c.JupyterHub.services}}
    c.JupyterHub.load_roles = [
        role for role in c.JupyterHub.load_roles if present.issuperset(role.get("services", ()))
    ]
    if "ulab" not in present:
        c.JupyterHub.default_url = "/hub/home"
{extra}
"""


class HubClient(httpx.Client):
    """A browser without a screen: keeps cookies, and can send what the hub's pages send."""

    @property
    def xsrf(self) -> str:
        """The token that a request which changes something in the hub has to carry."""
        return self.xsrf_of("/hub/")

    def xsrf_of(self, path: str) -> str:
        """The token of a part of the site, such as ``/user/ann/``, once a page of it was read."""
        found = [c.value for c in self.cookies.jar if (c.name, c.path) == ("_xsrf", path)]
        return found[-1] or "" if found else ""

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        self.get("/hub/login")
        return self.post(
            "/hub/login",
            data={"_xsrf": self.xsrf, "username": name, "password": password},
            follow_redirects=False,
        )

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the hub's API, as its own pages do, in English."""
        headers = {
            "X-XSRFToken": self.xsrf,
            "Referer": f"{self.base_url}/hub/home",
            "Accept-Language": "en",
            **more.pop("headers", {}),
        }
        return self.request(method, f"/hub/api/{path.lstrip('/')}", headers=headers, **more)


class Base:
    """A running base.

    Attributes
    ----------
    url
        The proxy's address, without a slash at the end.
    """

    def __init__(
        self, folder: Path, services: Iterable[str] | None, extra_config: str, **settings: Any
    ) -> None:
        self.folder = folder
        server = {"port": free_port(), "state_dir": folder / "state", **settings.pop("server", {})}
        self.settings = Settings(server=server, **settings)
        self.layout = Layout.of(self.settings)
        self.layout.prepare()
        upgrade(self.settings)
        self.database = Database.of(self.settings)
        self.url = self.settings.server.local_url
        self.toml = folder / "ulab.toml"
        self.toml.write_text(as_toml(self.settings))
        self.config = folder / "hub_config.py"
        names = None if services is None else sorted(services)
        self.pages = [name for name in ("ulab", "mlflow") if names is None or name in names]
        self.config.write_text(CONFIG.format(services=names, extra=extra_config))
        self.log = folder / "hub.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._clients: list[HubClient] = []

    def start(self) -> None:
        """Start the hub, also after it was killed, and wait until it answers."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ULAB_")
        }
        environment["ULAB_CONFIG"] = str(self.toml)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ulab_hub.app", "-f", str(self.config)],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        waiting = ["/hub/health", *(f"/services/{name}/" for name in self.pages)]
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            waiting = [path for path in waiting if not self._answers(path)]
            if not waiting:
                return
            time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"the hub did not start:\n{self.log_text()[-6000:]}")

    def _answers(self, path: str) -> bool:
        try:
            # A service may ask for a login; 404 and 503 come from the proxy and the hub.
            return httpx.get(f"{self.url}{path}", timeout=5).status_code not in (404, 502, 503)
        except httpx.HTTPError:
            return False

    def kill_hub(self) -> None:
        """End the hub as a crash would: at once, and with no chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Stop everything, as Ctrl-C does."""
        for client in self._clients:
            client.close()
        process = self.process
        if process is None:
            return
        below = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process = None

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def create_user(self, name: str, password: str = PASSWORD) -> None:
        """Give someone an account that can log in."""
        Accounts(self.settings).create({name: password})

    def client(self, name: str | None = None, password: str = PASSWORD, **more: Any) -> HubClient:
        """A browser, with this person logged in if one is named."""
        headers = {"Accept": "text/html,application/json;q=0.9", **more.pop("headers", {})}
        client = HubClient(
            base_url=self.url, follow_redirects=True, timeout=60, headers=headers, **more
        )
        self._clients.append(client)
        if name is not None:
            answer = client.log_in(name, password)
            assert answer.status_code == 302, answer.text
            client.get("/hub/home")
        return client

    def api_token(self, name: str, scopes: Iterable[str] = ("inherit",)) -> str:
        """A token of this person, as the hub's token page would give."""
        client = self.client(name)
        answer = client.api("POST", f"users/{name}/tokens", json={"scopes": list(scopes)})
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def start_server(
        self, client: HubClient, name: str, server: str = "", options: dict[str, Any] | None = None
    ) -> None:
        """Start a person's server and wait until it answers."""
        path = f"users/{name}/servers/{server}" if server else f"users/{name}/server"
        answer = client.api("POST", path, json={"user_options": options or {}})
        assert answer.status_code in (201, 202), answer.text
        self.wait_for_server(client, name, server)

    def wait_for_server(self, client: HubClient, name: str, server: str = "") -> None:
        """Wait until a server that was asked for answers."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            found = client.api("GET", f"users/{name}").json()["servers"].get(server)
            if found and found["ready"]:
                return
            if not found:
                break
            time.sleep(0.3)
        raise AssertionError(f"the server of {name} did not start:\n{self.server_log(name)}")

    def server_state(self, name: str, server: str = "") -> dict[str, Any]:
        """What the hub remembers of a person's server, for its next life."""
        engine = create_engine(f"sqlite:///{self.layout.hub_database}")
        with Session(engine) as session:
            row = session.scalar(
                select(orm.Spawner)
                .join(orm.User, orm.User.id == orm.Spawner.user_id)
                .where(orm.User.name == name, orm.Spawner.name == server)
            )
            state: dict[str, Any] = (row and row.state) or {}
        engine.dispose()
        return state

    def server_log(self, name: str, server: str = "") -> str:
        path = self.layout.logs / "servers" / f"{name}@{server}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def as_toml(settings: Settings) -> str:
    """The settings as a file's content."""
    lines = []
    for section, values in settings.model_dump(mode="json").items():
        lines.append(f"[{section}]")
        for key, value in values.items():
            if isinstance(value, bool):
                value = str(value).lower()
            elif isinstance(value, str):
                value = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
            if value is not None:
                lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def start_base(
    folder: Path,
    *,
    services: Iterable[str] | None = None,
    extra_config: str = "",
    **settings: Any,
) -> Base:
    """Start a base and wait until its hub answers; the caller stops it.

    Parameters
    ----------
    folder
        An empty folder for state, log and configuration.
    services
        Which of the hub's services run; None means all.
    extra_config
        More lines of ``jupyterhub_config.py``.
    **settings
        Sections of the settings, such as ``limits={"memory_mb": 1024}``.
    """
    base = Base(folder, services, extra_config, **settings)
    base.start()
    return base


def refuses_connections(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
