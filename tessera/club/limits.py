"""What one visitor's address may take of a node: requests a second and at once, bytes, and time to send them.

Whoever takes more is told so with a code and a sentence, and everybody else is served meanwhile.
"""

import asyncio
import json
from collections import Counter
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tessera.club.page import HEADERS, SECURE
from tessera.club.refusals import RefusedError
from tessera.club.rpc import MOST_BYTES as MOST_RPC_BYTES
from tessera.club.settings import Limits
from tessera.index.limits import Allowance

MOST_BYTES = 16_384  # of a request's body
BODY_SECONDS = 10.0  # in which it has to be here
STREAM = "/events"  # counted apart: it lasts
WITH_BODY = ("POST", "PUT", "PATCH")


def visitor(scope: Scope) -> str:
    """Who asks, as far as limits go: an address, of IPv6 the network that one household has."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(IPv6Address(int(address) >> 64 << 64)) if isinstance(address, IPv6Address) else host


class Door:
    """Around an app: limits, sizes and headers of every answer."""

    def __init__(self, app: ASGIApp, limits: Limits, *, secure: bool):
        """`secure`: members come by https."""
        self._app, self._limits = app, limits
        self._requests = Allowance(limits.requests)
        self._under_way: Counter[str] = Counter()
        headers = {**HEADERS, **(SECURE if secure else {})}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        who, lasts = visitor(scope), scope["path"] == STREAM

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(line for line in self._headers if line[0] not in named)]
            await send(message)

        try:
            if not self._requests.take(who):
                raise RefusedError("too_many_requests", "Too many requests from your address.", retry_after=1)
            if not lasts and self._under_way[who] >= self._limits.at_once:
                raise RefusedError("too_many_requests", "Too many requests of yours are under way.", retry_after=1)
        except RefusedError as refused:
            return await answer_refusal(refused, send_with_headers)
        self._under_way[who] += not lasts
        try:
            body = await _body(scope, receive) if scope["method"] in WITH_BODY else None
            await self._app(scope, receive if body is None else _again(body, receive), send_with_headers)
        except RefusedError as refused:  # of the body: nothing was answered yet
            await answer_refusal(refused, send_with_headers, close=True)
        finally:
            self._under_way[who] -= not lasts
            if not self._under_way[who]:
                del self._under_way[who]


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
