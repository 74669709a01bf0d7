"""Engines as processes that share a PostgreSQL, and a chain that is a folder: `python -m tests.live_processes`.

Questions are asked without end; who opened a session is a file that every engine reads.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import uvicorn
from eth_account import Account
from eth_utils.crypto import keccak

from tessera.chain.micro_sessions import SessionOpened
from tessera.live.chain import News
from tessera.live.client import Connection, EngineRefused, Notebook, Observer, Player
from tessera.live.clock import Guard, wall_clock
from tessera.live.engine import Engine
from tessera.live.journal.postgres import PostgresJournal
from tessera.live.memory import Memory
from tessera.live.runner import Runner
from tessera.live.server import app_of
from tessera.live.service import Service
from tessera.live.stream_file import Asking, Feed
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.states import MAX_OPEN
from tessera.model.sessions.typed import Choice
from tests.live import DOMAIN, EUR, EVENT, HOUSE, OBSERVERS, OPERATOR, PANEL, PANELS, STREAM, TERMS, key

ASKING = Asking(Kind.BINARY, "Does car {n} turn left?", 1, 20, 5, (Choice(0, 0), Choice(1, 1)), (500_000, 500_000))
TERMS = replace(TERMS, house_lock_bps=100_000, balance_share_bps=10_000)


class FolderChain:
    """What clients and engines ask of a deployment, of which only openings are kept."""

    def __init__(self, folder: Path):
        self.path = folder / "opened.jsonl"
        self.path.touch()
        self._read = 0
        stream = SimpleNamespace(operator=OPERATOR.address, panel_id=PANEL.panel_id)
        self.sessions = SimpleNamespace(
            domain=DOMAIN,
            address=DOMAIN.contract,
            stream=lambda stream_id: stream,
            session=lambda session: SimpleNamespace(top_ups=0),
            open_session=self._open,
        )
        self.panels = SimpleNamespace(
            address=PANELS, members_of=lambda panel: PANEL.members, threshold_of=lambda panel: PANEL.threshold
        )
        self.tessera = self

    def _open(self, wallet, offer, signature) -> None:
        line = {"session": DOMAIN.digest(offer).hex(), "player": offer.player}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def look(self) -> News:
        with self.path.open() as file:
            file.seek(self._read)
            lines = file.readlines()
            self._read = file.tell()
        opened = [json.loads(line) for line in lines]
        events = [
            SessionOpened(session=bytes.fromhex(one["session"]), player=one["player"], stream_id=STREAM, **EVENT)
            for one in opened
        ]
        return News(events, 1, int(time.time()), False)


async def engine(url: str, port: int, folder: Path) -> None:
    """One engine, until SIGTERM."""

    def runner(journal, memory, facts, chain) -> Runner:
        made = Engine(DOMAIN, STREAM, PANEL, TERMS, HOUSE, OPERATOR, journal, Guard(), memory, facts)
        say(f"epoch {journal.epoch} n {made.published[0]}")
        return Runner(made, chain, None, every=0.2, feed=Feed([ASKING]))

    async def serve(running: Runner) -> None:
        server = uvicorn.Server(uvicorn.Config(app_of(running), host="127.0.0.1", port=port, log_level="error"))

        async def stop() -> None:
            await running.has_stopped.wait()
            server.should_exit = True

        stopping = asyncio.create_task(stop())
        await server.serve()
        stopping.cancel()

    service = Service(
        lambda: PostgresJournal(url, "a stream", f"ws://127.0.0.1:{port}/ws"),
        lambda: Memory(DOMAIN, STREAM),
        lambda: FolderChain(folder),
        runner,
        serve,
        say,
    )
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(service.stopping.set))
    await service.run()
    say("stopped")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Process:
    """An engine in a process of its own."""

    def __init__(self, url: str, port: int, folder: Path):
        self.address, self.port, self.log = f"ws://127.0.0.1:{port}/ws", port, folder / f"engine-{port}.log"
        self._arguments = [sys.executable, "-m", "tests.live_processes", url, str(port), str(folder)]
        self.start()

    def start(self) -> None:
        with self.log.open("a") as output:
            self.process = subprocess.Popen(self._arguments, stdout=output, stderr=subprocess.STDOUT)

    def send(self, number: int) -> None:
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(20)

    @property
    def epochs(self) -> list[int]:
        """That it owned the stream in."""
        return [int(line.split()[1]) for line in self.log.read_text().splitlines() if line.startswith("epoch")]


class Someone:
    """A player who bets as fast as it is answered, on whichever engine there is."""

    def __init__(self, name: str, urls: list[str], chain: FolderChain, folder: Path):
        self.name, self.urls, self.chain, self.folder = name, urls, chain, folder
        self.receipts: deque[tuple[float, bytes, object, object]] = deque()  # when, session, state, receipt
        self.refused: list[str] = []
        self.player: Player | None = None

    async def play(self, stop: asyncio.Event, most: int = 10**9, *, pause: float = 0.0) -> None:
        async with Connection(self.urls, self.chain) as connection:
            account = Account.from_key(keccak(text=f"wallet of {self.name}"))
            wallet = SimpleNamespace(address=account.address, account=account)
            notebook = Notebook(self.folder / f"{self.name}.jsonl")
            player = self.player = Player(connection, wallet, key(f"session key of {self.name}"), notebook)
            await player.open(900 * EUR, EUR // 2)
            while not stop.is_set() and len(self.receipts) < most:
                await asyncio.sleep(pause)
                # The question that is open for longest: a new owner has time to answer.
                quotes = [quote for _, quote, _ in connection.quotes.values() if quote.valid_until > wall_clock()]
                open_bets = sum(bet.question not in connection.results for bet in player.state.open_bets)
                if not quotes or open_bets >= MAX_OPEN:
                    await asyncio.sleep(0.02)
                    continue
                question = max((quote.question for quote in quotes), key=lambda one: connection.questions[one].lock)
                try:
                    await player.bet(question, len(self.receipts) % 2, EUR // 10)
                except EngineRefused as error:
                    self.refused.append(error.name)
                    continue
                self.receipts.append((time.monotonic(), player.session, player.state, player.receipt))
            self.is_broken = connection.broken


async def observe(urls: list[str], chain: FolderChain, index: int) -> None:
    """An observer, until it is cancelled."""

    async def source(question) -> int:
        return int.from_bytes(DOMAIN.digest(question)[:1]) % 2

    async with Connection(urls, chain, after=0) as connection:
        await Observer(connection, OBSERVERS[index], source).run(0.1)


if __name__ == "__main__":
    asyncio.run(engine(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
