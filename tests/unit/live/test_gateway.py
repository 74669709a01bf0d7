"""A gateway passes on what an engine tells, and what players say to it, and nothing else."""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from scripts.live_gateway import cli
from tessera.chain import EUR
from tessera.live import answers
from tessera.live.client import Connection, EngineRefused
from tessera.live.gateway import Gateway
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.refusals import Code, Refused
from tessera.live.server import Connection as Served
from tessera.live.server import app_of, served
from tessera.live.visitors import Visitor, Visitors
from tests.unit.live.test_play import World, deployed, play, world  # noqa: F401

ADDRESS = "0x" + "11" * 20
WISH = {"player": ADDRESS, "session_key": ADDRESS, "deposit": "1000000", "at": "1", "signature": "0x5e"}


@asynccontextmanager
async def gateway_to(url: str, journal: Path):
    """A gateway of an engine, served. Yields its URL."""
    gateway = Gateway(lambda: url, lambda: SqliteJournal(journal, "a stream"))
    async with served(gateway) as its_url:
        await gateway.is_ready.wait()
        yield its_url


def test_a_journal_that_cannot_be_read_is_said_in_one_line():
    pytest.importorskip("psycopg")
    said = CliRunner().invoke(cli, ["--stream", "1", "--journal", "./folder"])
    assert (said.exit_code, said.output.partition(":")[0]) == (1, "Error")
    assert "the journal's URL cannot be read: postgresql://USER" in said.output


def test_a_player_behind_a_gateway_sees_what_the_engine_tells(world):  # noqa: F811
    async def scene(direct: Connection):
        gateway = gateway_to(direct.urls[0], world.folder / "stream.db")
        async with gateway as url, Connection(url, world.tessera, after=0) as connection:
            player = world.player(connection)
            await player.open(20 * EUR, EUR // 2)
            question = await world.ask(connection)
            with pytest.raises(EngineRefused, match="the stake is below") as caught:
                await player.bet(question, 0, 1_000)
            assert (caught.value.name, caught.value.answer["least"]) == ("stake", str(EUR // 10))
            bet = await player.bet(question, 0, EUR)
            await world.decide(connection, question, 0)
            await connection.until(lambda: player.view["net"] == str(bet.liability))
            async with Connection(url, world.tessera, after=0) as later:
                await later.until(lambda: max(later.heads) == max(connection.heads))
                assert later.heads == connection.heads  # the whole record, from the journal
                assert (later.broken, connection.broken, direct.broken) == (None, None, None)
            second = await world.ask(connection)
            async with Connection(url, world.tessera) as later:
                await later.until(lambda: second in later.quotes)
                assert set(later.questions) == {second}  # the first is decided
            told = await connection.ask("fairness")
            assert (told["type"], told["files"]) == ("fairness", None)  # which are at the engine's door
            assert (await player.close()).net == bet.liability

    play(world, scene)


def test_without_an_engine_it_says_try_again_later():
    with TestClient(app_of(Gateway(lambda: None, lambda: None))) as client:
        answer = client.get("/stream")
        assert (answer.status_code, answer.json()["code"]) == (503, "stopped")
        assert client.post("/offer", json=WISH).json()["code"] == "stopped"
        assert client.post("/offer", json={}).json()["code"] == "malformed"


def test_one_client_cannot_use_up_what_the_engine_gives_its_gateway(monkeypatch):
    """Each is counted at the gateway by its address; the engine leaves that to it."""
    stands = time.monotonic()
    monkeypatch.setattr("tessera.index.limits.time", SimpleNamespace(monotonic=lambda: stands))
    with TestClient(app_of(Gateway(lambda: None, lambda: None))) as client:
        answers = [client.post("/offer", json=WISH).json() for _ in range(61)]
        assert [answer["code"] for answer in answers] == ["stopped"] * 60 + ["too_many_requests"]


def test_a_player_whose_bet_was_decided_meanwhile_hears_of_its_session():
    """A gateway knows what is undecided alone: the session was refused as `unknown_question`, so that a player who
    came back could neither bet nor close."""
    bet = {"question": "0x" + "11" * 32}
    view = {
        "type": "session",
        "session": "0x" + "22" * 32,
        "stage": "open",
        "completed": {"state": {"open_bets": [bet]}},
    }

    door = follow_at_gateway(view)
    assert json.loads(door._out.get_nowait()) == {"id": 1, **view}


def test_a_view_that_comes_with_the_answer_to_a_first_follow_is_told():
    """An engine sends both in one frame: the gateway's client followed nothing yet when the newer one came, and waited
    for ever for a session that was confirmed."""
    view = {"type": "session", "session": "0x" + "22" * 32, "stage": "open", "completed": None}
    for answer, expected in (
        (view | {"is_confirmed": False}, [False, True]),
        ({"type": "refused", "session": view["session"]}, [None]),
    ):
        door = follow_at_gateway(answer, json.dumps(view | {"is_confirmed": True}))
        told = [json.loads(door._out.get_nowait()) for _ in range(door._out.qsize())]
        assert [message.get("is_confirmed") for message in told] == expected


def follow_at_gateway(answer: dict, *newer: str) -> Served:
    """A gateway's connection that was asked to follow a session; `newer` comes before whoever waits goes on."""
    session = bytes.fromhex("22" * 32)

    class Asked(Gateway):
        async def ask(self, name: str, body: dict) -> dict:
            for text in newer:
                door.hear(session, text)
            if answer["type"] == "refused":
                raise Refused(Code.SIGNATURE)
            return answer

    gateway = Asked(lambda: None, lambda: None)
    visitor = Visitor(Visitors(gateway, 1), "somebody")
    door = Served(gateway, SimpleNamespace(), visitor, None, in_bundles=False)
    asyncio.run(door._answer(1, "follow", {"session": "0x" + session.hex()}))
    door.hear(bytes(32), "of another session")
    return door


def test_a_gateway_tells_nobody_of_what_was_not_decided_in_time_as_its_engine_does(stage, monkeypatch):
    """It kept such questions until it was connected anew: 10,000 a week where one in a minute has no result."""
    monkeypatch.setattr("tessera.live.gateway.time", SimpleNamespace(monotonic=lambda: stage.time / 1_000))
    gateway = Gateway(lambda: None, lambda: None)
    stage.engine.publish = lambda session, message: gateway._hear(message)
    gateway._hear(answers.about(stage.engine))
    quoted = stage.ask()
    stage.lock(quoted)
    asked = stage.engine.memory.questions[quoted.quote.question]
    late = [*answers.undecided(stage.engine)]
    stage.time = asked.question.report_by
    assert gateway.greeting()[1][1:] == answers.undecided(stage.engine) == late
    stage.time += 1
    assert gateway.greeting()[1][1:] == answers.undecided(stage.engine) == []
    for message in late:  # a client that follows an old session has its open bets told again
        gateway._hear(message)
    second = stage.ask()  # without anybody who asks what there is
    assert set(gateway._questions) == set(gateway._quotes) == {"0x" + second.quote.question.hex()}
    assert gateway._books == {}


@pytest.mark.parametrize("url", ["ws://there:port/ws", "there:8800", "ws://127.0.0.1:99999/ws"])
def test_an_engine_that_says_a_bad_address_of_itself_is_asked_for_again(url):
    """A slip in `--public` ended every gateway of the stream for good, without a word."""
    asked = []

    async def scene() -> None:
        gateway = Gateway(lambda: asked.append(url) or url, lambda: None)
        running = asyncio.create_task(gateway.run())
        while len(asked) < 2 and not running.done():
            await asyncio.sleep(0.01)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())


def test_a_gateway_shows_the_engine_the_key_in_its_address(stage, monkeypatch):
    """By which the engine knows that whoever comes counts its own clients."""
    url, asked = "ws://engine/ws?gateway=known", []

    def connect(url: str, **_):
        asked.append(url)
        raise OSError

    monkeypatch.setattr("tessera.live.gateway.connect", connect)
    gateway = Gateway(lambda: url, lambda: None)
    asyncio.run(gateway._pass_on())
    gateway._note(answers.about(stage.engine))
    asyncio.run(gateway._pass_on())
    assert asked == [f"{url}&bundles=true", f"{url}&bundles=true&after={stage.engine.published[0]}"]


def test_who_comes_while_a_gateway_catches_up_is_told_no_line_twice(stage):
    """It was greeted with the newest line, and then told all lines since the gateway had lost its engine: for a client
    the house had broken its record."""
    gateway = Gateway(lambda: None, lambda: None)
    gateway._hear(answers.about(stage.engine))
    before, _ = stage.engine.published
    published = []
    stage.engine.publish = lambda session, message: published.append(message)
    stage.lock(stage.ask())
    lines = [message for message in published if message["type"] == "line"]
    gateway._hear(answers.about(stage.engine))
    for n, line in enumerate(lines, before):
        last, (told, *_) = gateway.greeting()
        assert (last, told["n"]) == (n, str(n))
        gateway._hear(line)
    last, (told, *_) = gateway.greeting()
    assert (last, told["head"]) == (stage.engine.published[0], lines[-1]["head"])
