"""What one visitor may take of a node: requests a second and at once, bytes, and time to send them.

A visitor is an address, and a member with a session is one of its own: friends who watch a match together come from one
address. Whoever takes more waits, and is then told so with a code and a sentence; everybody else is served meanwhile.
"""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Lock

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tessera.club.page import HEADERS, SECURE
from tessera.club.refusals import RefusedError
from tessera.club.rpc import MOST_BYTES as MOST_RPC_BYTES
from tessera.club.settings import Limits
from tessera.index.limits import Allowance, household

MOST_BYTES = 16_384  # of a request's body
BODY_SECONDS = 10.0  # in which it has to be here
STREAM = "/events"  # counted apart: it lasts
WITH_BODY = ("POST", "PUT", "PATCH")
MOST_WAITING = 256  # requests of a visitor, beside those that are under way
WAITING_SECONDS = 10.0
MOST_SESSIONS = 10_000  # that are remembered
MEMBER = "tessera.member"  # in a request's scope


class Sessions:
    """Whose sessions were used here lately; it decides whose limits are meant, and nothing else. Any thread."""

    def __init__(self, cookie: str):
        """`cookie`: its name."""
        self._cookie, self._lock, self._members = cookie, Lock(), OrderedDict[str, str]()

    def note(self, token: str, account: str) -> None:
        """Remembers whose a session is that was looked up."""
        with self._lock:
            self._members[token] = account
            self._members.move_to_end(token)
            if len(self._members) > MOST_SESSIONS:
                self._members.popitem(last=False)

    def member(self, scope: Scope) -> str | None:
        """Whose session a request has, as far as it is known."""
        for name, value in scope["headers"]:
            if name == b"cookie":
                return self._members.get(cookie_parser(value.decode("latin-1")).get(self._cookie, ""))
        return None


def visitor(scope: Scope) -> str:
    """Who asks, as far as limits go: a member, else a household."""
    if member := scope.get(MEMBER):
        return member
    return household((scope.get("client") or ("",))[0])


class Room:
    """Where the requests of one visitor are answered, so many at once, and the others wait."""

    def __init__(self, at_once: int):
        self.places, self.inside = asyncio.Semaphore(at_once), 0


class Door:
    """Around an app: limits, sizes and headers of every answer."""

    def __init__(self, app: ASGIApp, limits: Limits, sessions: Sessions, *, secure: bool):
        """`secure`: members come by https."""
        self._app, self._limits, self._sessions = app, limits, sessions
        self._requests = Allowance(limits.requests)
        self._rooms: dict[str, Room] = {}
        headers = {**HEADERS, **(SECURE if secure else {})}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope[MEMBER] = self._sessions.member(scope)
        if scope["method"] == "HEAD" and scope["path"] != STREAM:
            scope = {**scope, "method": "GET"}  # the server sends no body: it has the scope as it was

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(line for line in self._headers if line[0] not in named)]
            await send(message)

        who, is_asked = visitor(scope), False
        try:
            if not self._requests.take(who):
                raise RefusedError("too_many_requests", "Too many requests from your address.", retry_after=1)
            if scope["path"] == STREAM:
                return await self._app(scope, receive, send_with_headers)
            async with self._place(who):
                is_asked = True
                body = await _body(scope, receive) if scope["method"] in WITH_BODY else None
                await self._app(scope, receive if body is None else _again(body, receive), send_with_headers)
        except RefusedError as refused:  # nothing was answered yet
            await answer_refusal(refused, send_with_headers, close=is_asked)

    @asynccontextmanager
    async def _place(self, who: str) -> AsyncIterator[None]:
        """A place for a request of a visitor. Raises RefusedError where there is none, or none in time."""
        room = self._rooms.setdefault(who, Room(self._limits.at_once))
        too_many = RefusedError("too_many_requests", "Too many requests of yours are under way.", retry_after=1)
        if room.inside >= self._limits.at_once + MOST_WAITING:
            raise too_many
        room.inside += 1
        try:
            try:
                async with asyncio.timeout(WAITING_SECONDS):
                    await room.places.acquire()
            except TimeoutError:
                raise too_many from None
            try:
                yield
            finally:
                room.places.release()
        finally:
            room.inside -= 1
            if not room.inside:
                del self._rooms[who]


async def answer_refusal(refused: RefusedError, send: Send, *, close: bool = False) -> None:
    """Sends what a request is refused with."""
    body = json.dumps({"code": refused.code, "detail": str(refused)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refused.retry_after is not None:
        headers.append((b"retry-after", str(refused.retry_after).encode()))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(scope: Scope, receive: Receive) -> bytes:
    """A request's body. Raises RefusedError where it is too large, comes too slowly or is no JSON.

    A page of another site can send no JSON without asking first, and is never answered that it may.
    """
    headers = dict(scope["headers"])
    most = MOST_RPC_BYTES if scope["path"] == "/rpc" else MOST_BYTES
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise RefusedError("not_json", "Send JSON, with Content-Type: application/json.")
    too_large = RefusedError("too_large", f"A request has at most {most} bytes here.")
    if int(headers.get(b"content-length", b"0") or 0) > most:
        raise too_large
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > most:
                    raise too_large
                if not message.get("more_body"):
                    return body
    except TimeoutError:
        raise RefusedError("bad_request", f"The request was not here after {BODY_SECONDS:.0f} s.") from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands a body over that was read already; then what comes of the connection."""
    waiting = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": waiting.pop()} if waiting else await receive()

    return again
