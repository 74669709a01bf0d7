"""The engine's door: REST with an OpenAPI document, and a WebSocket on which everything comes as it happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import orjson
import uvicorn
from anyio.abc import TaskGroup
from fastapi import FastAPI, Query, WebSocket
from fastapi import Path as Named
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage
from starlette.websockets import WebSocketDisconnect

from tessera.chain.errors import ChainError
from tessera.chain.micro_sessions import Stage
from tessera.index.limits import Limits, household
from tessera.live import messages
from tessera.live.commands import COMMANDS, Command, refusal
from tessera.live.messages import Message
from tessera.live.publication import PUBLIC_NAME
from tessera.live.refusals import Code, Refused
from tessera.live.source import MOST_LINES, Source
from tessera.live.visitors import MOST_CONNECTIONS, Visitor, Visitors
from tessera.live.wire import decode_hash, text_of

REQUESTS_A_SECOND = 50.0  # of one address, over REST
MOST_WAITING = 10_000  # messages for a client that does not read
MOST_IN_BUNDLE = 500
MOST_BYTES = 65_536  # of a message to the engine
PART = 65_536  # bytes of a file that are sent at once
PART_LINES = PART // 320  # as many lines of the record as a part of a file counts for
READS = ("follow", "fairness")  # what the WebSocket answers besides commands
STATUS = {Code.STOPPED: 503, Code.ASKING: 503, Code.TOO_MANY_REQUESTS: 429}  # of refusals; all others: 400
HOLD_SECONDS = 0.2  # that a connection is not read on which too much was asked
FULL = 1013  # why a connection is closed: try again later (RFC 6455)


class Refusal(BaseModel):
    """A refusal: a code that programs compare, its number, a reason that people read, and what is needed to do better.

    Where a player had signed a state, it has the house's `refusal`, `signature`, and the newest `completed` state.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["refused"]
    code: str
    number: int
    reason: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "Refused: nothing has changed."},
    422: {"model": Refusal, "description": "Not the form of this command."},
    429: {"description": "This address asks too often."},
    503: {"model": Refusal, "description": "The engine takes nothing now: try again later."},
}


class Connection:
    """One WebSocket. What is published waits here until the client reads it; one that leaves too much is closed.

    `after` is the last line of the record that the client has: it is told those that follow first. `in_bundles` lets
    messages that wait go in one frame, as a list.
    """

    def __init__(self, source: Source, socket: WebSocket, visitor: Visitor, after: int | None, *, in_bundles: bool):
        self.source, self.socket, self._visitor = source, socket, visitor
        self._asked: dict[bytes, list[str]] = {}  # what was told of sessions while they were asked for
        self._after, self._in_bundles = after, in_bundles
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._is_behind = asyncio.Event()

    def hear(self, session: bytes | None, text: str) -> None:
        """A listener of the source."""
        if session is None:
            self._put(text)
        elif session in self._visitor.followed:
            self._tell_view(session, text)
        elif session in self._asked:
            self._asked[session].append(text)

    def _tell_view(self, session: bytes, text: str) -> None:
        if self._visitor.waits_for(session):
            self._visitor.follow(session, is_opened=_is_opened(orjson.loads(text)))
        self._put(text)

    def _put(self, text: str) -> None:
        self._out.put_nowait(text)
        if self._out.qsize() > MOST_WAITING:
            self._is_behind.set()  # also while a send is stuck

    async def serve(self) -> None:
        """Talks to a client until it is gone."""
        await self.socket.accept()
        try:
            self._visitor.enter()
        except Refused as error:
            with suppress(WebSocketDisconnect, RuntimeError, OSError):
                await self._send([text_of({"id": None, **refusal(error)})])
                await self.socket.close(FULL)
            return
        try:
            await self._talk()
        finally:
            self._visitor.leave()

    async def _talk(self) -> None:
        # Nothing happens between what is told here and what is heard from now on.
        try:
            last, greeting = self.source.greeting()
        except Refused:  # a gateway that has reached no engine yet
            await self.socket.close(FULL)
            return
        self.source.listeners.add(self.hear)
        try:
            async with anyio.create_task_group() as group:
                reading, writing = partial(self._read, group), partial(self._write, last, greeting)
                for work in (reading, writing, self._stopped, self._is_behind.wait):
                    group.start_soon(_until_gone, work, group.cancel_scope)
        finally:
            self.source.listeners.discard(self.hear)
            with anyio.CancelScope(shield=True), suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
                await asyncio.wait_for(self.socket.close(FULL), 1)

    async def _stopped(self) -> None:
        await self.source.has_stopped.wait()

    async def _read(self, group: TaskGroup) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            number, name, body = _command_of(message.get("text") or "")
            try:
                self._visitor.take(name, _session_of(body))
            except Refused as error:
                self._reply(number, refusal(error))
                await asyncio.sleep(HOLD_SECONDS)
                continue
            # Without waiting for the answer: a slow disk holds up nobody's next message.
            group.start_soon(self._answer, number, name, body)

    async def _answer(self, number: int | str | None, name: str, body: Message | None) -> None:
        session = _session_of(body) if name == "follow" else None
        if session is not None:
            self._asked[session] = []
        try:
            if body is None:
                raise Refused(Code.MALFORMED, f"a JSON object of at most {MOST_BYTES} characters")
            if name not in (*COMMANDS, *READS):
                raise Refused(Code.MALFORMED, f"do: one of {', '.join((*READS, *COMMANDS))}")
            answer = await self.source.ask(name, body)
            if session is not None:
                self._visitor.follow(session, is_opened=_is_opened(answer))
                await self._tell_open_bets(answer)
        except Refused as error:
            answer = refusal(error)
        except ChainError:
            answer = refusal(Refused(Code.STOPPED))
        self._reply(number, answer)
        if session is not None:
            newer = self._asked.pop(session, [])
            for text in newer if answer["type"] != "refused" else ():
                self._tell_view(session, text)

    def _reply(self, number: int | str | None, answer: Message) -> None:
        self._put(text_of({"id": number, **answer}))

    async def _tell_open_bets(self, view: Message) -> None:
        """A client that was away knows nothing of the questions that its newest state waits for."""
        completed = view["completed"]
        for bet in completed["state"]["open_bets"] if completed else ():
            with suppress(Refused):  # by a gateway, which knows nothing of it: its engine has told what is decided
                for message in await self.source.question(decode_hash(bet["question"])):
                    self._put(text_of(message))

    async def _write(self, last: int, greeting: list[Message]) -> None:
        stream, *others = greeting
        await self._send([text_of(stream)])
        while self._after is not None and self._after < last:
            count = min(last - self._after, MOST_LINES)
            await self._visitor.wait_for_lines(count)
            lines = await self.source.lines(self._after + 1, count)
            await self._send([text_of(messages.line(headed)) for headed in lines])
            self._after = lines[-1].line.n if lines else last
        await self._send([text_of(message) for message in others])
        while True:
            waiting = self._out.qsize()
            texts = [await self._out.get()]
            texts += [self._out.get_nowait() for _ in range(min(waiting - 1, MOST_IN_BUNDLE))]
            await self._send(texts)

    async def _send(self, texts: list[str]) -> None:
        if self._in_bundles and len(texts) > 1:
            texts = [f"[{','.join(texts)}]"]
        for text in texts:
            await self.socket.send_text(text)


def _command_of(text: str) -> tuple[int | str | None, str, Message | None]:
    """A message's number, what it wants done, and with what; no body where it is no message of this API."""
    try:
        body = orjson.loads(text) if len(text) <= MOST_BYTES else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return None, "", None
    number, name = body.pop("id", None), body.pop("do", None)
    return number if isinstance(number, int | str) else None, name if isinstance(name, str) else "", body


def _session_of(body: Message | None) -> bytes | None:
    """The session that a command is about; None where it is about none."""
    try:
        return decode_hash(body["session"]) if body is not None else None
    except (KeyError, Refused):
        return None


def _is_opened(view: Message) -> bool:
    """Whether a session was opened on chain, by its view."""
    return view["stage"] != Stage.NONE.name.lower()


async def _until_gone(work: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    """Ends the other parts of a conversation with this one."""
    with suppress(WebSocketDisconnect, RuntimeError, OSError):
        await work()
    scope.cancel()


class Bounded:
    """Reads no more of a request's body than a message may have: it is refused as one that is no text."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0

        async def bounded() -> ASGIMessage:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise HTTPException(400)
            return message

        await self.app(scope, bounded if scope["type"] == "http" else receive, send)


def app_of(source: Source, *, gateway_key: str | None = None, most_connections: int = MOST_CONNECTIONS) -> FastAPI:
    """The app of one stream. It runs its source for as long as it lives.

    A gateway, which knows `gateway_key`, counts its clients by itself. An address may have `most_connections` that
    follow no session.
    """

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(source.run())
        yield
        running.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await running

    app = FastAPI(title="Tessera live engine", version="1", lifespan=living, responses=REFUSALS)
    app.add_middleware(Bounded)
    app.add_middleware(Limits, per_second=REQUESTS_A_SECOND)
    visitors = Visitors(source, most_connections)

    def visitor_of(connection: HTTPConnection) -> Visitor:
        return Visitor(visitors, household(connection.client.host if connection.client else ""))

    @app.exception_handler(Refused)
    async def _(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse(refusal(error), status_code=STATUS.get(error.number, 400))

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        return JSONResponse(refusal(Refused(Code.MALFORMED, f"{where}: {fault['msg']}")), status_code=422)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # a body that is no text, or too long
            return JSONResponse(refusal(Refused(Code.MALFORMED)), status_code=400)
        return await http_exception_handler(request, error)

    @app.exception_handler(ChainError)
    async def _(_: Request, error: ChainError) -> JSONResponse:
        return JSONResponse(refusal(Refused(Code.STOPPED)), status_code=503)

    @app.get("/stream")
    async def stream() -> Message:
        """What a client has to know of the stream."""
        return source.about()

    @app.get("/questions")
    async def questions() -> list[Message]:
        """Open questions with their quotes, and those that wait for their result with their books."""
        return source.greeting()[1][1:]

    @app.get("/questions/{digest}")
    async def question(digest: str) -> list[Message]:
        """A question by its hash, with its book and result as far as there are."""
        return await source.question(decode_hash(digest))

    @app.get("/record")
    async def record(
        request: Request,
        first: Annotated[int, Query(ge=1, lt=2**63)] = 1,
        count: Annotated[int, Query(ge=1, le=MOST_LINES)] = 100,
    ) -> list[Message]:
        """Lines of the stream's record, each with the head after it."""
        if not visitor_of(request).take_lines(count):
            raise Refused(Code.TOO_MANY_REQUESTS)
        return [messages.line(headed) for headed in await source.lines(first, count)]

    @app.get("/fairness")
    async def fairness() -> Message:
        """What the engine answered and how fast, refusals by reason, quotes, books and results; recomputed from the
        public files by scripts/audit_stream.py."""
        return await source.ask("fairness", {})

    if source.files is not None:
        folder = source.files

        @app.get("/files/{name}", response_class=PlainTextResponse, responses={404: {"description": "Not yet there."}})
        async def file(request: Request, name: Annotated[str, Named(pattern=PUBLIC_NAME)]) -> Response:
            """A file of the public record."""
            return _growing(folder / name, visitor_of(request))

    for name, command in COMMANDS.items():
        app.add_api_route(
            f"/{name}",
            _endpoint(source, visitor_of, name, command),
            methods=["POST"],
            name=name,
            description=command.text,
        )

    @app.websocket("/ws")
    async def live(
        socket: WebSocket,
        after: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
        bundles: bool = False,
        gateway: str = "",
    ) -> None:
        is_gateway = gateway_key is not None and compare_digest(gateway.encode(), gateway_key.encode())
        visitor = Visitor(visitors, None) if is_gateway else visitor_of(socket)
        await Connection(source, socket, visitor, after, in_bundles=bundles).serve()

    return app


def _growing(path: Path, visitor: Visitor) -> Response:
    """A file as long as it is now, however it grows meanwhile, as fast as a visitor may read the record."""
    try:
        file, size = path.open("rb"), path.stat().st_size
    except FileNotFoundError:  # the engine has only just begun
        return Response(status_code=404)

    async def parts() -> AsyncIterator[bytes]:
        with file:
            for begin in range(0, size, PART):
                await visitor.wait_for_lines(PART_LINES)
                yield await asyncio.to_thread(file.read, min(PART, size - begin))

    return StreamingResponse(parts(), media_type="text/plain", headers={"content-length": str(size)})


def _endpoint(source: Source, visitor_of: Callable[[HTTPConnection], Visitor], name: str, command: Command) -> Any:
    async def endpoint(body: Any, request: Request) -> Message:
        visitor_of(request).take(name)
        return await source.ask(name, body)

    endpoint.__annotations__["body"] = command.form
    return endpoint


def server_of(app: FastAPI, host: str, port: int, log_level: str) -> uvicorn.Server:
    """A server of an app, which reads no message further than one may be long."""
    most = 4 * MOST_BYTES  # in UTF-8
    config = uvicorn.Config(app, host, port, log_level=log_level, ws="websockets-sansio", ws_max_size=most)
    return uvicorn.Server(config)


@asynccontextmanager
async def served(source: Source) -> AsyncIterator[str]:
    """Serves an engine or a gateway at a free port of this computer, beside what else the loop does, and yields its
    WebSocket's URL."""
    server = server_of(app_of(source), "127.0.0.1", 0, "error")
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/ws"
    finally:
        server.should_exit = True
        await serving
