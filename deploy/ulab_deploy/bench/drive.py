"""The students of a measurement: each starts a server and runs a first cell, all at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from tornado.httpclient import HTTPError as SocketError
from tornado.websocket import WebSocketError

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_deploy.bench.hub_process import SPAWN_PATIENCE_S, Hub
from ulab_deploy.bench.kernel_client import run_first_cell

POLL_S = 0.1
TOKENS_AT_ONCE = 8
BUSY_HUB = 429
BAD_GATEWAYS = (404, 424, 502, 503)

Watch = Callable[[str], None]


class HubRefused(UserError):
    """The hub did not let the measurement begin."""

    exit_code = 4


class StudentFailed(UserError):
    """One student's server did not start or answer."""


@dataclass
class Visit:
    """What one student lived through.

    Attributes
    ----------
    server_s, torch_cell_s
        Seconds from the request to start; None when it did not come to that.
    """

    student: str
    server_s: float | None = None
    torch_cell_s: float | None = None
    failure: UserError | None = None


@dataclass
class Crowd:
    """The students of one side.

    Parameters
    ----------
    hub
        Where they have accounts.
    watch
        Called with "server" and "cell" when a student has come so far.
    """

    hub: Hub
    students: Sequence[str]
    watch: Watch
    patience_s: float = SPAWN_PATIENCE_S
    tokens: dict[str, str] = field(default_factory=dict)

    async def visit(self) -> list[Visit]:
        """Let them all come at once; nobody's failure stops the others."""
        async with self._client() as client:
            await self._enrol(client)
            return list(
                await asyncio.gather(*(self._visit(client, name) for name in self.students))
            )

    async def roots(self) -> dict[str, int]:
        """The outermost process of each student's server that runs."""
        found = {}
        async with self._client() as client:
            for student in self.students:
                try:
                    answer = await client.get(self._api(f"users/{student}"), headers=self._headers)
                except httpx.HTTPError:
                    continue
                servers = answer.json().get("servers", {}) if answer.is_success else {}
                state = servers.get("", {}).get("state") or {}
                if "pid" in state:
                    found[student] = int(state["pid"])
        return found

    def _client(self) -> httpx.AsyncClient:
        # A proxy of the environment has no business between us and our own machine.
        return httpx.AsyncClient(
            timeout=self.patience_s,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            trust_env=False,
        )

    def _api(self, path: str) -> str:
        return f"{self.hub.url}/hub/api/{path}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.hub.token}"}

    async def _enrol(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(
            self._api("users"), headers=self._headers, json={"usernames": list(self.students)}
        )
        _require(answer)
        turn = asyncio.Semaphore(TOKENS_AT_ONCE)

        async def give(student: str) -> None:
            async with turn:
                said = await client.post(
                    self._api(f"users/{student}/tokens"),
                    headers=self._headers,
                    json={"scopes": [f"access:servers!user={student}"]},
                )
            _require(said)
            self.tokens[student] = said.json()["token"]

        await asyncio.gather(*map(give, self.students))

    async def _visit(self, client: httpx.AsyncClient, student: str) -> Visit:
        visit = Visit(student)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.patience_s):
                await self._start(client, student)
                await self._until_it_answers(client, student)
                visit.server_s = time.monotonic() - began
                self.watch("server")
                token = self.tokens[student]
                await run_first_cell(client, self.hub.url, student, token, self.patience_s)
                visit.torch_cell_s = time.monotonic() - began
                self.watch("cell")
        except UserError as error:
            visit.failure = error
        except TimeoutError:
            visit.failure = StudentFailed(
                mark("{student} had no answer within {seconds} s."),
                student=student,
                seconds=round(self.patience_s),
            )
        except (httpx.HTTPError, SocketError, WebSocketError, OSError, ValueError) as error:
            visit.failure = self._failed(student, f"{type(error).__name__}: {error}")
        return visit

    async def _start(self, client: httpx.AsyncClient, student: str) -> None:
        url = self._api(f"users/{student}/server")
        while True:
            answer = await client.post(url, headers=self._headers, json={})
            if answer.status_code != BUSY_HUB:
                break
            # Too many start at this moment; a browser is told to come again too.
            await asyncio.sleep(float(answer.headers.get("Retry-After", 5)))
        if answer.status_code == 202:
            await self._follow(client, student)
        elif answer.status_code != 201:
            raise self._failed(student, _message(answer))

    async def _follow(self, client: httpx.AsyncClient, student: str) -> None:
        url = self._api(f"users/{student}/server/progress")
        async with client.stream("GET", url, headers=self._headers) as answer:
            async for line in answer.aiter_lines():
                event = json.loads(line[5:]) if line.startswith("data:") else {}
                if event.get("ready"):
                    return
                if event.get("failed"):
                    raise self._failed(student, event.get("message", ""))
        raise StudentFailed(
            mark("The hub never said whether the server of {student} started."), student=student
        )

    async def _until_it_answers(self, client: httpx.AsyncClient, student: str) -> None:
        headers = {"Authorization": f"token {self.tokens[student]}"}
        url = f"{self.hub.url}/user/{student}/api"
        while True:
            answer = await client.get(url, headers=headers)
            if answer.status_code == 200:
                return
            if answer.status_code not in BAD_GATEWAYS:
                raise self._failed(student, _message(answer))
            await asyncio.sleep(POLL_S)

    def _failed(self, student: str, reason: str) -> StudentFailed:
        return StudentFailed(
            mark("The server of {student} did not start: {reason}"), student=student, reason=reason
        )


def _require(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise HubRefused(
            mark("The hub to be measured does not take the students: {reason}"),
            reason=_message(answer),
        )


def _message(answer: httpx.Response) -> str:
    """What an answer says went wrong."""
    try:
        said: Any = answer.json()
    except ValueError:
        said = None
    detail = said.get("message") if isinstance(said, dict) else None
    return f"HTTP {answer.status_code}" + (f", {detail}" if detail else "")
