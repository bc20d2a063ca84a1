"""What keeps other sites and student-made content from acting in the portal's pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ulab_core.errors import NotAllowed, UserError
from ulab_core.i18n import mark

HEADER = "x-csrf-token"
FIELD = "csrf"
MAX_AGE_S = 7 * 24 * 3600
MOST_LET_GO = 512 * 1024 * 1024
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A student made it: it may look like something, but it may do nothing, and its origin is nobody's.
STUDENT_CONTENT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
)
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class StalePage(NotAllowed):
    """A form was sent that no page of this person's made, or one that was open for too long."""


class Tokens:
    """Tokens that a page's forms carry, good for the person they were made for alone."""

    def __init__(self, key: bytes) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="page-form")

    def make(self, person: str) -> str:
        return self._signer.dumps(person)

    async def check(self, request: Request, person: str) -> None:
        """Refuse a request whose token is missing, forged, too old or another person's.

        Raises
        ------
        StalePage
            It is.
        """
        token = request.headers.get(HEADER)
        if token is None:
            token = (await request.form()).get(FIELD)  # type: ignore[assignment]
        try:
            good = self._signer.loads(str(token or ""), max_age=MAX_AGE_S) == person
        except BadSignature:
            good = False
        if not good:
            raise StalePage(mark("This page was open too long. Reload it and try again."))


class SafeHeaders:
    """Adds the headers every answer has, unless the answer has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in HEADERS.items()
                        if name.encode() not in present
                    ),
                ]
            await send(message)

        await self._app(scope, receive, add)


class SmallBodies:
    """Refuses a body over the limit before anything keeps it, whoever sent it.

    The framework reads a form or JSON to its end before it asks who is there, and puts a file on
    the disk while it comes.

    Parameters
    ----------
    refuse
        Raises a `UserError` for a body of so many bytes that is too large for any page.
    answer
        Makes the answer of such an error.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: Callable[[int], None],
        answer: Callable[[Request, UserError], Awaitable[Response]],
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            self._refuse(int(announced) if announced.isdigit() else 0)
        except UserError as error:
            await _let_go(receive, int(announced))
            response = await self._answer(Request(scope), error)
            await response(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            try:
                self._refuse(size)
            except UserError as error:
                # The only kind that the framework lets through while it reads a body.
                raise HTTPException(error.status, str(error)) from None
            return message

        await self._app(scope, counted, send)


async def _let_go(receive: Receive, size: int) -> None:
    """Read a body and forget it: a browser reads the answer only once it has sent all."""
    if size > MOST_LET_GO:
        return
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
