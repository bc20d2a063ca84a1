"""Talking to the portal from inside a person's server, through a network that may fail."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from ulab_core.errors import UserError
from ulab_core.i18n import mark

PAUSES_S = (0.5, 1.5, 4.0)
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
# What a proxy answers while the portal is restarted.
AWAY = frozenset({502, 503, 504})


class PortalAway(UserError):
    """The portal gave no answer, however often it was asked."""

    status = 503


class PortalRefused(UserError):
    """The portal said no; its sentence is in the reader's language already."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__("{sentence}", sentence=sentence)
        self.status = status


def language() -> str:
    """The language of the person whose server this is."""
    return os.environ.get("ULAB_LANGUAGE", "zh")


class PortalClient:
    """The portal's HTTP API, used with the server's own hub token.

    Parameters
    ----------
    url
        The portal's address; None means ``ULAB_PORTAL_URL``.
    token
        A hub token with access to the portal; None means ``JUPYTERHUB_API_TOKEN``.
    pauses_s
        How long to wait before each further try when there is no answer. Every request may be
        repeated safely: the portal gives the same bytes the same receipt.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        pauses_s: tuple[float, ...] = PAUSES_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = (url or os.environ.get("ULAB_PORTAL_URL", "")).rstrip("/")
        self._token = token or os.environ.get("JUPYTERHUB_API_TOKEN", "")
        self._pauses_s = pauses_s
        self._transport = transport

    def get(self, *path: str, **query: str) -> Any:
        return self._ask("GET", path, params=query).json()

    def get_bytes(self, *path: str) -> bytes:
        return self._ask("GET", path).content

    def post(self, *path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask("POST", path, json=body or {}).json()

    def post_bytes(self, *path: str, content: bytes, **query: str) -> Any:
        headers = {"content-type": "application/x-ipynb+json"}
        return self._ask("POST", path, content=content, params=query, headers=headers).json()

    def _ask(self, method: str, path: tuple[str, ...], **options: Any) -> httpx.Response:
        if not self.url:
            raise PortalAway(mark("This server does not know the portal's address."))
        address = "/".join([self.url, "api", *(quote(part, safe="") for part in path)])
        headers = {
            "authorization": f"token {self._token}",
            "accept": "application/json",
            "accept-language": language(),
            **options.pop("headers", {}),
        }
        with httpx.Client(timeout=TIMEOUT, transport=self._transport) as client:
            for pause in (*self._pauses_s, None):
                try:
                    answer = client.request(method, address, headers=headers, **options)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code not in AWAY:
                    break
                if pause is None:
                    raise PortalAway(
                        mark(
                            "The portal can't be reached just now. Nothing was lost: wait a "
                            "moment and try again."
                        )
                    )
                time.sleep(pause)
        assert answer is not None
        if answer.is_success:
            return answer
        raise PortalRefused(_sentence(answer), answer.status_code)


def _sentence(answer: httpx.Response) -> str:
    try:
        found = answer.json().get("error")
    except (ValueError, AttributeError):
        found = None
    return found if isinstance(found, str) and found else f"{answer.status_code}"
