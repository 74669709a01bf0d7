"""An engine that waits for its stream: what holds it up, what it asks of a node meanwhile, and how it is stopped."""

import asyncio
from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import pytest

from tessera.chain.errors import (
    NodeError,
    NodeRefusedError,
    NoGasMoneyError,
    NotMinedError,
    TooDearError,
)
from tessera.chain.micro_sessions import SessionClosed, SessionOpened
from tessera.live import chain
from tessera.live import service as module
from tessera.live.chain import Duty, News
from tessera.live.facts import Facts
from tessera.live.journal import JournalError, NotOwnerError
from tessera.live.memory import Memory
from tessera.live.runner import Runner
from tessera.live.service import Service
from tests.live import DOMAIN, EVENT, STREAM

PATIENCE_SECONDS = 60


class Journal:
    """Another engine's, for so many attempts."""

    def __init__(self, attempts: int = 0):
        self.attempts = attempts

    def unread(self) -> list:
        return []

    def own(self) -> bool:
        self.attempts -= 1
        return self.attempts < 0

    def close(self) -> None:
        pass


class Watch:
    """A chain of one block; each look after the first one waits for `goes_on`."""

    def __init__(self):
        self.looks, self.goes_on = 0, Event()

    def look(self) -> News:
        self.looks += 1
        if self.looks > 1:
            assert self.goes_on.wait(PATIENCE_SECONDS)
        return News([], self.looks, 1_800_000_000, is_anew=False)


@pytest.fixture
def run(monkeypatch):
    """Runs a service until it ends. Returns what its engine knew of the chain; `begun` is called when it is made."""
    monkeypatch.setattr(module, "TRY_SECONDS", 0.001)

    def run(journal: Journal, watch: Watch, begun, every: float) -> list:
        made = []

        def runner(journal, memory, facts, watch):
            made.append(facts)
            begun(service)
            return SimpleNamespace(engine=SimpleNamespace(has_failed=False), has_stopped=asyncio.Event(), failure=None)

        async def all_of_it() -> None:
            nonlocal service
            service = Service(
                lambda: journal,
                lambda: Memory(DOMAIN, STREAM),
                lambda: watch,
                runner,
                lambda runner: runner.has_stopped.wait(),
                lambda text: None,
                every=every,
            )
            async with asyncio.timeout(PATIENCE_SECONDS):
                await service.run()

        service: Service
        asyncio.run(all_of_it())
        return made

    return run


def stop(service: Service) -> None:
    service.stopping.set()


def test_a_signal_that_comes_while_the_engine_begins_is_heard(run):
    """Nobody listened between the moment at which the stream was taken and that at which its server ran."""
    assert len(run(Journal(), Watch(), stop, every=3_600)) == 1


def test_an_engine_that_waits_asks_the_node_no_more_often_than_one_that_runs(run):
    watch = Watch()
    (facts,) = run(Journal(attempts=50), watch, stop, every=3_600)
    assert watch.looks == 1  # it was once for each attempt
    assert (facts.head, facts.block_at) == (1, 1_800_000_000)


def test_an_engine_that_waits_keeps_no_sessions_that_are_over_and_forgotten(run):
    """It kept what the chain says of every session that there ever was."""
    names = [bytes([number]) * 32 for number in range(3)]

    class Busy(Watch):
        def look(self) -> News:
            self.goes_on.set()
            number, news = self.looks, super().look()
            if number >= len(names):
                return news
            at = {**EVENT, "session": names[number]}
            opened = SessionOpened(player=f"player {number}", stream_id=STREAM, **at)
            return replace(news, events=[opened, SessionClosed(net=0, activated=True, **at)])

    watch = Busy()

    class Waiting(Journal):
        def own(self) -> bool:
            return watch.looks > len(names)

    (facts,) = run(Waiting(), watch, stop, every=0)
    assert (facts.sessions, facts.closed) == ({}, [])
    assert facts.players == {"player 0", "player 1", "player 2"}


def test_closed_sessions_that_are_known_still_are_kept():
    facts = Facts(STREAM, 0)
    for name in (b"known", b"not known"):
        at = {**EVENT, "session": name}
        facts.add(SessionOpened(player="player", stream_id=STREAM, **at))
        facts.add(SessionClosed(net=0, activated=True, **at))
    facts.add(SessionOpened(player="player", stream_id=STREAM, **{**EVENT, "session": b"open"}))
    facts.forget_closed({b"known"})
    assert (set(facts.sessions), facts.closed) == ({b"known", b"open"}, [b"known"])


def test_a_node_that_does_not_answer_holds_up_no_attempt(run):
    watch = Watch()

    class Waiting(Journal):
        def own(self) -> bool:
            if self.attempts == 1:
                watch.goes_on.set()  # the last but one attempt, long after the look began
            return super().own()

    (facts,) = run(Waiting(attempts=50), watch, stop, every=0)
    assert facts.head == watch.looks > 1  # what was asked when the stream was taken is known


def test_the_chain_is_looked_at_while_a_transaction_waits_to_be_mined(stage, monkeypatch):
    """It was not: after half a minute bets were refused as on a stale chain, and an exit that began was not seen."""
    looks, sends, mined = [], [], Event()

    class Growing:
        tessera = None

        def look(self) -> News:
            looks.append(stage.guard.block_at)
            return News([], len(looks), stage.time // 1_000 + len(looks), is_anew=False)

    def send(*_) -> bool:
        sends.append(len(looks))
        return mined.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(chain, "due", lambda _: [] if mined.is_set() else [Duty("closing", send)])

    async def scene() -> None:
        runner = Runner(stage.engine, Growing(), None, every=0.01)
        running = asyncio.create_task(runner.run())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not sends or len(looks) < sends[0] + 20:
                assert not running.done()
                await asyncio.sleep(0.01)
        assert stage.guard.block_at > stage.time // 1_000 + sends[0]
        assert len(sends) == 1  # what is under way is not sent again
        mined.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scene())


class Still:
    """A chain on which nothing happens."""

    tessera = None

    def __init__(self, stage):
        self.stage = stage

    def look(self) -> News:
        return News([], 1, self.stage.time // 1_000, is_anew=False)


def done_of(stage, monkeypatch, duties: list[Duty]) -> Runner:
    """A runner that has had these duties in one round."""
    monkeypatch.setattr(chain, "due", lambda _: duties)

    async def scene() -> Runner:
        runner = Runner(stage.engine, Still(stage), None, is_inline=True)
        await runner.look()
        return runner

    return asyncio.run(scene())


@pytest.mark.parametrize("error", [TooDearError("no"), NoGasMoneyError("no"), NodeRefusedError("no", "send", 1)])
def test_a_duty_that_cannot_be_done_now_holds_up_no_other(stage, monkeypatch, error):
    """A close that was too dear, or that the node did not take, left an old state without an answer."""
    done = []

    def fails(*_) -> bool:
        raise error

    done_of(stage, monkeypatch, [Duty("close", fails), Duty("challenge", lambda *_: done.append("challenge") is None)])
    assert done == ["challenge"]


@pytest.mark.parametrize("error", [NodeError("no connection", "call"), NotMinedError("it waits")])
def test_where_no_other_duty_could_be_done_none_is_tried(stage, monkeypatch, error):
    tried = []

    def away(*_) -> bool:
        tried.append(1)
        raise error

    done_of(stage, monkeypatch, [Duty("close", away)] * 3)
    assert len(tried) == 1


def test_an_owner_that_was_followed_while_its_transaction_waited_sends_no_other(stage, monkeypatch):
    """It went through all that had been due: each took the place of what the new owner had sent by the same account."""
    sent = []

    def send(*_) -> bool:
        sent.append(1)
        monkeypatch.setattr(stage.journal, "beat", followed)
        return True

    def followed() -> None:
        raise NotOwnerError("another engine has this stream")

    with pytest.raises(NotOwnerError):
        done_of(stage, monkeypatch, [Duty("close", send)] * 3)
    assert len(sent) == 1
    assert stage.engine.has_failed


def service_of(stage, serve, say=lambda text: None) -> Service:
    """A service that serves a stage's engine in this way."""
    return Service(
        Journal,
        lambda: Memory(DOMAIN, STREAM),
        Watch,
        lambda *_: Runner(stage.engine, Watch(), None, is_inline=True, every=3_600),
        serve,
        say,
    )


def test_a_fault_that_ends_the_engine_ends_the_command_with_it(stage, monkeypatch):
    """The door swallowed it: the command said "stopped", with status 0 and no word of why."""

    def tick() -> None:
        raise KeyError("a question that nobody asked")

    monkeypatch.setattr(stage.engine, "tick", tick)

    async def serve(runner: Runner) -> None:
        running = asyncio.create_task(runner.run())
        await runner.has_stopped.wait()
        await asyncio.gather(running, return_exceptions=True)  # as the door does

    service = service_of(stage, serve)
    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(service.run())
    assert caught.group_contains(KeyError)


def test_why_a_commit_failed_is_in_the_operator_s_log(stage, monkeypatch, caplog):
    """The command said "another engine's, or the journal failed", and a full disk was nowhere."""
    said = []

    async def commit_something(runner: Runner) -> None:
        running = asyncio.create_task(runner.run())
        monkeypatch.setattr(stage.journal, "commit", failing)
        stage.engine.ask(stage.question(), (500_000, 500_000))
        await runner.has_stopped.wait()
        await asyncio.gather(running, return_exceptions=True)
        service.stopping.set()

    def failing(_) -> None:
        raise JournalError("database or disk is full")

    def serve(runner: Runner):
        return asyncio.wait_for(commit_something(runner), PATIENCE_SECONDS)

    service = service_of(stage, serve, said.append)
    asyncio.run(service.run())
    assert "the engine signs nothing more: database or disk is full" in caplog.messages
    assert said == ["the stream was lost: it is another engine's, or the journal failed; waits for it again"]
