"""A live stream on an anvil of its own, with `ape run live` as docs/live.md starts it, and its panel of observers.

The chain's clock is the machine's, and blocks come by themselves: the engine takes no bets on a chain that stands.
"""

import asyncio
import re
import shlex
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from eth_account import Account
from web3 import Web3

from scripts.devnet import anvil
from tessera.chain import EUR, Tessera, Wallet, connect
from tessera.chain.embedded import known_account
from tessera.chain.errors import ChainError
from tessera.chain.micro_sessions import StreamOpened
from tessera.chain.panels import PanelCreated, ascending
from tessera.deployment.deploy import deploy
from tessera.live.client import Connection, Observer
from tessera.live.keys import Key
from tessera.model.sessions.typed import Question
from tests.processes import ROOT, Running

PAGE = (ROOT / "docs" / "live.md").read_text()
COMMAND = re.search(r"^ape run live .*$", PAGE, re.MULTILINE).group()
OWNER, OPERATOR, HOUSE = 0, 1, 10
OBSERVERS = (3, 4, 5)
MOST_LOCKED = 400  # EUR
TERMS = """
[terms]
activation = 500000
least_deposit = 1000000
greatest_deposit = 100000000
least_stake = 100000
greatest_stake = 2000000
greatest_liability = 5000000
edge_ppm = 50000
house_lock_bps = 4000
between_ms = 0
picture_delay_ms = 1500
"""
TURNS = """
[[question]]
kind = "binary"
text = "Does car {n} turn left?"
every = 3
open_for = 10
window = 5
choices = [0, 1]
chances = [45, 55]
"""


@dataclass
class LiveStream:
    """A stream that is open, its engine's WebSocket, and the node's URL."""

    tessera: Tessera
    stream_id: int
    node: str
    engine: str
    record: Path
    stop_engine: Callable[..., int]  # by a signal, SIGTERM if none is said
    next_engine: Callable[[], AbstractContextManager[str]]  # one that waits for its end; its WebSocket's URL

    def new_person(self, name: str) -> Wallet:
        """Somebody with gas money who is invited, and has not joined."""
        wallet = Wallet(self.tessera.web3, Account.from_key(Web3.keccak(text=name)))
        self.tessera.web3.provider.make_request("anvil_setBalance", [wallet.address, hex(10**18)])
        self.tessera.play_euro.invite(Wallet(self.tessera.web3, known_account(OWNER)), [wallet.address])
        return wallet


async def odd_minutes(question: Question) -> int:
    """What happened, the same for every observer: cars with an odd number turn left."""
    return int(re.search(r"\d+", question.text).group()) % 2


@contextmanager
def observing(urls: list[str], tessera: Tessera, members: tuple[int, ...], source) -> Iterator[None]:
    """Some members of the panel at work, in a thread of their own."""
    stopped = Event()

    async def observe(index: int) -> None:
        while not stopped.is_set():
            try:
                async with Connection(urls, tessera) as connection:
                    observer = Observer(connection, Key(bytes(known_account(index).key)), source)
                    while not stopped.is_set():
                        await observer.step()
                        await asyncio.sleep(0.1)
            except (ChainError, TimeoutError, OSError):  # a slow machine, or an engine that has stopped
                await asyncio.sleep(0.2)

    async def all_of_them() -> None:
        await asyncio.gather(*(observe(index) for index in members))

    thread = Thread(target=lambda: asyncio.run(all_of_them()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_engine(
    record: Path, folder: Path, node: str, stream_id: int, port: int, ready: str = r"at ws://\S+"
) -> Iterator[Running]:
    """The command of the page, in a process of its own, once it says that it is ready."""
    file = folder / "stream.toml"
    command = COMMAND.replace("STREAM", str(stream_id)).replace("stream.toml", str(file))
    command = command.replace("operator.json", f"TEST::{OPERATOR}").replace("house.json", f"TEST::{HOUSE}")
    command = command.replace("--passphrase-file FILE ", "").replace("ethereum:sepolia", node)
    command = command.replace(node, f"ethereum:local:{node}")
    options = f" --port {port} --record {record} --journal {folder / 'journal'} --every 0.3"
    engine = Running(shlex.split(command + options), ready)
    try:
        engine.wait()
        yield engine
    finally:
        engine.stop()


@contextmanager
def live_stream(folder: Path, questions: str = TURNS, source=odd_minutes) -> Iterator[LiveStream]:
    """A stream with its engine, two of three observers, and a bankroll for six sessions of 20 EUR."""
    with ExitStack() as stack:
        _, node = stack.enter_context(anvil(0, "--block-time", "1", "--mixed-mining"))
        web3 = connect(node)
        owner, operator = (Wallet(web3, known_account(index)) for index in (OWNER, OPERATOR))
        record = folder / "record.json"
        deploy(owner, "friends", {"shortest_window": 3_600}, network="devnet", path=record)
        windows = {"short_window": 60, "long_window": 300}
        tessera = Tessera(web3, deploy(owner, "micro", windows, network="devnet", path=record))
        members = ascending(known_account(i).address for i in OBSERVERS)
        panel_id = tessera.panels.create_panel(owner, members, 2).event(PanelCreated).panel_id
        friends = [Wallet(web3, known_account(index)) for index in range(11, 19)]
        tessera.play_euro.invite(owner, [operator.address, *(friend.address for friend in friends)])
        opened = tessera.sessions.open_stream(operator, panel_id, operator.address, MOST_LOCKED)
        stream_id = opened.event(StreamOpened).stream_id
        tessera.play_euro.join(operator, consent=0b10)
        tessera.sessions.fund_stream(operator, stream_id, 50 * EUR)
        (folder / "stream.toml").write_text(TERMS + questions)
        ports = free_port(), free_port()
        engine, following = (f"ws://127.0.0.1:{port}/ws" for port in ports)
        stop = stack.enter_context(running_engine(record, folder, node, stream_id, ports[0])).stop
        stack.enter_context(observing([engine, following], tessera, OBSERVERS[:2], source))

        @contextmanager
        def next_engine() -> Iterator[str]:
            with running_engine(record, folder, node, stream_id, ports[1], "waits for its end"):
                yield following

        yield LiveStream(tessera, stream_id, node, engine, record, stop, next_engine)
