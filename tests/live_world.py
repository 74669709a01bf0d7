"""A live stream on the embedded chain as tests use it: its contracts, its engine, a clock that goes when told to."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.embedded import embedded_web3, known_account
from tessera.chain.micro_sessions import StreamOpened
from tessera.chain.panels import PanelCreated, ascending
from tessera.deployment.deploy import deploy
from tessera.live.chain import Watch
from tessera.live.client import Connection, Notebook, Observer, Player
from tessera.live.clock import Guard
from tessera.live.engine import Engine
from tessera.live.journal import owned
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.keys import Key
from tessera.live.panel import Panel
from tessera.live.runner import Runner
from tessera.live.server import served
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.typed import Choice, Question
from tests.live import TERMS

HOUR = 3_600
OWNER, OPERATOR, PLAYER, HOUSE, SESSION_KEY = 0, 1, 2, 10, 11
OBSERVERS = range(3, 6)


def deployed_streams(path: Path) -> Tessera:
    """A chain of its own with a club and micro-bets, recorded in a file; operator and player have joined."""
    web3 = embedded_web3()
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("latest")["timestamp"] + 10 * 86_400)
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
        members = ascending(known_account(i).address for i in OBSERVERS)
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
        self.runner = Runner(self.engine, Watch(tessera), operator, every=0.05, is_inline=True, files=folder / "public")
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
        async with served(self.runner) as url, AsyncExitStack() as stack:
            working = []
            for index in [*OBSERVERS][:2]:
                connection = await stack.enter_async_context(Connection(url, self.tessera))
                observer = Observer(connection, key(index), self.see, lambda: self.ms)
                working.append(asyncio.create_task(observer.run(0.02)))
            yield url
            for work in working:
                work.cancel()
            await asyncio.gather(*working, return_exceptions=True)
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
