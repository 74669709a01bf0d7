"""A player and an engine on the embedded chain, through the engine's own door."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn

from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.micro_sessions import SessionClosed, Stage, StreamOpened
from tessera.chain.panels import PanelCreated
from tessera.deployment.deploy import deploy
from tessera.live.chain import Watch
from tessera.live.client import Connection, EngineRefused, FrozenError, Notebook, Observer, Player
from tessera.live.clock import Guard
from tessera.live.engine import Engine
from tessera.live.journal import owned
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.keys import Key
from tessera.live.panel import Panel
from tessera.live.runner import Runner
from tessera.live.server import app_of
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.typed import Choice, Question, State
from tests.live import TERMS
from tests.undo import undone

HOUR = 3_600
OWNER, OPERATOR, PLAYER, HOUSE, SESSION_KEY = 0, 1, 2, 10, 11
OBSERVERS = range(3, 6)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Tessera:
    web3 = embedded_web3()
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("latest")["timestamp"] + 10 * 86_400)
    path = tmp_path_factory.mktemp("deployed") / "local.json"
    owner, *people = (Wallet(web3, known_account(i)) for i in (OWNER, OPERATOR, PLAYER))
    deploy(owner, "friends", {"shortest_window": HOUR}, path=path)
    tessera = Tessera(web3, deploy(owner, "micro", {"short_window": HOUR, "long_window": 24 * HOUR}, path=path))
    tessera.play_euro.invite(owner, [person.address for person in people])
    for person in people:
        tessera.play_euro.join(person, consent=0b10)
    return tessera


def key(index: int) -> Key:
    return Key(bytes(known_account(index).key))


class World:
    """A stream on the chain with its engine, served; a clock for all of them that goes when it is told to."""

    def __init__(self, tessera: Tessera, folder):
        self.tessera, self.web3, self.folder = tessera, tessera.web3, folder
        owner, operator = (Wallet(self.web3, known_account(i)) for i in (OWNER, OPERATOR))
        members = sorted((known_account(i).address for i in OBSERVERS), key=lambda address: int(address, 16))
        panel_id = tessera.panels.create_panel(owner, members, 2).event(PanelCreated).panel_id
        opened = tessera.sessions.open_stream(operator, panel_id, operator.address, 45)
        self.stream_id = opened.event(StreamOpened).stream_id
        tessera.sessions.fund_stream(operator, self.stream_id, 45 * EUR)
        self.ms = self.block_at() * 1_000
        domain = tessera.sessions.domain
        panel = Panel(panel_id, tessera.panels.address, tuple(members), 2, domain)
        terms = replace(TERMS, house_lock_bps=20_000)
        self.journal = owned(SqliteJournal(folder / "stream.db", "a stream"))
        guard = Guard(lambda: self.ms)
        self.engine = Engine(domain, self.stream_id, panel, terms, key(HOUSE), key(OPERATOR), self.journal, guard)
        self.runner = Runner(self.engine, Watch(tessera), operator, every=0.05, is_inline=True)
        self.outcome, self.asked = 0, 0

    def block_at(self) -> int:
        return self.web3.eth.get_block("latest")["timestamp"]

    def travel(self, ms: int) -> None:
        """The clock goes on, and the chain with it, whose next block may be ahead of a clock that stands."""
        self.ms = max(self.ms + ms, (self.block_at() + 1) * 1_000)
        self.web3.provider.ethereum_tester.time_travel(self.ms // 1_000)
        self.web3.provider.ethereum_tester.mine_block()
        self.ms = max(self.ms, self.block_at() * 1_000)

    @asynccontextmanager
    async def served(self):
        """The engine at a port of its own; two of three observers at work. Yields its URL."""
        config = uvicorn.Config(app_of(self.runner), port=0, log_level="error", ws="websockets-sansio")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        url = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/ws"
        async with AsyncExitStack() as stack:
            working = []
            for index in [*OBSERVERS][:2]:
                connection = await stack.enter_async_context(Connection(url, self.tessera))
                observer = Observer(connection, key(index), self.see, lambda: self.ms)
                working.append(asyncio.create_task(observer.run(0.02)))
            yield url
            for work in working:
                work.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        server.should_exit = True
        await serving
        self.journal.close()

    async def see(self, question: Question) -> int:
        return self.outcome

    async def ask(self, connection: Connection) -> bytes:
        """A question that a connection has a quote of."""
        self.travel(1_000)
        await self.runner.look()
        self.asked += 1
        lock = self.ms + 10_000
        times = (lock, lock + 3_000, lock + 8_000, lock + 3 * HOUR * 1_000)
        text = f"Does car {self.asked} turn left?"
        question = Question(Kind.BINARY, self.stream_id, text, *times, 0, (Choice(0, 0), Choice(1, 1)))
        self.engine.ask(question, (500_000, 500_000))
        digest = self.engine.domain.digest(question)
        await connection.until(lambda: digest in connection.quotes)
        return digest

    async def decide(self, connection: Connection, question: bytes, outcome: int) -> None:
        """Betting ends, the book is signed, and observers see what happened."""
        self.outcome = outcome
        self.travel(connection.questions[question].lock - self.ms)
        await connection.until(lambda: question in connection.books)
        if connection.leaves.get(question):
            await connection.until(lambda: question in connection.confirmed)
        self.travel(9_000)
        await connection.until(lambda: question in connection.results)

    def player(self, connection: Connection) -> Player:
        wallet, notebook = Wallet(self.web3, known_account(PLAYER)), Notebook(self.folder / "player.jsonl")
        return Player(connection, wallet, key(SESSION_KEY), notebook, lambda: self.ms)

    def money(self) -> int:
        return self.tessera.escrow.balance_of(known_account(PLAYER).address)


@pytest.fixture
def world(deployed, tmp_path):
    with undone(deployed.web3):
        yield World(deployed, tmp_path)


def play(world: World, scene) -> None:
    """Runs a scene with a served engine."""

    async def all_of_it():
        async with asyncio.timeout(60), world.served() as url, Connection(url, world.tessera) as connection:
            await scene(connection)

    asyncio.run(all_of_it())


async def closed(world: World, session: bytes) -> None:
    while world.tessera.sessions.session(session).stage is not Stage.CLOSED:
        await asyncio.sleep(0.02)


def test_a_hundred_bets_by_the_client_alone(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR, loss_cap=15 * EUR)
        expected, bets = 0, 0
        for round_number in range(10):
            question = await world.ask(connection)
            outcome = round_number % 2
            for number in range(10):
                stake = EUR // 10 * (1 + number % 2)
                bet = await player.bet(question, number % 2, stake)
                bets += 1
                expected += bet.liability if number % 2 == outcome else -stake
            await world.decide(connection, question, outcome)
        assert (bets, len(connection.confirmed)) == (100, 10)
        agreement = await player.close()
        assert agreement.net == expected
        await closed(world, session)
        assert world.money() == before - TERMS.activation + expected
        assert connection.broken is None
        heads = connection.heads
        assert heads[max(heads)] == world.engine.published[1]
        with pytest.raises(FrozenError, match="agreement"):
            await player.bet(question, 0, EUR)

    play(world, scene)
    events = list(world.tessera.log_reader().read())
    assert [event.net for event in events if isinstance(event, SessionClosed)] != []


def test_a_refusal_changes_nothing_and_the_player_plays_on(world):
    async def scene(connection):
        player = world.player(connection)
        await player.open(20 * EUR)
        question = await world.ask(connection)
        state = player.state
        with pytest.raises(EngineRefused, match="the stake is below") as caught:
            await player.bet(question, 0, 1_000)
        assert caught.value.name == "stake"
        assert player.state == state
        bet = await player.bet(question, 0, EUR)
        assert player.state.open_bets == (bet,)
        assert player.view["balance"]

    play(world, scene)


def test_a_player_that_was_restarted_goes_on_where_its_notebook_ends(world):
    async def scene(connection):
        player = world.player(connection)
        await player.open(20 * EUR)
        question = await world.ask(connection)
        await player.bet(question, 0, EUR)
        again = world.player(connection)
        assert (again.session, again.state, again.receipt) == (player.session, player.state, player.receipt)
        await world.decide(connection, question, 1)
        second = await world.ask(connection)
        await again.bet(second, 0, EUR)
        assert again.state.net == -EUR
        again.notebook.write("sent", state=replace(again.state, seq=9), signature=again.signature)
        assert world.player(connection).frozen == "a state that was sent has no answer"

    play(world, scene)


def test_the_engine_answers_a_player_who_posts_an_old_state(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR)
        question = await world.ask(connection)
        await player.bet(question, 0, 2 * EUR)
        await world.decide(connection, question, 1)  # lost
        wallet = player.wallet
        world.tessera.sessions.start_exit(wallet, player.offer, State())  # as if nothing had been bet
        sessions = world.tessera.sessions
        while not sessions.session(session).proven:  # challenged, book landed, newest bet proven
            await asyncio.sleep(0.02)
        assert sessions.session(session).seq == player.state.seq
        world.travel(6 * HOUR * 1_000)
        while sessions.session(session).stage is Stage.EXITING:
            await asyncio.sleep(0.02)
        assert world.money() == before - TERMS.activation - 2 * EUR

    play(world, scene)


def test_the_player_answers_a_house_that_posts_an_old_state(world):
    async def scene(connection):
        player, before = world.player(connection), world.money()
        session = await player.open(20 * EUR)
        question = await world.ask(connection)
        bet = await player.bet(question, 0, 2 * EUR)
        await world.decide(connection, question, 0)  # won
        world.runner.engine.facts.sessions.clear()  # the engine does not look
        operator, sessions = Wallet(world.web3, known_account(OPERATOR)), world.tessera.sessions
        sessions.start_exit(operator, player.offer, State())
        assert player.watch() == "answered the exit"
        with pytest.raises(FrozenError):
            await player.bet(question, 0, EUR)
        done = []
        while sessions.session(session).stage is Stage.EXITING and len(done) < 20:
            done.append(player.watch())
            if done[-1] is None:
                world.travel(6 * HOUR * 1_000)
        assert "ended the exit" in done
        assert world.money() == before - TERMS.activation + bet.liability

    play(world, scene)


def test_a_forged_receipt_freezes_the_player_who_exits_alone(world):
    async def scene(connection):
        player = world.player(connection)
        session = await player.open(20 * EUR)
        question = await world.ask(connection)
        completed, ask = player.state, connection.ask

        async def forged(name, **body):
            answer = await ask(name, **body)
            if name == "place":
                answer["receipt"]["head"] = "0x" + "77" * 32
            return answer

        connection.ask = forged
        with pytest.raises(FrozenError, match="forged"):
            await player.bet(question, 0, EUR)
        with pytest.raises(FrozenError):
            await player.bet(question, 0, EUR)
        assert player.state == completed
        player.exit()
        assert world.tessera.sessions.session(session).stage is Stage.EXITING

    play(world, scene)


def test_a_record_that_does_not_run_on_is_noticed(world):
    async def scene(connection):
        player = world.player(connection)
        await player.open(20 * EUR)
        question = await world.ask(connection)
        world.runner._publish(None, {"type": "line", **dict.fromkeys(("kind", "epoch"), "1"), "n": "999"} | BENT)
        await connection.until(lambda: connection.broken is not None)
        with pytest.raises(FrozenError, match="line 999"):
            await player.bet(question, 0, EUR)

    play(world, scene)


BENT = dict.fromkeys(("question", "leaf", "head"), "0x" + "11" * 32)
