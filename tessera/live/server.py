"""The engine's door: REST with an OpenAPI document, and a WebSocket on which everything comes as it happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
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
from tessera.index.limits import Allowance, Limits
from tessera.live import messages
from tessera.live.commands import COMMANDS, Command, refusal
from tessera.live.messages import Message
from tessera.live.publication import PUBLIC_NAME
from tessera.live.refusals import Code, Refused
from tessera.live.source import MOST_LINES, Source
from tessera.live.wire import decode_hash, text_of

REQUESTS_A_SECOND = 50.0  # of one address, over REST
MOST_WAITING = 10_000  # messages for a client that does not read
MOST_IN_BUNDLE = 500
MOST_BYTES = 65_536  # of a message to the engine
PART = 65_536  # bytes of a file that are sent at once
READS = ("follow", "fairness")  # what the WebSocket answers besides commands
ANYBODY_S = ("offer", "limit")  # commands that need neither session nor membership: each is an entry of the journal
UNAVAILABLE = (Code.STOPPED, Code.ASKING)  # try again later
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
    messages that wait go in one frame, as a list. `allowance` is that of all addresses, for what needs no session.
    """

    def __init__(self, source: Source, socket: WebSocket, allowance: Allowance, after: int | None, *, in_bundles: bool):
        self.source, self.socket, self._allowance = source, socket, allowance
        self._address = _address(socket)
        self.followed: set[bytes] = set()
        self._after, self._in_bundles = after, in_bundles
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._is_behind = asyncio.Event()

    def hear(self, session: bytes | None, text: str) -> None:
        """A listener of the source."""
        if session is None or session in self.followed:
            self._put(text)

    def _put(self, text: str) -> None:
        self._out.put_nowait(text)
        if self._out.qsize() > MOST_WAITING:
            self._is_behind.set()  # also while a send is stuck

    async def serve(self) -> None:
        """Talks to a client until it is gone."""
        await self.socket.accept()
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
            # Without waiting for the answer: a slow disk holds up nobody's next message.
            group.start_soon(self._answer, message.get("text") or "")

    async def _answer(self, text: str) -> None:
        number: Any = None
        try:
            try:
                body = orjson.loads(text) if len(text) <= MOST_BYTES else None
            except ValueError:
                body = None
            if not isinstance(body, dict):
                raise Refused(Code.MALFORMED, f"a JSON object of at most {MOST_BYTES} characters")
            number, name = body.pop("id", None), body.pop("do", None)
            if not isinstance(name, str) or name not in (*COMMANDS, *READS):
                raise Refused(Code.MALFORMED, f"do: one of {', '.join((*READS, *COMMANDS))}")
            _check_allowed(name, self._allowance, self._address)
            answer = await self.source.ask(name, body)
            if name == "follow":
                self.followed.add(decode_hash(answer["session"]))
                await self._tell_open_bets(answer)
        except Refused as error:
            answer = refusal(error)
        except ChainError:
            answer = refusal(Refused(Code.STOPPED))
        self._put(text_of({"id": number if isinstance(number, int | str) else None, **answer}))

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
            lines = await self.source.lines(self._after + 1, min(last - self._after, MOST_LINES))
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


def app_of(source: Source) -> FastAPI:
    """The app of one stream. It runs its source for as long as it lives."""

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
    allowance = Allowance(source.anybodys_per_second)

    @app.exception_handler(Refused)
    async def _(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse(refusal(error), status_code=503 if error.number in UNAVAILABLE else 400)

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
        return source.greeting()[1][0]

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
        first: Annotated[int, Query(ge=1, lt=2**63)] = 1, count: Annotated[int, Query(ge=1, le=MOST_LINES)] = 100
    ) -> list[Message]:
        """Lines of the stream's record, each with the head after it."""
        return [messages.line(headed) for headed in await source.lines(first, count)]

    @app.get("/fairness")
    async def fairness() -> Message:
        """What the engine answered and how fast, refusals by reason, quotes, books and results; recomputed from the
        public files by scripts/audit_stream.py."""
        return await source.ask("fairness", {})

    if source.files is not None:
        folder = source.files

        @app.get("/files/{name}", response_class=PlainTextResponse, responses={404: {"description": "Not yet there."}})
        async def file(name: Annotated[str, Named(pattern=PUBLIC_NAME)]) -> Response:
            """A file of the public record."""
            return _growing(folder / name)

    for name, command in COMMANDS.items():
        app.add_api_route(
            f"/{name}",
            _endpoint(source, allowance, name, command),
            methods=["POST"],
            name=name,
            description=command.text,
        )

    @app.websocket("/ws")
    async def live(
        socket: WebSocket, after: Annotated[int | None, Query(ge=0, lt=2**63)] = None, bundles: bool = False
    ) -> None:
        await Connection(source, socket, allowance, after, in_bundles=bundles).serve()

    return app


def _growing(path: Path) -> Response:
    """A file as long as it is now, however it grows meanwhile."""
    try:
        file, size = path.open("rb"), path.stat().st_size
    except FileNotFoundError:  # the engine has only just begun
        return Response(status_code=404)

    def parts() -> Iterator[bytes]:
        with file:
            for begin in range(0, size, PART):
                yield file.read(min(PART, size - begin))

    return StreamingResponse(parts(), media_type="text/plain", headers={"content-length": str(size)})


def _endpoint(source: Source, allowance: Allowance, name: str, command: Command) -> Any:
    async def endpoint(body: Any, request: Request) -> Message:
        _check_allowed(name, allowance, _address(request))
        return await source.ask(name, body)

    endpoint.__annotations__["body"] = command.form
    return endpoint


def _check_allowed(name: str, allowance: Allowance, address: str) -> None:
    if name in ANYBODY_S and not allowance.take(address):
        raise Refused(Code.TOO_MANY_REQUESTS)


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


@asynccontextmanager
async def served(source: Source) -> AsyncIterator[str]:
    """Serves an engine or a gateway at a free port of this computer, beside what else the loop does, and yields its
    WebSocket's URL."""
    server = uvicorn.Server(uvicorn.Config(app_of(source), port=0, log_level="error", ws="websockets-sansio"))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/ws"
    finally:
        server.should_exit = True
        await serving
