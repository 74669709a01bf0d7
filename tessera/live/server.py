"""The engine's door: REST with an OpenAPI document, and a WebSocket on which everything comes as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Annotated, Any

import anyio
from anyio.abc import TaskGroup
from fastapi import FastAPI, Query, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import Request
from starlette.websockets import WebSocketDisconnect

from tessera.chain.errors import ChainError
from tessera.index.limits import Limits
from tessera.live import messages
from tessera.live.accounts import follow_text
from tessera.live.commands import COMMANDS, Command, parsed, refusal
from tessera.live.engine import SIGNED_WITHIN_MS, Engine
from tessera.live.keys import is_signed_by
from tessera.live.messages import Message
from tessera.live.refusals import Code, Refused
from tessera.live.runner import MOST_LINES, Runner
from tessera.live.wire import decode_hash, encode

REQUESTS_A_SECOND = 50.0  # of one address, over REST
MOST_WAITING = 10_000  # messages for a client that does not read
MOST_BYTES = 65_536  # of a message to the engine
FULL = 1013  # why a connection is closed: try again later (RFC 6455)


def about(engine: Engine) -> Message:
    """What a client has to know of a stream before it trusts it: compare it with the chain."""
    panel, (n, head) = engine.panel, engine.published
    return {
        "type": "stream",
        "chain_id": encode(engine.domain.chain_id),
        "contract": engine.domain.contract,
        "stream_id": encode(engine.stream_id),
        "house_key": engine.house.address,
        "operator": engine.operator.address,
        "panel": encode(panel.panel_id),
        "panels": panel.contract,
        "members": list(panel.members),
        "threshold": encode(panel.threshold),
        "terms": encode(engine.terms),
        "epoch": encode(engine.journal.epoch),
        "n": encode(n),
        "head": encode(head),
        "now": encode(engine.guard.now()),
    }


def opened(engine: Engine) -> list[Message]:
    """Questions that are open, with their quotes."""
    delay, frames = engine.terms.picture_delay_ms, []
    for asked in engine.memory.open.values():
        frames.append(messages.question(asked, delay))
        if asked.quoted is not None:
            frames.append(messages.quote(asked.quoted, delay))
    return frames


class Connection:
    """One WebSocket. What is published waits here until the client reads it; one that leaves too much is closed."""

    def __init__(self, runner: Runner, socket: WebSocket):
        self.runner, self.socket = runner, socket
        self.followed: set[bytes] = set()
        self._out: asyncio.Queue[Message] = asyncio.Queue()

    def hear(self, session: bytes | None, message: Message) -> None:
        """A listener of the runner."""
        if session is None or session in self.followed:
            self._out.put_nowait(message)

    async def serve(self) -> None:
        """Talks to a client until it is gone."""
        await self.socket.accept()
        engine = self.runner.engine
        # Nothing happens between what is told here and what is heard from now on.
        self.runner.listeners.add(self.hear)
        for message in (about(engine), *opened(engine)):
            self._out.put_nowait(message)
        try:
            async with anyio.create_task_group() as group:
                for work in (partial(self._read, group), self._write, self.runner.has_stopped.wait):
                    group.start_soon(_until_gone, work, group.cancel_scope)
        finally:
            self.runner.listeners.discard(self.hear)
            with anyio.CancelScope(shield=True), suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
                await asyncio.wait_for(self.socket.close(FULL), 1)

    async def _read(self, group: TaskGroup) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            # Without waiting for the answer: a slow disk holds up nobody's next message.
            group.start_soon(self._answer, message.get("text") or "")

    async def _answer(self, text: str) -> None:
        number: Any = None
        try:
            try:
                body = json.loads(text) if len(text) <= MOST_BYTES else None
            except (ValueError, RecursionError):
                body = None
            if not isinstance(body, dict):
                raise Refused(Code.MALFORMED, f"a JSON object of at most {MOST_BYTES} characters")
            number, name = body.pop("id", None), body.pop("do", None)
            if name == "follow":
                answer = self._follow(body)
            elif isinstance(name, str) and name in COMMANDS:
                answer = await _run(self.runner, COMMANDS[name], body)
            else:
                raise Refused(Code.MALFORMED, f"do: one of follow, {', '.join(COMMANDS)}")
        except Refused as error:
            answer = refusal(error)
        except ChainError:
            answer = refusal(Refused(Code.STOPPED))
        self._out.put_nowait({"id": number if isinstance(number, int | str) else None, **answer})

    def _follow(self, body: dict[str, Any]) -> Message:
        engine = self.runner.engine
        session = engine.session(decode_hash(body.get("session")))
        try:
            at, signature = int(str(body.get("at"))), bytes.fromhex(str(body.get("signature")).removeprefix("0x"))
        except ValueError:
            raise Refused(Code.MALFORMED, "at: unix milliseconds, signature: 65 bytes as 0x hex") from None
        text = follow_text(engine.domain, session.digest, at)
        is_fresh = abs(engine.guard.now() - at) <= SIGNED_WITHIN_MS
        if not is_fresh or not is_signed_by(session.offer.session_key, text, signature):
            raise Refused(Code.SIGNATURE)
        self.followed.add(session.digest)
        return engine.view(session)

    async def _write(self) -> None:
        while self._out.qsize() <= MOST_WAITING:
            await self.socket.send_text(json.dumps(await self._out.get()))


async def _until_gone(work: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    """Ends the other parts of a conversation with this one."""
    with suppress(WebSocketDisconnect, RuntimeError, OSError):
        await work()
    scope.cancel()


async def _run(runner: Runner, command: Command, body: Any) -> Message:
    form = body if isinstance(body, BaseModel) else parsed(command, body)
    return await runner.answer(lambda engine: command.run(engine, form))


def app_of(runner: Runner) -> FastAPI:
    """The app of one stream. It runs the engine for as long as it lives."""

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(runner.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await running

    app = FastAPI(title="Tessera live engine", version="1", lifespan=living)
    app.add_middleware(Limits, per_second=REQUESTS_A_SECOND)
    engine = runner.engine

    @app.exception_handler(Refused)
    async def _(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse(refusal(error), status_code=503 if error.number is Code.STOPPED else 400)

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        return JSONResponse(refusal(Refused(Code.MALFORMED, f"{where}: {fault['msg']}")), status_code=422)

    @app.exception_handler(ChainError)
    async def _(_: Request, error: ChainError) -> JSONResponse:
        return JSONResponse(refusal(Refused(Code.STOPPED)), status_code=503)

    @app.get("/stream")
    async def stream() -> Message:
        """What a client has to know of the stream."""
        return about(engine)

    @app.get("/questions")
    async def questions() -> list[Message]:
        """Open questions with their quotes."""
        return opened(engine)

    @app.get("/questions/{digest}")
    async def question(digest: str) -> list[Message]:
        """A question by its hash, with its book and result as far as there are."""
        asked = engine.memory.questions.get(decode_hash(digest))
        if asked is None:
            raise Refused(Code.UNKNOWN_QUESTION)
        frames = [messages.question(asked, engine.terms.picture_delay_ms)]
        if asked.book is not None:
            frames.append(engine.book(asked))
        if asked.result is not None:
            frames.append(messages.result(asked))
        return frames

    @app.get("/record")
    async def record(
        first: Annotated[int, Query(ge=1, lt=2**63)] = 1, count: Annotated[int, Query(ge=1, le=MOST_LINES)] = 100
    ) -> list[Message]:
        """Lines of the stream's record, each with the head after it."""
        return [messages.line(headed) for headed in await runner.lines(first, count)]

    for name, command in COMMANDS.items():
        app.add_api_route(f"/{name}", _endpoint(runner, command), methods=["POST"], name=name, description=command.text)

    @app.websocket("/ws")
    async def live(socket: WebSocket) -> None:
        await Connection(runner, socket).serve()

    return app


def _endpoint(runner: Runner, command: Command) -> Any:
    async def endpoint(body: Any) -> Message:
        return await _run(runner, command, body)

    endpoint.__annotations__["body"] = command.form
    return endpoint
