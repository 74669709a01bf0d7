"""`tessera live` against an engine on the embedded chain."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack
from threading import RLock, Thread

import pytest
from eth_utils.crypto import keccak

from scripts import audit_stream
from tessera.chain import EUR
from tessera.chain.embedded import known_account
from tessera.chain.micro_sessions import Stage
from tessera.cli import live as live_command
from tessera.cli.live import LIMITS
from tessera.live.client import Connection
from tessera.model.units import WAD
from tests.live import TERMS
from tests.live_world import HOUR, OPERATOR, PLAYER, World, deployed_streams
from tests.undo import undone
from tests.unit.cli.conftest import command


class Served:
    """A world whose engine runs in a thread of its own, beside the command; one of them uses the chain at a time."""

    def __init__(self, world: World, monkeypatch):
        self.world, self.loop = world, asyncio.new_event_loop()
        lock, provider = RLock(), world.web3.provider

        def alone(function: Callable) -> Callable:
            def call(*arguments):
                with lock:
                    return function(*arguments)

            return call

        monkeypatch.setattr(provider, "make_request", alone(provider.make_request))
        monkeypatch.setattr(provider, "_request_func_cache", (None, None))
        monkeypatch.setattr(world, "travel", alone(world.travel))
        monkeypatch.setattr("tessera.live.client.wall_clock", lambda: world.ms)
        self.stack, self.thread = AsyncExitStack(), Thread(target=self.loop.run_forever)
        self.thread.start()
        self.url, self.connection = self.wait(self._begin())

    async def _begin(self) -> tuple[str, Connection]:
        url = await self.stack.enter_async_context(self.world.served())
        return url, await self.stack.enter_async_context(Connection(url, self.world.tessera))

    def begin(self, work) -> Future:
        """Runs something beside the command."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def wait(self, work):
        return self.begin(work).result(60)

    def question(self) -> bytes:
        return self.wait(self.world.ask(self.connection))

    async def decided_after(self, question: bytes, bets: int, outcome: int) -> None:
        """Decides a question once it has so many bets."""
        connection = self.connection
        await connection.until(lambda: len(connection.leaves.get(question, ())) == bets, 60)
        await self.world.decide(connection, question, outcome)

    def end(self) -> None:
        self.wait(self.stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "local.json"
    return deployed_streams(path), str(path)


@pytest.fixture
def served(deployed, tmp_path, monkeypatch) -> Iterator[Served]:
    with undone(deployed[0].web3):
        served = Served(World(deployed[0], tmp_path), monkeypatch)
        yield served
        served.end()


@pytest.fixture
def live(served, deployed, tmp_path, monkeypatch) -> Callable:
    """`tessera live ...` as the player, with this engine."""
    run = command(served.world.web3, deployed[1], monkeypatch, tmp_path)

    def invoke(*arguments, options: tuple = (), by: int = PLAYER, alone: bool = False, as_json: bool = True, **more):
        engine = [] if alone else ["--engine", f"ws://127.0.0.1:9/ws {served.url}"]  # nobody is at the first
        return run(*(["--json"] if as_json else []), *options, "live", *arguments, *engine, by=by, **more)

    return invoke


@pytest.fixture
def ask(live) -> Callable:
    """What a command answers; it must succeed."""

    def invoke(*arguments, **options):
        result = live(*arguments, **options)
        assert result.exit_code == 0, result.output
        return json.loads(re.search(r"^[\[{].*", result.output, re.DOTALL | re.MULTILINE).group())

    return invoke


def test_streams_of_the_chain(served, ask):
    operator, tessera = known_account(OPERATOR).address, served.world.tessera
    panel_id = tessera.sessions.stream(served.world.stream_id).panel_id
    assert ask("streams", alone=True)[-1] == {
        "stream": served.world.stream_id,
        "operator": operator,
        "free_bankroll": str(45 * EUR),
        "panel": {"members": tessera.panels.members_of(panel_id), "threshold": 2},
    }


def test_a_session_from_the_first_bet_to_the_end(served, ask, live):
    world, before = served.world, served.world.money()
    opened = ask("open", 20, "--loss-cap", 15, "--yes")
    assert (opened["balance_to_bet_with"], opened["net"], opened["open_bets"]) == (str(20 * EUR), "0", 0)
    again = live("open", 20, "--yes")
    assert again.exit_code != 0
    assert "your session is not over" in again.output

    question = served.question()
    [shown] = ask("questions")
    asked = served.connection.questions[question]
    assert (shown["question"], shown["betting_ends"]) == (asked.text, asked.lock // 1_000)
    # The edge is 5 %: of two equal chances each pays 1.9 times its stake.
    assert int(shown["house_edge"]) == WAD // 20
    assert [(choice["choice"], choice["low"], choice["high"]) for choice in shown["choices"]] == [(1, 0, 0), (2, 1, 1)]
    assert [choice["pays"] for choice in shown["choices"]] == [str(EUR * 19 // 10)] * 2
    assert [choice["expected_loss"] for choice in shown["choices"]] == [str(EUR // 20)] * 2

    rehearsed = ask("play", "--stake", 2, "--yes", options=("--dry-run",))
    assert rehearsed["dry_run"] is True
    assert served.connection.leaves.get(question) in (None, [])
    asking = live("play", "--stake", 2, "--bets", 3, as_json=False, input="n\n").output
    assert re.search(r"3 of them lose on average +0\.3000 EUR", asking)
    deciding = served.begin(served.decided_after(question, 2, 1))
    played = ask("play", "--stake", 2, "--choice", 2, "--bets", 2, "--text", asked.text[:8].upper(), "--yes")
    deciding.result(60)
    won = 2 * 2 * EUR * 9 // 10
    assert (played["bets"], played["net"], played["open_bets"], played["open_stakes"]) == (2, str(won), 0, "0")
    assert played["balance_to_bet_with"] == str(20 * EUR + won)

    lost = served.question()
    deciding = served.begin(served.decided_after(lost, 1, 0))
    assert ask("play", "--stake", 1, "--choice", 2, "--yes")["net"] == str(won - EUR)
    deciding.result(60)

    world.travel(2 * HOUR * 1_000)  # a session that outlives its offer is not marked as closed any more
    assert ask("close", "--yes", options=("--dry-run",))["dry_run"] is True
    closed = ask("close", "--yes")
    assert (closed["net"], closed["session"]) == (str(won - EUR), opened["session"])
    assert int(closed["balance"]) == world.money() == before - TERMS.activation + won - EUR
    # The notebook of a session that is over makes room for the next one, and stays.
    following = ask("open", 5, "--yes")
    assert following["session"] != opened["session"]
    assert any(path.name == f"{opened['session'][2:]}.jsonl" for path in world.folder.rglob("*.jsonl"))


def test_a_session_is_topped_up(served, ask, live):
    before = served.world.money()
    assert "you have no session here" in live("top-up", 1, "--yes").output
    opened = ask("open", 5, "--loss-cap", 8, "--yes")
    assert "at most 3.00 EUR" in live("top-up", "3.01", "--yes").output
    assert ask("top-up", 2, "--yes", options=("--dry-run",))["dry_run"] is True
    assert served.world.money() == before - TERMS.activation - 5 * EUR
    asking = live("top-up", 2, as_json=False, input="n\n").output
    assert re.search(r"leaves your balance now +2\.00 EUR", asking)
    assert re.search(r"can be topped up after it +1\.00 EUR", asking)
    assert ask("top-up", 2, "--yes")["balance_to_bet_with"] == str(7 * EUR)
    session = bytes.fromhex(opened["session"][2:])
    assert served.world.tessera.sessions.session(session).top_ups == 2 * EUR
    assert served.world.money() == before - TERMS.activation - 7 * EUR


def test_a_session_is_ended_alone(served, ask, live):
    before = served.world.money()
    assert "you have no session here" in live("exit", "--yes", alone=True).output
    assert "you have no session here" in live("close", "--yes").output
    opened = ask("open", 20, "--yes")
    session = bytes.fromhex(opened["session"][2:])
    sessions = served.world.tessera.sessions
    looked = ask("exit", "--look", "--yes", alone=True)
    assert (looked["stage"], looked["did"]) == ("open", "nothing: nothing is due")
    began = ask("exit", "--yes", alone=True)
    assert (began["stage"], began["did"]) == ("exiting", "began the exit")
    assert began["can_be_answered_until"] == sessions.session(session).end > served.world.block_at()
    assert ask("exit", "--yes", alone=True)["did"] == "nothing: nothing is due"
    for _ in range(10):
        if sessions.session(session).stage is not Stage.EXITING:
            break
        served.world.travel(6 * HOUR * 1_000)
        ask("exit", "--yes", alone=True)
    ended = ask("exit", "--yes", alone=True)
    assert (ended["stage"], int(ended["balance"])) == ("closed", served.world.money())
    assert served.world.money() == before - TERMS.activation


def test_own_limits(served, ask, live):
    ask("open", 20, "--yes")
    limits = {kind: each for kind, each in ask("limits").items() if kind != "cool_off_until"}
    assert limits == {kind: {"now": None, "later": None} for kind in LIMITS}
    assert ask("limits", "stake", 1, options=("--dry-run",))["dry_run"] is True
    assert ask("limits")["stake"]["now"] is None
    assert ask("limits", "stake", 1)["stake"] == {"now": str(EUR), "later": None}
    served.question()
    refused = live("play", "--stake", "1.5", "--yes")
    assert refused.exit_code != 0
    served.world.travel(1_000)
    assert ask("limits", "stake", 0)["stake"] == {"now": "0", "later": None}
    served.world.travel(1_000)
    looser = ask("limits", "stake", "none")["stake"]
    assert looser == {"now": "0", "later": {"value": None, "from": served.world.ms // 1_000 + 24 * HOUR}}
    shown = live("limits", as_json=False).output
    assert re.search(r"stake +0\.00 EUR; none from \w+ \d+ \w+ \d{4} .* on", shown)
    served.world.travel(1_000)
    assert ask("limits", "session_minutes", 90)["session_minutes"]["now"] == 90
    served.world.travel(1_000)
    until = ask("limits", "cool_off", 2)["cool_off_until"]
    assert until == served.world.ms // 1_000 + 2 * HOUR
    assert "a whole number of hours" in live("limits", "cool_off", "none").output
    assert "a whole number of minutes" in live("limits", "session_minutes", "1.5").output
    assert "say what stake is to be" in live("limits", "stake").output


def test_an_engine_that_is_not_there(live, served, monkeypatch):
    monkeypatch.setattr(Connection.until, "__defaults__", (0.2,))  # seconds, in place of ten
    result = live("questions", "--engine", "ws://127.0.0.1:9/ws", alone=True)
    assert result.exit_code != 0
    assert "no engine answers at ws://127.0.0.1:9/ws" in result.output


def test_the_key_that_signs_bets_is_the_account_s_own(served, ask):
    """Made again from the account's signature, and so in no file."""
    ask("open", 5, "--yes")
    domain = served.world.tessera.sessions.domain
    text = f"My key for live sessions.\nContract: {domain.contract.lower()}\nChain: {domain.chain_id}"
    from eth_account.messages import encode_defunct

    signed = known_account(PLAYER).sign_message(encode_defunct(text=text)).signature
    secret = keccak(bytes(signed)).hex()
    assert [
        path for path in served.world.folder.rglob("*") if path.is_file() and secret in path.read_text("latin1")
    ] == []


def test_a_choice_is_a_number_a_range_or_never():
    eur = {"pays": "1.90 EUR", "expected_loss": "0.05 EUR"}
    said = [live_command._sentence({"choice": 1, "low": low, "high": high, **eur}) for low, high in ((3, 3), (4, 7))]
    assert [sentence.partition(":")[0] for sentence in said] == ["1 (3)", "1 (4 to 7)"]
    never = live_command._sentence({"choice": 2, "low": 2**256 - 1, "high": 2**256 - 1, **eur})
    assert never == "2 (never): pays 1.90 EUR, loses 0.05 EUR on average"


def test_a_question_s_text_moves_no_cursor_and_turns_nothing_around():
    """The line of a bet had it as the house wrote it: it could overwrite what was staked."""
    line = live_command.placed_line(1, 5 * EUR, "Left?\x1b[1A\u202e", EUR)
    assert line == "bet 1: 5.00 EUR on Left?␛[1A<U+202E>, pays 6.00 EUR"


def test_what_the_house_signed_agrees_with_what_it_publishes(served, ask, live, tmp_path):
    world = served.world
    ask("open", 20, "--yes")
    question = served.question()
    assert "the stake is below" in live("play", "--stake", "0.01", "--yes").output
    deciding = served.begin(served.decided_after(question, 1, 1))
    ask("play", "--stake", 1, "--choice", 2, "--yes")
    deciding.result(60)
    printed = live("receipts", world.stream_id, alone=True, as_json=False).output
    items = [json.loads(line) for line in printed.splitlines()]
    assert [item["type"] for item in items] == ["receipt", "quote", "refusal", "quote", "receipt"]
    assert live("receipts", world.stream_id + 1, alone=True, as_json=False).output == ""
    kept = tmp_path / "kept.jsonl"
    kept.write_text(printed)
    world.travel(1_000)
    while (published := published_by(world)) is None or published["refusals"] != {"stake": 1}:
        time.sleep(0.05)
    assert published["accepted"] == 2
    assert audit_stream.main(str(world.folder / "public"), str(kept)) == audit_stream.CLEAN


def published_by(world) -> dict | None:
    """The figures that a world's engine has published."""
    path = world.folder / "public" / "fairness.json"
    return json.loads(path.read_text()) if path.exists() else None
