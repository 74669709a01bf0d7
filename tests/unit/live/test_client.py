"""An observer says again what was not taken, and a player shows what is unanswered; without a connection."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tessera.chain.errors import ChainError
from tessera.live import answers, client
from tessera.live.client import Connection, EngineRefused, FrozenError, Notebook, Observer, OtherStreamError, Player
from tessera.live.refusals import Code, Refused
from tessera.live.wire import encode
from tessera.model.sessions import states
from tessera.model.sessions.typed import State
from tests.live import DOMAIN, HOUSE, OBSERVERS, PANEL, STREAM, Stage
from tests.live_processes import FolderChain


@pytest.fixture
def connection(stage) -> Connection:
    """What a connection knows once a question is locked; `said` are the commands that it was to send."""
    made = Connection("ws://nowhere", None)
    made.stream = client.Stream(DOMAIN, STREAM, HOUSE.address, PANEL, 1)
    made.said, made.answers = [], []

    async def ask(name, seconds=10, **body):
        made.said.append((name, body))
        answer = made.answers.pop(0) if made.answers else {"type": "taken"}
        if isinstance(answer, Exception):
            raise answer
        return answer

    made.ask = ask
    return made


def tell(connection: Connection, stage: Stage) -> None:
    """All that an engine has published."""
    for _, message in stage.published:
        if message["type"] != "session":
            connection._take(message)
    stage.published.clear()


def observer_of(connection: Connection, stage: Stage) -> Observer:
    async def source(_) -> int:
        return 1

    return Observer(connection, OBSERVERS[0], source, lambda: stage.time)


def refused(name: str) -> EngineRefused:
    return EngineRefused({"type": "refused", "code": name, "reason": name})


def locked(stage: Stage, connection: Connection):
    """A question without bets, locked, whose lines the connection has."""
    connection.heads[stage.engine.published[0]] = stage.engine.published[1]
    stage.published.clear()
    quoted = stage.ask()
    stage.pass_time(10_000)
    tell(connection, stage)
    return quoted


def names(connection: Connection) -> list[str]:
    said = [name for name, _ in connection.said]
    connection.said.clear()
    return said


def test_a_question_that_no_rule_allows_is_none(stage, connection):
    """It ended the client's listening for good, without a word."""
    stage.ask()
    [message] = [message for _, message in stage.published if message["type"] == "question"]
    question = message["question"]
    # What is bet on could begin before the bets end.
    connection._take(message | {"question": question | {"start": question["lock"]}})
    assert connection.questions == {}
    connection._take(message)
    assert len(connection.questions) == 1


def test_a_quote_that_is_another_one_in_the_record_is_none_and_breaks_it(stage, connection):
    """Odds are the same for everybody: a player to whom alone the house quoted worse ones had no way to notice."""
    connection.heads[stage.engine.published[0]] = stage.engine.published[1]
    stage.published.clear()
    quoted = stage.ask()
    [told] = [message for _, message in stage.published if message["type"] == "quote"]
    worse = replace(quoted.quote, odds=(1_500, *quoted.quote.odds[1:]))
    early = replace(worse, number=quoted.quote.number + 1)  # of a line that is not there yet
    signed = [told | encode({"quote": one, "signature": HOUSE.sign(DOMAIN.digest(one))}) for one in (early, worse)]
    tell(connection, stage)
    connection._take(signed[0])
    assert (connection.quotes[quoted.quote.question][1], connection.broken) == (quoted.quote, None)
    connection._take(signed[1])
    n = quoted.quote.number
    assert connection.broken == f"the house signed another quote for line {n} than its record has"
    assert connection.quotes[quoted.quote.question][1] == quoted.quote


def test_an_observer_sends_again_what_was_not_taken_and_what_is_not_decided(stage, connection):
    observer = observer_of(connection, stage)
    quoted = locked(stage, connection)
    connection.answers = [ChainError("no connection"), refused("stopped"), {"type": "taken"}]
    for expected in (["book"], ["book"], ["book"], []):
        asyncio.run(observer.step())
        assert names(connection) == expected
    stage.time += client.AGAIN_MS
    asyncio.run(observer.step())
    assert names(connection) == ["book", "report"]  # what was seen, too: its end is over
    assert asyncio.run(observer.step()) is None
    assert names(connection) == []
    connection.confirmed[quoted.quote.question] = []
    connection.results[quoted.quote.question] = 1
    stage.time += client.AGAIN_MS
    asyncio.run(observer.step())
    assert names(connection) == []


def test_a_new_connection_is_told_everything_again_and_how_far_the_record_goes(stage, connection):
    observer = observer_of(connection, stage)
    locked(stage, connection)
    asyncio.run(observer.step())
    assert names(connection) == ["book"]
    connection.epoch = 9
    (connected,) = connection.on_connected
    asyncio.run(connected())
    (name, body), *_ = connection.said
    assert (name, body["n"], body["head"]) == ("tail", *stage.engine.published)
    assert names(connection) == ["tail"]
    asyncio.run(observer.step())
    assert names(connection) == ["book"]


def test_no_report_is_sent_once_there_is_no_time_to_land_it(stage, connection):
    observer = observer_of(connection, stage)
    quoted = locked(stage, connection)
    stage.time = connection.questions[quoted.quote.question].report_by
    asyncio.run(observer.step())
    assert "report" not in names(connection)


@pytest.fixture
def player(stage, connection, tmp_path, monkeypatch) -> Player:
    monkeypatch.setattr(client, "UNANSWERED_SECONDS", 0.02)
    monkeypatch.setattr(client, "RETRY_SECONDS", 0.05)
    opened = stage.opened()
    made = Player(connection, opened.wallet, opened.key, Notebook(tmp_path / "notes.jsonl"), lambda: stage.time)
    made.session, made.offer = opened.session, opened.offer
    return made


def test_a_state_without_an_answer_is_sent_again_and_shown_to_observers(stage, connection, player):
    shown = []

    async def show(message) -> None:
        shown.append(message)

    player.on_unanswered.append(show)
    connection.answers = [ChainError("no connection"), refused("asking"), TimeoutError()]
    ask, sent = connection.ask, []

    async def slow(name, **body):
        sent.append(body["state"])
        if len(sent) == 3:
            stage.time += 16_000  # past the lock and what is waited for
        return await ask(name, **body)

    connection.ask = slow
    state = states.activation(State())
    with pytest.raises(FrozenError, match="did not answer in time"):
        asyncio.run(player._send(state, stage.time + 10_000))
    assert sent == [state] * 3  # the same state, never another one
    (message,) = shown
    assert (message["type"], message["state"]) == ("unanswered", encode(state))
    assert player.state == State()


def test_a_question_that_is_long_over_is_forgotten_with_all_that_belongs_to_it(stage, connection, player):
    """Whoever ran for ten days of ten bets a second had a gigabyte of them."""
    connection.now = lambda: stage.time
    over = []
    for _ in range(2):
        over.append(stage.ask())
        stage.settle(over[-1], 0)
    player.state = replace(player.state, open_bets=(stage.bet(over[1]),))
    tell(connection, stage)
    settled = [each.quote.question for each in over]
    known = (connection.questions, connection.quotes, connection.books, connection.confirmed, connection.results)
    assert [[*each] for each in known] == [settled] * 5
    assert len(connection.signed) == 4  # a result and a book of each
    stage.time = connection.questions[settled[1]].report_by + client.KEPT_MS

    new = []
    for _ in range(2):
        new.append(stage.ask().quote.question)
        tell(connection, stage)
        stage.time += 1
    assert [*connection.questions] == [*connection.quotes] == [settled[1], *new]
    assert [*connection.results] == [*connection.books] == [*connection.confirmed] == [settled[1]]
    assert len(connection.signed) == 2
    player.state = State()
    new.append(stage.ask().quote.question)
    tell(connection, stage)
    assert [*connection.questions] == new
    assert (connection.results, connection.signed, connection.books) == ({}, {}, {})


def test_a_view_that_was_asked_for_replaces_no_newer_one_that_comes_with_it(stage, connection, player):
    """The engine saw the session on chain in the moment in which it was asked: `begin` waited in vain."""
    asked, view = [], stage.engine.view(stage.engine.session(player.session))

    class Socket:
        async def send(self, text: str) -> None:
            asked.append(json.loads(text))

        async def __aiter__(self):
            while not asked:
                await asyncio.sleep(0)
            answer = {**view, "id": asked[0]["id"], "is_confirmed": False}
            yield json.dumps([answer, {**view, "is_confirmed": True}])

    async def scene() -> None:
        del connection.ask
        connection._socket, connection._greeted = Socket(), True
        following = asyncio.create_task(player.follow())
        await connection._listen(connection._socket)
        assert not (await following)["is_confirmed"]

    asyncio.run(scene())
    assert player.view["is_confirmed"]


def test_a_refusal_of_an_engine_that_does_not_run_is_none(stage, connection, player):
    completed = stage.engine.session(player.session).completed
    receipt = completed.receipt
    connection.heads[receipt.n] = receipt.head
    connection.answers = [refused("stopped"), {"type": "receipt", "receipt": encode(receipt._asdict())}]
    asyncio.run(player._send(completed.state, stage.time + 10_000))
    assert (player.state, player.frozen) == (completed.state, None)
    assert names(connection) == ["place", "place"]


@pytest.mark.parametrize("cut", [1, 10], ids=["its end", "more"])
def test_a_line_that_a_crash_cut_off_takes_no_other_with_it(tmp_path, cut):
    """The next line was written to the end of it and read no more: a state that was sent was forgotten by a second
    crash, and its player signed another one of the same seq."""
    notebook = Notebook(tmp_path / "notes.jsonl")
    notebook.write("offer", salt=1)
    notebook.write("sent", seq=2)
    whole = notebook.path.read_bytes()
    notebook.path.write_bytes(whole[:-cut])
    notebook.write("sent", seq=3)
    notebook.write("completed", seq=3)
    kept = [{"what": "sent", "seq": "2"}] if cut == 1 else []
    assert notebook.lines() == [
        {"what": "offer", "salt": "1"},
        *kept,
        {"what": "sent", "seq": "3"},
        {"what": "completed", "seq": "3"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "5",
        "[5]",
        "{}",
        '{"type": "line"}',
        '{"type": "line", "n": "x"}',
        '{"type": "quote", "quote": {}}',
        '{"id": []}',
    ],
)
def test_an_address_that_says_what_nobody_can_read_is_left_for_the_next(monkeypatch, text):
    """It ended the listening without a word: an observer with a second, honest address signed nothing any more."""
    tried, made = [], Connection(["ws://bad", "ws://good"], None)

    class Socket:
        def __init__(self, url: str, **_):
            tried.append(url.partition("?")[0])

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            return None

        async def __aiter__(self):
            if tried[-1] == "ws://bad":
                yield text
            else:
                made._failed = ChainError("it was reached")
            await asyncio.Event().wait()

    monkeypatch.setattr(client, "connect", Socket)

    async def scene() -> None:
        keeping = asyncio.create_task(made._keep())
        await asyncio.wait({keeping}, timeout=0.05)
        assert not keeping.done()
        keeping.cancel()

    asyncio.run(scene())
    assert tried == ["ws://bad", "ws://good"]


def test_an_address_of_another_stream_is_left_out_and_the_others_are_used(stage, tmp_path, monkeypatch, caplog):
    """It ended the listening for good: a player with a good address left could neither bet nor close."""
    ours, tried = answers.about(stage.engine), []
    said = {"first": ours, "another": ours | {"stream_id": "4"}, "foreign": ours | {"chain_id": "1"}, "second": ours}
    monkeypatch.setattr(client, "RETRY_SECONDS", 0)

    class Socket:
        def __init__(self, url: str, **_):
            tried.append(url.partition("?")[0].removeprefix("ws://"))

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            return None

        async def __aiter__(self):
            yield json.dumps(said[tried[-1]])
            await asyncio.sleep(0)  # and it ends

    monkeypatch.setattr(client, "connect", Socket)

    async def scene() -> None:
        async with Connection([f"ws://{name}" for name in said], FolderChain(tmp_path)) as made:
            await made.until(lambda: len(tried) >= 8)
            assert (made.about.stream_id, made.urls) == (STREAM, ["ws://first", "ws://second"])
        with pytest.raises(OtherStreamError, match="not of the stream that it names"):
            await Connection("ws://foreign", FolderChain(tmp_path)).__aenter__()

    asyncio.run(scene())
    assert tried[:8] == ["first", "another", "foreign", "second", "first", "second", "first", "second"]
    assert [record.getMessage() for record in caplog.records] == [
        "ws://another is left out: this engine is of another stream than before",
        "ws://foreign is left out: this engine is of another stream than before",
        "ws://foreign is left out: this engine is not of the stream that it names",
    ]


def test_an_engine_that_ends_a_connection_says_why_and_is_asked_again(stage, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(client, "TRY_SECONDS", 0)
    refusal = Refused(Code.TOO_MANY_CONNECTIONS)
    full = {"id": None, "type": "refused", "code": refusal.name, "reason": str(refusal)}
    said = [full, full, answers.about(stage.engine)]

    class Socket:
        def __init__(self, url: str, **_): ...

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            return None

        async def __aiter__(self):
            yield json.dumps(said.pop(0))
            if not said:
                await asyncio.Event().wait()

    monkeypatch.setattr(client, "connect", Socket)

    async def scene() -> None:
        async with Connection("ws://here", FolderChain(tmp_path)) as made:
            assert made.about.stream_id == STREAM

    asyncio.run(scene())
    assert caplog.messages == [f"the engine refuses: {full['reason']}"]


def test_a_player_who_is_told_to_wait_asks_for_its_session_again(stage, connection, player, monkeypatch):
    """A player who comes back with a thousand others was never told of its session again."""
    monkeypatch.setattr(client, "TRY_SECONDS", 0)
    view = {"type": "session"}
    connection.answers = [refused("too_many_requests"), view]
    assert asyncio.run(player.follow()) == view
    connection.answers = [refused("unknown_session")]
    with pytest.raises(EngineRefused):
        asyncio.run(player.follow())


def test_a_result_that_a_full_disk_did_not_take_is_written_later(stage, connection, player, monkeypatch):
    """It counted as written: after a restart the player had no signatures by which to land it."""
    quoted = stage.ask()
    digest = quoted.quote.question
    player.state = State(2, 1, 0, True, (stage.bet(quoted),))
    connection.results[digest], connection.signed[digest] = 0, (0, [])

    def full(*_, **__) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(player.notebook, "write", full)
        with pytest.raises(OSError, match="no space"):
            player._outcomes()
    player._outcomes()
    assert [line["what"] for line in player.notebook.lines()] == ["result"]


def test_an_address_that_is_none_is_left_for_the_next():
    made, tried = Connection(["there:8800", "ws://there:port/ws"], None), []
    made.urls = [Tried(url, tried) for url in made.urls]

    async def scene() -> None:
        keeping = asyncio.create_task(made._keep())
        while len(tried) < 3 and not keeping.done():
            await asyncio.sleep(0.01)
        assert not keeping.done()
        keeping.cancel()

    asyncio.run(scene())


class Tried(str):
    """An address that notes that it was tried."""

    def __new__(cls, url: str, tried: list[str]):
        made = super().__new__(cls, url)
        made.tried = tried
        return made

    def __format__(self, form: str) -> str:
        self.tried.append(str(self))
        return super().__format__(form)


def test_a_record_that_is_shorter_than_before_is_shown_to_the_engine(stage, connection):
    connection.tessera = SimpleNamespace()
    connection._said = said = dict.fromkeys(client.SAID, "1")
    quoted = locked(stage, connection)
    n = max(connection.heads)
    greeting = {**said, "type": "stream", "n": str(n - 1), "head": "0x" + "00" * 32, "epoch": "2", "now": "1"}

    async def greet() -> None:
        connection._greet(greeting | {"has_ended": False})
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(greet())
    assert connection.broken == f"the engine has lost line {n} of the record"
    ((name, body),) = connection.said
    assert (name, body["quote"].question) == ("lost", quoted.quote.question)
