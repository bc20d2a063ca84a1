"""JupyterHub's configuration, made from the settings."""

from __future__ import annotations

from typing import Any

from ulab_core.layout import Layout
from ulab_core.models import PERSON_NAME
from ulab_core.programs import PROXY, node
from ulab_core.settings import Settings
from ulab_hub.accounts import hub_database_url
from ulab_hub.roles import PORTAL, SERVER_TOKEN_SCOPES, roles
from ulab_hub.services import prefix, routes, services, socket_url

FAILED_LOGINS = 5
LOCKED_S = 300
START_S = 120
NAMED_SERVERS = 20  # more courses than anyone grades


def configure(c: Any, settings: Settings) -> None:
    """Set everything that JupyterHub needs to know.

    Parameters
    ----------
    c
        The configuration object of a ``jupyterhub_config.py``.
    """
    layout = Layout.of(settings)
    _set_addresses(c, settings, layout)
    _set_proxy(c, layout)
    _set_accounts(c, settings)
    _set_servers(c, settings)
    c.JupyterHub.load_roles = roles()
    c.JupyterHub.services = services(settings)
    c.JupyterHub.default_url = prefix(PORTAL)
    # Ctrl-C ends everything; a killed hub leaves the servers running and finds them again.
    c.JupyterHub.cleanup_servers = True
    c.JupyterHub.cleanup_proxy = True


def _set_addresses(c: Any, settings: Settings, layout: Layout) -> None:
    server = settings.server
    c.JupyterHub.bind_url = f"http://{_bracketed(server.host)}:{server.port}/"
    if server.public_url:
        c.JupyterHub.public_url = server.browser_url + "/"
    c.JupyterHub.hub_bind_url = socket_url(layout.socket_dir / "hub.sock")
    c.JupyterHub.hub_connect_url = c.JupyterHub.hub_bind_url
    c.JupyterHub.db_url = hub_database_url(layout)
    c.JupyterHub.cookie_secret_file = str(layout.hub / "cookie_secret")
    c.JupyterHub.tornado_settings = {
        "cookie_options": {"samesite": "Lax", **_only_https(server.public_url)}
    }


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _only_https(public_url: str) -> dict[str, bool]:
    return {"secure": True} if public_url.startswith("https:") else {}


def _set_proxy(c: Any, layout: Layout) -> None:
    c.JupyterHub.proxy_class = "ulab_hub.proxy.SocketProxy"
    proxy = c.SocketProxy
    proxy.extra_routes = routes(layout)
    proxy.command = [str(node()), str(PROXY)]
    proxy.api_url = socket_url(layout.socket_dir / "proxy-api.sock")
    proxy.pid_file = str(layout.run / "proxy.pid")
    proxy.log_level = "warn"


def _set_accounts(c: Any, settings: Settings) -> None:
    accounts = settings.accounts
    c.JupyterHub.authenticator_class = "ulab_hub.authenticator.ULabAuthenticator"
    c.Authenticator.admin_users = {accounts.admin}
    c.Authenticator.allow_all = True  # NativeAuthenticator itself lets in whom it has approved
    c.Authenticator.username_pattern = f"^{PERSON_NAME.pattern}$"
    c.NativeAuthenticator.minimum_password_length = accounts.password_length
    c.NativeAuthenticator.check_common_password = True
    c.NativeAuthenticator.allowed_failed_logins = FAILED_LOGINS
    c.NativeAuthenticator.seconds_before_next_try = LOCKED_S
    c.NativeAuthenticator.open_signup = accounts.open_signup


def _set_servers(c: Any, settings: Settings) -> None:
    c.JupyterHub.spawner_class = "ulab_hub.spawner.SandboxSpawner"
    c.JupyterHub.allow_named_servers = True  # the spawner refuses all but a course's grading one
    c.JupyterHub.named_server_limit_per_user = NAMED_SERVERS
    c.Spawner.hub_connect_url = settings.server.local_url
    c.Spawner.server_token_scopes = SERVER_TOKEN_SCOPES
    c.Spawner.disable_user_config = True
    c.Spawner.start_timeout = START_S
    c.Spawner.http_timeout = START_S
    c.Spawner.default_url = "/lab"
    c.LocalProcessSpawner.term_timeout = 10
