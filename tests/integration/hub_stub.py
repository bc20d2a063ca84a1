"""The hub's identity and OAuth endpoints on a unix socket, for tests of services alone."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import uvicorn
from jupyterhub.services.auth import HubOAuth
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class StubHub:
    """Knows tokens and OAuth codes; checks PKCE as the real one does."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path
        self.tokens: dict[str, dict[str, object]] = {}
        self.codes: dict[str, tuple[str, str]] = {}
        self.asked = 0
        self.app = Starlette(
            routes=[
                Route("/hub/api/user", self._user),
                Route("/hub/api/oauth2/token", self._exchange, methods=["POST"]),
            ]
        )

    @property
    def api_url(self) -> str:
        return f"http+unix://{quote(str(self.socket_path), safe='')}/hub/api"

    def give_token(
        self, name: str, *, service: str = "tested", admin: bool = False, kind: str = "user"
    ) -> str:
        token = secrets.token_hex(16)
        scopes = [f"access:services!service={service}"] if service else []
        self.tokens[token] = {"kind": kind, "name": name, "admin": admin, "scopes": scopes}
        return token

    def give_code(self, token: str, challenge: str) -> str:
        """What the hub's authorize page does once the person has logged in."""
        code = secrets.token_hex(8)
        self.codes[code] = (token, challenge)
        return code

    def login(self, service: str) -> HubOAuth:
        """What the hub's environment tells the service `service`."""
        prefix = f"/services/{service}/"
        return HubOAuth(
            api_url=self.api_url,
            api_token="service-secret",
            base_url=prefix,
            hub_prefix="/hub/",
            oauth_client_id=f"service-{service}",
            oauth_redirect_uri=f"{prefix}oauth_callback",
            access_scopes={f"access:services!service={service}"},
            cache_max_age=30,
        )

    async def _user(self, request: Request) -> Response:
        self.asked += 1
        token = request.headers.get("authorization", "").removeprefix("token ")
        model = self.tokens.get(token)
        return JSONResponse(model) if model else JSONResponse({"message": "Forbidden"}, 403)

    async def _exchange(self, request: Request) -> Response:
        form = await request.form()
        token, challenge = self.codes.pop(str(form.get("code")), ("", ""))
        verifier = str(form.get("code_verifier", "")).encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).decode().rstrip("=")
        if not token or digest != challenge or form.get("client_secret") != "service-secret":
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": token})


@contextmanager
def serve(app: object, **where: object) -> Iterator[uvicorn.Server]:
    """Run an ASGI application in a thread until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", **where))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the application did not start")
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def stub_hub(folder: Path) -> Iterator[StubHub]:
    hub = StubHub(folder / "hub.sock")
    with serve(hub.app, uds=str(hub.socket_path)):
        yield hub


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
