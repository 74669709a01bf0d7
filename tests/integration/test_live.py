"""`ape run live` as docs/live.md starts it: the page's own file and player, then a hundred bets by its client."""

import asyncio
import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from scripts.devnet import anvil
from tessera.chain import EUR, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.micro_sessions import Stage, StreamOpened
from tessera.chain.panels import PanelCreated
from tessera.deployment.artifacts import ROOT
from tessera.deployment.deploy import deploy
from tessera.live.client import Connection, EngineRefused, Notebook, Observer, Player
from tessera.live.clock import wall_clock
from tessera.live.keys import Key

pytestmark = pytest.mark.anvil

OWNER, OPERATOR, PLAYER, HOUSE = 0, 1, 2, 10
OBSERVERS = range(3, 6)
PAGE = (ROOT / "docs" / "live.md").read_text()


def block(kind: str) -> str:
    """The page's first listing of a kind."""
    return re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL).group(1)


class World:
    """A stream on a local chain, its engine started as a command, and two observers of three."""

    def __init__(self, web3: Web3, folder: Path):
        self.web3, self.folder = web3, folder
        self.record = folder / "devnet.json"
        owner, operator, player = (Wallet(web3, known_account(i)) for i in (OWNER, OPERATOR, PLAYER))
        deploy(owner, "friends", {"shortest_window": 3_600}, path=self.record, network="devnet")
        windows = {"short_window": 3_600, "long_window": 86_400}
        self.tessera = tessera = Tessera(web3, deploy(owner, "micro", windows, path=self.record, network="devnet"))
        tessera.play_euro.invite(owner, [operator.address, player.address])
        for person in (operator, player):
            tessera.play_euro.join(person, consent=0b10)
        members = sorted((known_account(i).address for i in OBSERVERS), key=lambda address: int(address, 16))
        panel_id = tessera.panels.create_panel(owner, members, 2).event(PanelCreated).panel_id
        opened = tessera.sessions.open_stream(operator, panel_id, operator.address, 45)
        self.stream_id = opened.event(StreamOpened).stream_id
        tessera.sessions.fund_stream(operator, self.stream_id, 45 * EUR)
        self.player, self.log = player, folder / "engine.log"
        (folder / "stream.toml").write_text(block("toml"))
        self.travel(3_600)  # as after `make devnet`: the chain is ahead of this machine

    def travel(self, seconds: int) -> None:
        self.web3.provider.make_request("evm_increaseTime", [seconds])
        self.web3.provider.make_request("evm_mine", [])
        self.lead = self.web3.eth.get_block("latest")["timestamp"] * 1_000 - wall_clock()

    def now(self) -> int:
        return wall_clock() + self.lead

    @contextlib.contextmanager
    def engine(self):
        """The command of the page. Yields its address; it must say that it has stopped."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = re.search(r"^ape run live --stream.*$", PAGE, re.MULTILINE).group(0).split()
        options = dict(zip(command[3::2], command[4::2], strict=True)) | {
            "--stream": str(self.stream_id),
            "--file": str(self.folder / "stream.toml"),
            "--operator": f"TEST::{OPERATOR}",
            "--house": f"TEST::{HOUSE}",
            "--network": f"ethereum:local:{self.web3.provider.endpoint_uri}",
            "--record": str(self.record),
            "--journal": str(self.folder / "journal"),
            "--port": str(port),
            "--every": "0.1",
        }
        del options["--passphrase-file"]
        arguments = [
            str(Path(sys.executable).parent / "ape"),
            "run",
            "live",
            *(x for pair in options.items() for x in pair),
        ]
        with self.log.open("w") as output:
            node = subprocess.Popen(arguments, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 120
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert node.poll() is None, self.log.read_text()
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.2)
            yield f"ws://127.0.0.1:{port}/ws"
            node.send_signal(signal.SIGTERM)
            assert node.wait(30) == 0, self.log.read_text()
            assert self.log.read_text().splitlines()[-1] == "stopped"
        finally:
            if node.poll() is None:
                node.kill()

    async def decide(self, connection: Connection, question: bytes) -> None:
        """Betting ends, the book is signed, and observers see what happened."""
        asked = connection.questions[question]
        self.travel(max((asked.lock - self.now()) // 1_000 + 1, 1))
        await connection.until(lambda: question in connection.confirmed, 30)
        self.travel((asked.end - self.now()) // 1_000 + 1)
        await connection.until(lambda: question in connection.results, 30)

    async def quoted(self, connection: Connection) -> bytes:
        """A question of the first kind on which one can bet for some seconds more."""
        while True:
            for question, (_, quote, _) in connection.quotes.items():
                asked = connection.questions[question]
                if "turn left" in asked.text and asked.lock > self.now() + 5_000 and quote.valid_until > self.now():
                    return question
            self.travel(1)
            await asyncio.sleep(0.2)


@pytest.fixture
def world(tmp_path):
    with anvil(0, "--hardfork", "prague") as (_, url):
        yield World(Web3(HTTPProvider(url)), tmp_path)


def test_the_page_s_player_and_a_hundred_bets_by_its_client(world):
    async def scene(url: str) -> None:
        sessions = world.tessera.sessions
        async with contextlib.AsyncExitStack() as stack:
            observing = []
            for index in [*OBSERVERS][:2]:
                connection = await stack.enter_async_context(Connection(url, world.tessera))
                observer = Observer(connection, Key(bytes(known_account(index).key)), see, world.now)
                observing.append(asyncio.create_task(observer.run(0.02)))
            connection = await stack.enter_async_context(Connection(url, world.tessera))
            player = Player(connection, world.player, key(11), Notebook(world.folder / "hundred.jsonl"), world.now)
            session = await player.open(20 * EUR, loss_cap=15 * EUR)
            bets = 0
            while bets < 100:
                question = await world.quoted(connection)
                for number in range(10):
                    try:
                        await player.bet(question, number % 2, EUR // 10)
                    except EngineRefused as error:
                        assert error.name in ("quote_expired", "too_soon", "locked", "books_missing"), error  # noqa: PT017
                        await asyncio.sleep(0.3)
                        break
                    bets += 1
                    await asyncio.sleep(0.5)  # `between_ms`
                if any(bet.question == question for bet in player.state.open_bets):
                    await world.decide(connection, question)
            await player.close()
            async with asyncio.timeout(60):
                while sessions.session(session).stage is not Stage.CLOSED:
                    await asyncio.sleep(0.1)
            assert connection.broken is None
            names: dict = {}
            exec(block("python"), names)
            playing = asyncio.create_task(
                names["play"](url, world.tessera, world.player, key(12), world.folder / "page")
            )
            while not playing.done():
                world.travel(1)
                await asyncio.sleep(0.5)
            await playing
            for one in observing:
                one.cancel()

    async def see(question) -> int:
        return int(question.choices[0].low)

    with world.engine() as url:
        asyncio.run(scene(url))


def key(index: int) -> Key:
    return Key(bytes(known_account(index).key))
