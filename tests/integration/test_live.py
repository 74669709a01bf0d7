"""`ape run live` as docs/live.md starts it: the page's own file and player, and a hundred bets by its client.

Once on the page's journal, once on a PostgreSQL that two engines share, of which one is killed.
"""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from web3 import HTTPProvider, Web3

from scripts.devnet import anvil
from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.micro_sessions import Stage, StreamOpened
from tessera.chain.panels import PanelCreated, ascending
from tessera.deployment.artifacts import ROOT
from tessera.deployment.deploy import deploy
from tessera.live.client import Connection, EngineRefused, Notebook, Observer, Player
from tessera.live.clock import wall_clock
from tessera.live.keys import Key
from tessera.live.wire import decode_hash
from tessera.model.sessions.record import NO_QUESTION
from tessera.model.sessions.states import MAX_OPEN
from tests.postgres import PROGRAMS, cluster
from tests.real.node import undone

pytestmark = pytest.mark.anvil

OWNER, OPERATOR, PLAYER, HOUSE = 0, 1, 2, 10
OBSERVERS = range(3, 6)
PAGE = (ROOT / "docs" / "live.md").read_text()
# Refusals after which one bets again: time passes while the machine is busy, quotes end with their engine, and the
# clock of one that takes over may be behind.
PASSING = ("quote_expired", "unknown_quote", "locked", "books_missing", "too_soon")
PATIENCE_SECONDS = 60.0


def block(kind: str) -> str:
    """The page's first listing of a kind."""
    return re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL).group(1)


class World:
    """A local chain with the contracts, and its clock; nothing else moves it."""

    def __init__(self, web3: Web3, folder: Path):
        self.web3, self.record = web3, folder / "devnet.json"
        owner, operator, player = (Wallet(web3, known_account(i)) for i in (OWNER, OPERATOR, PLAYER))
        deploy(owner, "friends", {"shortest_window": 3_600}, path=self.record, network="devnet")
        windows = {"short_window": 3_600, "long_window": 86_400}
        self.tessera = Tessera(web3, deploy(owner, "micro", windows, path=self.record, network="devnet"))
        self.tessera.play_euro.invite(owner, [operator.address, player.address])
        for person in (operator, player):
            self.tessera.play_euro.join(person, consent=0b10)
        self.owner, self.operator, self.player = owner, operator, player
        self.travel(3_600)  # as after `make devnet`: the chain is ahead of this machine

    def travel(self, seconds: int) -> None:
        self.web3.provider.make_request("evm_increaseTime", [seconds])
        self.web3.provider.make_request("evm_mine", [])
        self.stood = self.web3.eth.get_block("latest")["timestamp"] * 1_000
        self.lead = self.stood - wall_clock()

    def travel_to(self, ms: int) -> None:
        self.travel(max(1, -((self.now() - ms) // 1_000)))

    def now(self) -> int:
        return wall_clock() + self.lead

    async def tell(self, engine: "EngineProcess") -> None:
        """Waits until an engine has the world's clock. It goes by the chain's, which stood while the engine began: for
        more than a minute on a busy machine, and what a player signs is good for a minute."""
        self.web3.provider.make_request("evm_mine", [])
        mined = self.web3.eth.get_block("latest")["timestamp"] * 1_000
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await asyncio.to_thread(engine.clock) < mined:
                await asyncio.sleep(0.1)


class Stream:
    """A stream of the world, and the engines that were started for it."""

    def __init__(self, world: World, folder: Path):
        self.world, self.folder, self.tessera = world, folder, world.tessera
        members = ascending(known_account(i).address for i in OBSERVERS)
        panel_id = self.tessera.panels.create_panel(world.owner, members, 2).event(PanelCreated).panel_id
        opened = self.tessera.sessions.open_stream(world.operator, panel_id, world.operator.address, 45)
        self.stream_id = opened.event(StreamOpened).stream_id
        self.tessera.sessions.fund_stream(world.operator, self.stream_id, 45 * EUR)
        # Bets as fast as they are answered; the rest is the page's own.
        terms = "[terms]\nbetween_ms = 0\nrequests_per_second = 1_000\n"
        (folder / "stream.toml").write_text(block("toml").replace("[terms]\n", terms, 1))

    @contextmanager
    def engine(self, journal: str) -> Iterator["EngineProcess"]:
        """The command of the page. It must say that it has stopped, unless it was killed."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = re.search(r"^ape run live --stream.*$", PAGE, re.MULTILINE).group(0).split()
        options = dict(zip(command[3::2], command[4::2], strict=True)) | {
            "--stream": str(self.stream_id),
            "--file": str(self.folder / "stream.toml"),
            "--operator": f"TEST::{OPERATOR}",
            "--house": f"TEST::{HOUSE}",
            "--network": f"ethereum:local:{self.world.web3.provider.endpoint_uri}",
            "--record": str(self.world.record),
            "--journal": journal,
            "--port": str(port),
            "--every": "0.1",
        }
        del options["--passphrase-file"]
        arguments = [Path(sys.executable).parent / "ape", "run", "live", *(x for pair in options.items() for x in pair)]
        engine = EngineProcess(arguments, port, self.folder / f"engine-{port}.log")
        try:
            yield engine
            if engine.process.poll() is None:
                engine.process.send_signal(signal.SIGTERM)
                assert engine.process.wait(30) == 0, engine.said()
                assert "stopped" in engine.said().splitlines()
        finally:
            if engine.process.poll() is None:
                engine.process.kill()

    @asynccontextmanager
    async def watched(self, *urls: str):
        """A connection to the stream's engines, while two of three observers are at work.

        Their clock stands between two travels: however busy the machine is, they sign in time.
        """
        async with AsyncExitStack() as stack:
            observing = []
            for index in [*OBSERVERS][:2]:
                connection = await stack.enter_async_context(Connection(urls, self.tessera, after=0))
                observer = Observer(connection, key(index), see, lambda: self.world.stood)
                observing.append(asyncio.create_task(observer.run(0.02)))
            yield await stack.enter_async_context(Connection(urls, self.tessera, after=0))
            for task in observing:
                assert not task.done(), task.exception()
                task.cancel()
            await asyncio.gather(*observing, return_exceptions=True)

    async def go(self, connection: Connection, until: int) -> None:
        """The clock goes from lock to lock, so that each book is signed in time, until unix milliseconds."""

        def unsigned() -> list[int]:
            return [asked.lock for name, asked in connection.questions.items() if name not in connection.confirmed]

        while (lock := min(unsigned(), default=until)) < until:
            if lock > self.world.now():
                self.world.travel_to(lock)
            await connection.until(lambda lock=lock: min(unsigned(), default=until) > lock, PATIENCE_SECONDS)
        while until > self.world.stood:  # blocks come in whole seconds
            self.world.travel_to(until)

    async def decide(self, connection: Connection, question: bytes) -> None:
        """Betting ends, the book is signed, and observers see what happened."""
        await self.go(connection, connection.questions[question].end)
        await connection.until(lambda: question in connection.results, PATIENCE_SECONDS)

    async def quoted(self, connection: Connection) -> bytes:
        """A question of the page's first kind on which one can bet for some seconds more."""
        while True:
            for question, (_, quote, _) in connection.quotes.items():
                asked, now = connection.questions[question], self.world.now()
                if "turn left" in asked.text and asked.lock > now + 5_000 and quote.valid_until > now:
                    return question
            await self.go(connection, self.world.now() + 1_000)
            await asyncio.sleep(0.1)

    async def hundred(self, connection: Connection, player: Player, after: dict[int, Callable[[], None]]) -> int:
        """A hundred bets, and what they come to; `after` so many something is done while the next is on its way."""
        expected = bets = 0
        while bets < 100:
            question = await self.quoted(connection)
            while (
                sum(bet.question not in connection.results for bet in player.state.open_bets) < MAX_OPEN and bets < 100
            ):
                betting = asyncio.create_task(player.bet(question, bets % 2, EUR // 10))
                await asyncio.sleep(0)
                after.pop(bets, lambda: None)()
                try:
                    bet = await betting
                except EngineRefused as error:
                    assert error.name in PASSING, error  # noqa: PT017
                    break
                bets += 1
                expected += bet.liability if bet.choice == SEEN else -bet.stake
            if any(bet.question == question for bet in player.state.open_bets):
                await self.decide(connection, question)
        return expected

    async def closed(self, player: Player, expected: int) -> None:
        """The session ends, as both sides sign, with what its bets came to."""
        sessions, escrow, wallet = self.tessera.sessions, self.tessera.escrow, player.wallet.address
        before = escrow.balance_of(wallet)
        agreement = await player.close()
        assert agreement.net == expected
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sessions.session(player.session).stage is not Stage.CLOSED:
                await asyncio.sleep(0.05)
        assert escrow.balance_of(wallet) == before + player.offer.deposit + expected


class EngineProcess:
    """The command in a process of its own."""

    def __init__(self, arguments: list, port: int, log: Path):
        self.port, self.url, self._log = port, f"ws://127.0.0.1:{port}/ws", log
        with log.open("w") as output:
            self.process = subprocess.Popen(arguments, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    def said(self) -> str:
        return self._log.read_text()

    @property
    def epoch(self) -> int:
        """The newest one in which it owned the stream; 0: none."""
        return max(map(int, re.findall(r"epoch (\d+)", self.said())), default=0)

    def wait(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + 120
        while not is_so():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def clock(self) -> int:
        """What time it is for the engine, unix milliseconds."""
        with urlopen(f"http://127.0.0.1:{self.port}/stream", timeout=PATIENCE_SECONDS) as answer:
            return int(json.load(answer)["now"])

    def serves(self) -> bool:
        with socket.socket() as probe:
            return self.epoch > 0 and probe.connect_ex(("127.0.0.1", self.port)) == 0


SEEN = 0  # what every observer sees: the first choice, always


async def see(question) -> int:
    return int(question.choices[SEEN].low)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    with anvil(0, "--hardfork", "prague") as (_, url):
        yield World(Web3(HTTPProvider(url)), tmp_path_factory.mktemp("chain"))


@pytest.fixture
def world(deployed):
    with undone(deployed.web3):
        deployed.travel(1)
        yield deployed


def test_the_page_s_player_and_a_hundred_bets_by_its_client(world, tmp_path):
    stream = Stream(world, tmp_path)

    async def scene(url: str) -> None:
        async with stream.watched(url) as connection:
            await world.tell(engine)
            player = Player(connection, world.player, key(11), Notebook(tmp_path / "hundred.jsonl"), world.now)
            await player.open(20 * EUR, EUR // 2, loss_cap=15 * EUR)
            await stream.closed(player, await stream.hundred(connection, player, {}))
            assert connection.broken is None
            names: dict = {}
            exec(block("python"), names)
            before = {question: len(leaves) for question, leaves in connection.leaves.items()}

            def bet_on() -> list[bytes]:
                """What the page's player has bet on, by the record."""
                leaves = connection.leaves.items()
                return [name for name, known in leaves if len(known) > before.get(name, 0) and name != NO_QUESTION]

            playing = asyncio.create_task(names["play"](url, world.tessera, world.player, key(12), tmp_path / "page"))
            while not bet_on():
                assert not playing.done(), playing.exception()
                await asyncio.sleep(0.1)
            await stream.decide(connection, bet_on()[0])
            await playing

    with stream.engine(str(tmp_path / "journal")) as engine:
        engine.wait(engine.serves)
        asyncio.run(scene(engine.url))


@pytest.mark.postgres
@pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL here (Debian: apt-get install postgresql)")
def test_a_hundred_bets_on_two_engines_of_which_one_is_killed(world, tmp_path):
    """kill -9 in the middle of a bet: the other engine of docs/scale.md goes on, and no receipt is lost."""
    stream = Stream(world, tmp_path)
    file = tmp_path / "stream.toml"
    file.write_text(file.read_text().replace("open_for = 15", "open_for = 50", 1))  # longer than any take-over

    async def scene(engines: list[EngineProcess]) -> None:
        killed: list[EngineProcess] = []

        def kill() -> None:
            killed.append(max(engines, key=lambda engine: engine.epoch))
            killed[0].process.kill()

        async with stream.watched(*(engine.url for engine in engines)) as connection:
            await world.tell(next(engine for engine in engines if engine.serves()))
            notebook = Notebook(tmp_path / "hundred.jsonl")
            player = Player(connection, world.player, key(13), notebook, world.now)
            await player.open(20 * EUR, EUR // 2, loss_cap=15 * EUR)
            await stream.closed(player, await stream.hundred(connection, player, {40: kill}))
            assert connection.broken is None
            # Every receipt is a line of the record, which runs on from its beginning through all epochs.
            receipts = [line["receipt"] for line in notebook.lines() if line["what"] == "completed"]
            assert len(receipts) == 101
            assert {int(receipt["epoch"]) > killed[0].epoch for receipt in receipts} == {False, True}
            for receipt in receipts:
                assert connection.heads[int(receipt["n"])] == decode_hash(receipt["head"])

    with cluster() as server, ExitStack() as stack:
        journal = server.database()
        engines = [stack.enter_context(stream.engine(journal)) for _ in range(2)]
        for engine in engines:
            engine.wait(lambda engine=engine: engine.serves() or "waits for its end" in engine.said())
        asyncio.run(scene(engines))


def key(index: int) -> Key:
    return Key(bytes(known_account(index).key))
