"""A client that does not read is disconnected, and nobody else notices."""

import asyncio
import json

from starlette.websockets import WebSocketState

from tessera.host import server
from tessera.host.server import Lobby
from tests.unit.host.conftest import BARE


class Socket:
    """A WebSocket of a client that takes messages, or does not, and says nothing."""

    def __init__(self, takes: bool):
        self.takes, self.sent, self.closed = takes, [], None
        self.application_state = WebSocketState.CONNECTED

    async def accept(self):
        pass

    async def send_text(self, text: str):
        if not self.takes:
            await asyncio.Event().wait()
        self.sent.append(json.loads(text)["method"])

    async def receive(self):
        await asyncio.Event().wait()

    async def close(self, code: int):
        self.closed = code


def test_a_client_that_takes_nothing_is_dropped_and_others_get_their_news(world):
    node = world.node(BARE)

    async def play() -> tuple[Socket, Socket]:
        lobby = Lobby(node, "bets.example", 1337, send_seconds=0.05)
        lobby.begin()
        slow, quick = Socket(takes=False), Socket(takes=True)
        staying = asyncio.create_task(lobby.serve(quick))
        await lobby.serve(slow)  # ends by itself
        node.publish(None)
        while len(quick.sent) < 3:
            await asyncio.sleep(0.01)
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        return slow, quick

    slow, quick = asyncio.run(play())
    assert (slow.sent, slow.closed) == ([], server.TRY_LATER)
    assert quick.sent == ["challenge", "bets", "bets"]


def test_news_of_bets_do_not_pile_up_for_a_client_that_reads_slowly(world):
    node = world.node(BARE)

    async def play() -> Socket:
        lobby = Lobby(node, "bets.example", 1337)
        lobby.begin()
        socket = Socket(takes=True)
        serving = asyncio.create_task(lobby.serve(socket))
        while len(socket.sent) < 2:
            await asyncio.sleep(0.01)
        for _ in range(10 * server.MOST_WAITING):
            node.publish(None)
        node.tell("0x" + "00" * 20, "not_placed", "of somebody else")
        while len(socket.sent) < 3:
            await asyncio.sleep(0.01)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return socket

    assert asyncio.run(play()).sent == ["challenge", "bets", "bets"]
