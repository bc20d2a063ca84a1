"""A student's own Jupyter server, asked with the student's own token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from ulab_core.errors import UserError
from ulab_core.i18n import mark

START_TIMEOUT_S = 10.0
SUBMIT_TIMEOUT_S = 120.0
MOST_BYTES = 1024 * 1024
_SILENT = mark("Your server did not answer. Nothing was submitted; try again in a moment.")


class ServerProblem(UserError):
    """The student's server can't be reached, started or understood."""

    status = 502


class ServerState(StrEnum):
    STOPPED = "stopped"
    STOPPING = "stopping"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True)
class OwnServer:
    """One person's default server, seen through the base's public address.

    Parameters
    ----------
    address
        Where this machine reaches the proxy, without a slash at the end.
    base
        The base's path, with a slash at both ends.
    person
        Whose server.
    token
        The person's own token: the server is the student's, so it gets nobody else's.
    hub_token
        The portal's token, which only ever goes to the hub.
    """

    address: str
    base: str
    person: str
    token: str = field(repr=False)
    hub_token: str = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None

    async def state(self) -> ServerState:
        """Whether the server runs, is on its way, or neither."""
        reply = await self._ask("GET", self._hub_user, self.hub_token, START_TIMEOUT_S)
        if reply.status_code != 200:
            raise ServerProblem(mark("The hub doesn't say whether your server runs. Try again."))
        server = reply.json().get("servers", {}).get("", {})
        if server.get("ready"):
            return ServerState.READY
        if server.get("pending") == "stop":
            return ServerState.STOPPING
        return ServerState.STARTING if server.get("pending") else ServerState.STOPPED

    async def start(self, profile: str) -> None:
        """Ask the hub to start it; no matter when it is on its way already."""
        reply = await self._ask(
            "POST",
            f"{self._hub_user}/server",
            self.hub_token,
            START_TIMEOUT_S,
            json={"user_options": {"profile": profile}},
        )
        if reply.status_code not in (201, 202, 400):
            said = _said(reply)
            raise ServerProblem(
                mark("Your server did not start. {reason}"), reason=said or reply.status_code
            )

    async def submit(self, course: str, assignment: str) -> dict[str, Any]:
        """Have the server hand in the notebook as it was last saved, and return the receipt."""
        reply = await self._ask(
            "POST",
            f"user/{quote(self.person)}/ulab/submit",
            self.token,
            SUBMIT_TIMEOUT_S,
            json={"course": course, "assignment": assignment},
        )
        if reply.is_success:
            receipt: dict[str, Any] = reply.json()
            return receipt
        said = _said(reply)
        if said:
            raise ServerRefused(said, reply.status_code)
        raise ServerProblem(_SILENT)

    @property
    def _hub_user(self) -> str:
        return f"hub/api/users/{quote(self.person)}"

    async def _ask(
        self, method: str, path: str, token: str, timeout: float, json: object = None
    ) -> httpx.Response:
        # A student can have their server answer anything, for ever.
        try:
            async with (
                asyncio.timeout(timeout),
                httpx.AsyncClient(timeout=timeout, transport=self.transport) as client,
                client.stream(
                    method,
                    f"{self.address}{self.base}{path}",
                    json=json,
                    headers={"authorization": f"token {token}", "accept-encoding": "identity"},
                ) as reply,
            ):
                content = bytearray()
                async for part in reply.aiter_bytes():
                    content += part
                    if len(content) > MOST_BYTES:
                        raise ServerProblem(_SILENT)
                return httpx.Response(reply.status_code, content=bytes(content))
        except (httpx.HTTPError, TimeoutError):
            raise ServerProblem(_SILENT) from None


class ServerRefused(UserError):
    """The server's own sentence, already in the student's language."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__("{sentence}", sentence=sentence)
        self.status = status if 400 <= status < 500 else 502


def _said(reply: httpx.Response) -> str:
    """The sentence in a refusal's JSON, if there is one."""
    try:
        body = reply.json()
    except ValueError:
        return ""
    said = body.get("error") or body.get("message") if isinstance(body, dict) else ""
    return said if isinstance(said, str) else ""


def open_address(base: str, person: str, course: str, assignment: str, profile: str) -> str:
    """The link that opens a lab in JupyterLab, whether the server runs or not.

    The hub sends a running server's owner straight on to ``next`` and shows the start's progress
    otherwise.
    """
    wanted = urlencode({"course": course, "assignment": assignment})
    target = f"{base}user/{quote(person)}/ulab/open?{wanted}"
    query = urlencode({"opt-profile": profile, "next": target})
    return f"{base}hub/spawn/{quote(person)}?{query}"


def formgrader_address(base: str, person: str, course: str, assignment: str = "") -> str:
    """The link that opens nbgrader's formgrader in the course's own server, where one grades.

    Parameters
    ----------
    assignment
        Whose submissions to show; empty for the list of assignments.
    """
    # A lab has one notebook, called like it.
    place = f"/{quote(assignment)}/{quote(assignment)}" if assignment else ""
    return _in_formgrader(base, person, course, f"gradebook{place}")


def submission_address(base: str, person: str, course: str, notebook: str, cell: str) -> str:
    """The link that opens one submission in formgrader, at the points of a cell.

    Parameters
    ----------
    notebook
        The submission's notebook, by its id in the gradebook.
    """
    return _in_formgrader(base, person, course, f"submissions/{quote(notebook)}#{quote(cell)}")


def _in_formgrader(base: str, person: str, course: str, place: str) -> str:
    name = quote(person)
    target = f"{base}user/{name}/grade-{course}/formgrader/{place}"
    query = urlencode({"opt-profile": "cpu", "next": target})
    return f"{base}hub/spawn/{name}/grade-{course}?{query}"
