"""What strangers may take of a stream's door, and that nobody's bet waits for them."""

import asyncio
import time
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tessera.live import visitors
from tessera.live.accounts import follow_text
from tessera.live.refusals import Refused
from tessera.live.runner import Runner
from tessera.live.server import app_of
from tessera.live.visitors import MOST_OF_SESSION, Visitor, Visitors
from tessera.live.wire import encode
from tests.live import DOMAIN
from tests.unit.live.test_server import NoChain, bet_of

SOURCE = SimpleNamespace(requests_per_second=10)
CARRIER = "203.0.113.9"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """What time it is for allowances, in a list of one."""
    now = [time.monotonic()]
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def taken(visitor: Visitor, name: str, session: bytes | None = None, most: int = 10_000) -> int:
    """How often a command is taken at once."""
    count = 0
    with suppress(Refused):
        while count < most:
            visitor.take(name, session)
            count += 1
    return count


def test_a_thousand_players_of_one_carrier_s_address_are_held_up_by_no_stranger_among_them(clock):
    door = Visitors(SOURCE, visitors.MOST_CONNECTIONS)
    players = [Visitor(door, CARRIER) for _ in range(1_000)]
    for number, player in enumerate(players):  # as after a take-over
        clock[0] += 0.0041  # 600 might come at once: the last of them comes four seconds later
        session = number.to_bytes(32)
        player.enter()
        player.take("follow", session)
        player.follow(session, is_opened=True)
    stranger = Visitor(door, CARRIER)
    stranger.enter()
    assert taken(stranger, "place", bytes(32)) >= 2_000
    for number, player in enumerate(players):
        assert taken(player, "place", number.to_bytes(32), most=60) == 60  # all that the engine takes of a key at once
    newcomer = Visitor(door, "203.0.113.10")
    newcomer.enter()
    assert taken(newcomer, "follow") == 3_000


def test_a_session_s_key_buys_no_more_than_twice_what_the_engine_takes_of_it():
    visitor = Visitor(Visitors(SOURCE, 1), CARRIER)
    visitor.follow(bytes(32), is_opened=True)
    assert taken(visitor, "place", bytes(32)) == 120
    assert taken(visitor, "place", b"\x01" * 32) == 3_000  # of another session


def test_offers_and_limits_are_fewer():
    visitor = Visitor(Visitors(SOURCE, 1), CARRIER)
    assert taken(visitor, "offer") == 60
    assert taken(visitor, "limit") == 0
    assert taken(visitor, "report") == 3_000 - 62


def test_so_many_connections_of_an_address_and_of_a_session(clock):
    door = Visitors(SOURCE, 2)
    first, second, third = (Visitor(door, CARRIER) for _ in range(3))
    first.enter()
    second.enter()
    with pytest.raises(Refused, match="too many connections from your address"):
        third.enter()
    first.follow(bytes(32), is_opened=True)  # which makes room
    third.enter()
    second.leave()
    third.leave()
    tabs = [Visitor(door, CARRIER) for _ in range(MOST_OF_SESSION)]
    for tab in tabs:
        tab.enter()
        tab.follow(bytes(32), is_opened=True)
    assert door.connections == {bytes(32): MOST_OF_SESSION, CARRIER: 1}
    for visitor in (first, *tabs):
        visitor.leave()
    third.leave()  # a second time, and nothing is counted twice
    assert not door.connections


def test_who_comes_and_goes_all_the_time_is_held_up():
    door = Visitors(SOURCE, 1)
    for _ in range(600):
        visitor = Visitor(door, CARRIER)
        visitor.enter()
        visitor.leave()
    with pytest.raises(Refused, match="too many connections"):
        visitor.enter()


def test_who_is_trusted_is_not_counted():
    door = Visitors(SOURCE, 0)
    gateway = Visitor(door, None)
    gateway.enter()
    assert taken(gateway, "offer") == 10_000
    assert gateway.take_lines(10**9)
    gateway.leave()
    assert not door.connections


def test_lines_of_the_record_come_as_fast_as_an_address_may_read_them(clock, monkeypatch):
    monkeypatch.setattr(visitors, "READ_SECONDS", 0)
    visitor = Visitor(Visitors(SOURCE, 1), CARRIER)
    assert [visitor.take_lines(1_000) for _ in range(61)] == [True] * 60 + [False]

    async def scene() -> None:
        waiting = asyncio.create_task(visitor.wait_for_lines(1_000))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not waiting.done()
        clock[0] += 0.101
        await waiting

    asyncio.run(scene())


def test_who_comes_back_to_a_session_reads_what_was_missed_whatever_the_address_reads(clock):
    """Whoever of the address read files without end, in parts of 204 lines, left nobody a thousand at once."""
    door = Visitors(SOURCE, 2)
    stranger, player = Visitor(door, CARRIER), Visitor(door, CARRIER)
    player.enter()

    def read_all() -> None:
        while stranger.take_lines(204):
            pass

    read_all()
    assert not player.take_lines(1_000)
    player.follow(bytes(32), is_opened=True)
    assert [player.take_lines(1_000) for _ in range(7)] == [True] * 6 + [False]
    for _ in range(10):
        clock[0] += 0.1
        read_all()
    assert player.take_lines(1_000)
    assert not player.take_lines(1_000)


@pytest.fixture
def served(stage, monkeypatch):
    """An engine behind its door, which lets an address have two connections, with an open session and question."""
    monkeypatch.setattr("tessera.live.server.HOLD_SECONDS", 0)
    player, quoted = stage.opened(), stage.ask()
    app = app_of(Runner(stage.engine, NoChain(stage), None), gateway_key="known", most_connections=2)
    with TestClient(app) as client:
        yield client, stage, player, quoted


def answer_of(socket, number: int, name: str, **body) -> dict:
    socket.send_json({"id": number, "do": name, **body})
    while (message := socket.receive_json()).get("id") != number:
        pass
    return message


def test_a_flood_of_commands_is_refused_with_a_sentence_and_a_player_of_the_address_bets_on(served):
    client, stage, player, quoted = served
    text = follow_text(DOMAIN, player.session, stage.time)
    asked = {"session": player.session, "at": stage.time, "signature": player.key.sign_message(text)}
    with client.websocket_connect("/ws") as playing, client.websocket_connect("/ws") as flooding:
        assert answer_of(playing, 1, "follow", **encode(asked))["type"] == "session"
        unknown = {"session": "0x" + "11" * 32}
        codes = [answer_of(flooding, number, "follow", **unknown)["code"] for number in range(3_000)]
        assert codes == ["unknown_session"] * 2_999 + ["too_many_requests"]
        flooding.send_text("none")
        while (message := flooding.receive_json())["type"] != "refused":
            pass
        assert message["reason"] == "too many requests: wait a second"
        assert answer_of(playing, 2, "place", **bet_of(stage, player, quoted))["type"] == "receipt"


def test_an_offer_that_nobody_opened_is_no_visitor_of_its_own(served):
    """Offers are free: who asked for one and followed it had eight connections more for each, and commands for each."""
    client, stage, *_ = served
    offered = stage.offered("a stranger")
    text = follow_text(DOMAIN, offered.session, stage.time)
    asked = {"session": offered.session, "at": stage.time, "signature": offered.key.sign_message(text)}
    with client.websocket_connect("/ws") as first, client.websocket_connect("/ws") as second:
        for socket in (first, second):
            assert answer_of(socket, 1, "follow", **encode(asked))["stage"] == "none"
        with client.websocket_connect("/ws") as third:
            assert third.receive_json()["code"] == "too_many_connections"
        stage.learn(stage.opening(offered))  # of which both hear
        for socket in (first, second):
            while (message := socket.receive_json())["type"] != "session":
                pass
            assert message["stage"] == "open"
        with client.websocket_connect("/ws") as third:
            assert third.receive_json()["type"] == "stream"


def test_what_is_said_of_an_offer_counts_for_the_address():
    visitor = Visitor(Visitors(SOURCE, 1), CARRIER)
    visitor.follow(bytes(32), is_opened=False)
    assert visitor.waits_for(bytes(32))
    assert taken(visitor, "place", bytes(32)) == 3_000
    visitor.follow(bytes(32), is_opened=True)
    assert not visitor.waits_for(bytes(32))
    assert taken(visitor, "place", bytes(32)) == 120


def test_a_connection_too_many_is_told_so_and_a_gateway_s_is_none(served):
    client, *_ = served
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(client.websocket_connect("/ws"))
        with client.websocket_connect("/ws?gateway=guessed") as socket:
            message = socket.receive_json()
            assert (message["id"], message["code"], message["number"]) == (None, "too_many_connections", 9)
            with pytest.raises(WebSocketDisconnect) as caught:
                socket.receive_json()
            assert caught.value.code == 1013
        for _ in range(2):
            socket = stack.enter_context(client.websocket_connect("/ws?gateway=known"))
            assert socket.receive_json()["type"] == "stream"
    with client.websocket_connect("/ws") as socket:  # the first two have gone
        assert socket.receive_json()["type"] == "stream"


def test_the_whole_record_is_read_as_fast_as_an_address_may(served, clock):
    client, stage, *_ = served
    n = stage.engine.published[0]
    for _ in range(60):
        assert client.get("/record", params={"count": 1_000}).status_code == 200
    answer = client.get("/record", params={"count": 1_000})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    clock[0] += 1
    with client.websocket_connect("/ws?after=0") as socket:
        told = [socket.receive_json() for _ in range(n + 1)]
    assert [message["type"] for message in told] == ["stream", *["line"] * n]
