"""Clients' connections: JSON over WebSocket, each with a sender of its own, so that a slow one holds up nobody."""

import asyncio
import json
import socket
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Thread
from typing import Any

import anyio
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from tessera.host.frames import refusal
from tessera.host.node import Node
from tessera.host.player import BETS_A_SECOND, CHAIN_CHECKS_A_SECOND, ChainCheck, Player
from tessera.host.sign_in import Challenge
from tessera.index.limits import Allowance

MOST_CONNECTIONS = 2_000  # beyond, one of a player who has no money or many connections goes
MOST_STRANGERS = 200  # connections that have not signed in; beyond, the oldest goes
MOST_WAITING = 32  # messages for a client that does not read
SEND_SECONDS = 10.0  # for a client to take one
ASKERS = 4  # threads that ask the chain for players
TRY_LATER = 1013  # why a connection is closed (RFC 6455, IANA's registry)


class Connection:
    """One client. What it is sent waits here; of its bets only the newest state does."""

    def __init__(self, socket: WebSocket, player: Player, clerk: Executor, askers: Executor, send_seconds: float):
        self.socket, self.player, self.send_seconds = socket, player, send_seconds
        self._clerk, self._askers = clerk, askers
        self._waiting: deque[dict[str, Any]] = deque()
        self._is_stale = False
        self._news = asyncio.Event()

    def put(self, *answers: dict[str, Any]) -> None:
        """Sends messages when the client takes them; one that leaves too many is not kept."""
        self._waiting.extend(answers)
        self._news.set()

    def refresh(self) -> None:
        """Sends the bets as they are by then."""
        self._is_stale = True
        self._news.set()

    async def write(self) -> None:
        """Sends what waits, until the client is gone or too slow."""
        while len(self._waiting) <= MOST_WAITING:
            if self._waiting:
                await self._send(self._waiting.popleft())
            elif self._is_stale:
                self._is_stale = False
                await self._send(self.player.state())
            else:
                self._news.clear()
                await self._news.wait()

    async def read(self) -> None:
        """Answers messages, until the client is gone."""
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            run = asyncio.get_running_loop().run_in_executor
            answers = await run(self._clerk, self.player.answer, text or "")
            if isinstance(answers, ChainCheck):
                answer = await run(self._askers, answers.ask)
                answers = await run(self._clerk, answers.answer, answer)
            self.put(*answers)

    async def close(self, code: int = TRY_LATER) -> None:
        """Ends the connection."""
        if self.socket.application_state is not WebSocketState.DISCONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
                await asyncio.wait_for(self.socket.close(code), 1)

    async def _send(self, answer: dict[str, Any]) -> None:
        # What a client wrote comes back in answers; JSON can write halves of characters, which no text can have.
        text = json.dumps(answer, ensure_ascii=False).encode(errors="replace").decode()
        await asyncio.wait_for(self.socket.send_text(text), self.send_seconds)


class Lobby:
    """All connections of a host."""

    def __init__(self, node: Node, domain: str, chain_id: int, send_seconds: float = SEND_SECONDS):
        self.node, self.domain, self.chain_id, self.send_seconds = node, domain, chain_id, send_seconds
        self._connections: OrderedDict[Connection, None] = OrderedDict()
        self._bets, self._chain_checks = Allowance(BETS_A_SECOND), Allowance(CHAIN_CHECKS_A_SECOND)
        # One after the other: what players may do is counted, and bets are stored before they are taken.
        self._clerk = ThreadPoolExecutor(1, "answers")
        # Apart: whoever makes the node ask the chain keeps nobody else waiting.
        self._askers = ThreadPoolExecutor(ASKERS, "chain checks")
        node.publish, node.tell = self._publish, self._tell
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Notes the loop that serves connections: the node's thread hands its news over to it."""
        self._loop = asyncio.get_running_loop()

    async def serve(self, socket: WebSocket) -> None:
        """Talks to a client until it is gone."""
        await socket.accept()
        challenge = Challenge(self.domain, f"http://{self.domain}", self.chain_id)
        player = Player(self.node, challenge, self._bets, self._chain_checks)
        connection = Connection(socket, player, self._clerk, self._askers, self.send_seconds)
        self._connections[connection] = None
        await self._make_room()
        connection.put(*connection.player.greeting())
        try:
            async with anyio.create_task_group() as both:
                for work in (connection.read, connection.write):
                    both.start_soon(_until_gone, work, both.cancel_scope)
        finally:
            self._connections.pop(connection, None)
            connection.player.gone()
            with anyio.CancelScope(shield=True):
                await connection.close()

    async def _make_room(self) -> None:
        """Ends a connection where there are too many. To sign in costs nothing: who has nothing to bet with goes before
        who has, then who has most connections, and of these the oldest."""
        accounts = [connection.player.account for connection in self._connections]
        strangers, many = accounts.count(None), Counter(accounts)
        if strangers > MOST_STRANGERS:
            await self._end(next(connection for connection in self._connections if connection.player.account is None))
        elif len(accounts) > MOST_CONNECTIONS:
            view = self.node.view

            def burden(connection: Connection) -> tuple[bool, int]:
                account = connection.player.account
                return (False, 0) if account is None else (not view.has_money(account), many[account])

            await self._end(max(self._connections, key=burden))

    async def _end(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        await connection.close()

    def _publish(self, concerned: set[str] | None) -> None:
        def refresh() -> None:
            for connection in self._connections:
                if concerned is None or connection.player.account in concerned:
                    connection.refresh()

        self._later(refresh)

    def _tell(self, account: str, code: str, text: str, nonce: int | None = None) -> None:
        answer = refusal(code, text, "bets_placed" if nonce is None else "bets_signed", nonce)

        def put() -> None:
            for connection in self._connections:
                if connection.player.account == account:
                    connection.put(answer)

        self._later(put)

    def _later(self, action: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)


async def _until_gone(work: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    """Ends the other half of a conversation with this one."""
    with suppress(WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
        await work()
    scope.cancel()


def app_of(node: Node, domain: str, chain_id: int, send_seconds: float = SEND_SECONDS) -> FastAPI:
    """The app that serves a host at `/`; the domain is what players' wallets show when they sign in."""
    lobby = Lobby(node, domain, chain_id, send_seconds)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        lobby.begin()
        yield

    app = FastAPI(lifespan=living, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_websocket_route("/", lobby.serve)
    return app


@contextmanager
def served(node: Node, chain_id: int) -> Iterator[str]:
    """Serves a host at a free port of this computer, in a thread of its own, and yields its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        domain = f"127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app_of(node, domain, chain_id), log_level="warning"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
        thread.start()
        try:
            while thread.is_alive() and not server.started:
                time.sleep(0.01)
            yield f"ws://{domain}"
        finally:
            server.should_exit = True
            thread.join()
