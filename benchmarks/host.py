"""A host under load: hundreds of connected players offer a hundred bets a second to `ape run host` on anvil.

Fails where a signed bet is lost or placed twice. `--write` keeps the figures in benchmarks/host.json.
"""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from hexbytes import HexBytes
from rich.console import Console
from web3 import HTTPProvider, Web3
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.figures import percentile_ms, show
from benchmarks.processes import cpu_seconds
from scripts.devnet import anvil, require_anvil
from tessera.chain import Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.hosted_bets import BetPlaced
from tessera.chain.panels import PanelCreated, ascending
from tessera.deployment.artifacts import ROOT
from tessera.deployment.deploy import deploy
from tessera.host.sign_in import text_to_sign

PUBLISHED = ROOT / "benchmarks" / "host.json"
HOST, PANEL = 5, (11, 12, 13)
BETS = 8  # that the host offers
STAKE = 50_000  # units
AT_ONCE = 100  # players who connect at the same time: a host keeps 200 who have not signed in
PATIENCE = 240  # seconds, for the last bets: then each was confirmed, or refused since its deadline was over


@dataclass
class Player:
    """One connected player. Times are seconds; `signed` are when bets were signed that are not confirmed yet."""

    account: Account
    socket: ClientConnection | None = None
    answers: list[float] = field(default_factory=list)
    acceptances: list[float] = field(default_factory=list)
    confirmations: list[float] = field(default_factory=list)
    offered: int = 0
    confirmed: int = 0
    refused: Counter = field(default_factory=Counter)
    bets: list[dict] = field(default_factory=list)
    signed: deque = field(default_factory=deque)
    sent_at: float = 0
    to_sign: asyncio.Queue = field(default_factory=asyncio.Queue)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    signed_in: asyncio.Event = field(default_factory=asyncio.Event)

    async def enter(self, url: str, chain_id: int) -> None:
        """Connects and signs in."""
        self.socket = await connect(url, max_size=None, open_timeout=60)
        challenge = json.loads(await self.socket.recv())["message"]
        text = text_to_sign(challenge, self.account.address, url.removeprefix("ws://"), chain_id)
        await self._send(method="sign_in", message=text, signature=self._hex(encode_defunct(text=text)))

    async def listen(self) -> None:
        """Reads what the host says until the connection ends."""
        with suppress(ConnectionClosed):
            async for text in self.socket:
                self._hear(json.loads(text))

    async def bet(self, number: int, prediction: str) -> None:
        """Chooses a bet and signs it as soon as the host has answered."""
        async with self.turn:  # a host keeps the last selection of a player alone
            await self._bet(number, prediction)

    async def _bet(self, number: int, prediction: str) -> None:
        bet = self.bets[number % len(self.bets)]
        info = {"bet_id": bet["bet_id"], "desc": bet["desc"], "prediction": prediction, "bet_amount": STAKE / 10**6}
        started = time.monotonic()
        await self._send(method="bets_selected", bets_info=[info])
        (message,) = await self.to_sign.get()
        self.answers.append(time.monotonic() - started)
        signature = self._hex(encode_typed_data(full_message=message))
        self.signed.append(time.monotonic())
        self.offered += 1
        self.sent_at = time.monotonic()
        await self._send(method="bets_signed", signatures=[signature])

    def _hear(self, frame: dict) -> None:
        match frame["method"]:
            case "bets":
                self.bets = frame["open_bets"]
                more = len(frame["confirmed_bets"]) - self.confirmed
                self.confirmed += more
                self.confirmations += [time.monotonic() - self.signed.popleft() for _ in range(more)]
            case "signed_in":
                self.signed_in.set()
            case "bets_accepted":
                self.acceptances.append(time.monotonic() - self.sent_at)
            case "bets_to_sign":
                self.to_sign.put_nowait(frame["bets"])
            case "error":
                self.refused[f"{frame['code']}: {frame['message']}"] += 1

    def _hex(self, message) -> str:
        return f"0x{self.account.sign_message(message).signature.hex()}"

    async def _send(self, **frame) -> None:
        await self.socket.send(json.dumps(frame))


def measure(players: int, rate: int, seconds: int, block_seconds: int) -> dict[str, float]:
    """Lets so many players offer `rate` bets a second to a host; what that took, on a machine with what other load.

    `waiting` are bets that were signed and are not confirmed: where there are not more at the end than at half time,
    the queue does not grow.

    Fails where a bet is lost or placed twice.
    """
    require_anvil()
    # Not an Anvil of benchmarks.chains: its clock is years ahead, and a bet that is signed has a deadline.
    with anvil(0, "--hardfork", "prague") as (_, url), TemporaryDirectory() as folder:
        return {"block_seconds": block_seconds} | _measure(
            Web3(HTTPProvider(url)), Path(folder), players, rate, seconds, block_seconds
        )


def _measure(web3: Web3, folder: Path, count: int, rate: int, seconds: int, block_seconds: int) -> dict[str, float]:
    people = [Player(Account.from_key((2**255 + number).to_bytes(32, "big"))) for number in range(count)]
    tessera, panel_id = _club(web3, folder, people)
    chain_id = tessera.deployment.chain_id
    web3.provider.make_request("evm_setAutomine", [False])
    web3.provider.make_request("evm_setIntervalMining", [block_seconds])
    load = os.getloadavg()[0]
    with _hosting(web3, folder, panel_id) as (url, node):
        before = cpu_seconds(node)
        queues = asyncio.run(_play(url, chain_id, people, rate, seconds))
        cpu = cpu_seconds(node) - before
    placed = [row for row in tessera.log_reader().read() if isinstance(row, BetPlaced)]
    by_account = Counter(row.account for row in placed)
    refused = sum(sum(player.refused.values()) for player in people)
    doubled = sum(max(0, by_account[player.account.address] - player.offered) for player in people)
    lost = sum(player.offered for player in people) - len(placed) - refused
    for reason, times in sum((player.refused for player in people), Counter()).items():
        Console(stderr=True).print(f"{times} refused: {reason}", style="dim", markup=False)
    if lost or doubled:
        raise SystemExit(f"{lost} bets were lost, {doubled} placed twice")
    gas = sum(
        web3.eth.get_transaction_receipt(HexBytes(transaction))["gasUsed"]
        for transaction in {row.transaction for row in placed}
    )
    answers = [time for player in people for time in player.answers]
    acceptances = [time for player in people for time in player.acceptances]
    confirmations = [time for player in people for time in player.confirmations]
    return {
        "players": count,
        "bets_a_second": rate,
        "bets_offered": sum(player.offered for player in people),
        "bets_landed": len(placed),
        "bets_refused": refused,
        "bets_lost_or_doubled": lost + doubled,
        "transactions": len({row.transaction for row in placed}),
        "waiting_at_half_time": queues[0],
        "waiting_at_the_end": queues[1],
        "answer_ms_p50": percentile_ms(answers, 50),
        "answer_ms_p99": percentile_ms(answers, 99),
        "accepted_ms_p50": percentile_ms(acceptances, 50),
        "accepted_ms_p99": percentile_ms(acceptances, 99),
        "confirmed_ms_p50": percentile_ms(confirmations, 50),
        "confirmed_ms_p99": percentile_ms(confirmations, 99),
        "gas_a_bet": round(gas / len(placed)),
        "host_cpu_ms_a_bet": round(1_000 * cpu / len(placed), 1),
        "cores": os.cpu_count() or 1,
        "load_before": round(load, 1),
        "load_after": round(os.getloadavg()[0], 1),
    }


async def _play(url: str, chain_id: int, people: list[Player], rate: int, seconds: int) -> tuple[int, int]:
    """Connects all, and one more who never reads; then bets at an even rate, and waits until each is confirmed.

    Returns how many waited to be confirmed at half time, and when the last was offered.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    listening: list[asyncio.Task] = []

    async def enter(player: Player) -> None:
        async with gate:
            await player.enter(url, chain_id)
            listening.append(asyncio.create_task(player.listen()))
            await asyncio.wait_for(player.signed_in.wait(), 60)

    await asyncio.gather(*map(enter, people))
    deaf = Player(Account.create())
    await deaf.enter(url, chain_id)  # and never reads
    start, total = time.monotonic() + 1, rate * seconds
    betting, half = [], 0
    for number in range(total):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        player = people[number % len(people)]
        betting.append(asyncio.create_task(player.bet(number, ("win", "loss")[number % 2])))
        if number == total // 2:
            half = number - sum(player.confirmed for player in people)
    end = total - sum(player.confirmed for player in people)
    await asyncio.wait_for(asyncio.gather(*betting), PATIENCE)
    until = time.monotonic() + PATIENCE
    while any(player.confirmed + sum(player.refused.values()) < player.offered for player in people):
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.1)
    for task in listening:
        task.cancel()
    await asyncio.gather(*(player.socket.close() for player in (*people, deaf)), *listening, return_exceptions=True)
    return half, end


def _club(web3: Web3, folder: Path, people: list[Player]) -> tuple[Tessera, int]:
    """Hosted bets, a panel, and players with money: these join as anvil's guests, without a signature."""
    owner = Wallet(web3, known_account(0))
    record = folder / "devnet.json"
    deploy(owner, "friends", {"shortest_window": 60}, path=record, network="devnet")
    tessera = Tessera(web3, deploy(owner, "hosted", {"first_index": 1}, path=record, network="devnet"))
    addresses = [player.account.address for player in people]
    for first in range(0, len(addresses), 50):
        tessera.play_euro.invite(owner, addresses[first : first + 50])
    data = "0x" + tessera.play_euro.calldata("join", 0b111).hex()
    web3.provider.make_request("evm_setAutomine", [False])  # a block each would put the chain's clock ahead
    for address in addresses:
        web3.provider.make_request("anvil_setBalance", [address, hex(10**18)])
        web3.provider.make_request("anvil_impersonateAccount", [address])
        call = {"from": address, "to": tessera.play_euro.address, "data": data, "gas": hex(200_000)}
        assert "result" in web3.provider.make_request("eth_sendTransaction", [call])
    while web3.eth.get_block_transaction_count("pending") or tessera.escrow.balance_of(addresses[-1]) == 0:
        web3.provider.make_request("evm_mine", [])
    web3.provider.make_request("evm_setAutomine", [True])
    members = ascending(known_account(index).address for index in PANEL)
    panel_id = tessera.panels.create_panel(owner, members, 2).event(PanelCreated).panel_id
    while web3.eth.get_block("latest")["timestamp"] > time.time():
        time.sleep(0.5)
    return tessera, panel_id


@contextmanager
def _hosting(web3: Web3, folder: Path, panel_id: int) -> Iterator[tuple[str, subprocess.Popen]]:
    """`ape run host` in a process of its own: its address, and the process."""
    sections = [
        f"[bets:{n}]\ndesc = A wins on B, game {n}\npredictions = [win,loss]\nrange = [0.01, 40]" for n in range(BETS)
    ]
    (folder / "bets.ini").write_text("\n".join(["[bets]", *sections]) + "\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(str(Path(sys.executable).parent / "ape"), "run", "host", "--bets", str(folder / "bets.ini")),
        *("--panel", str(panel_id), "--account", f"TEST::{HOST}", "--port", str(port), "--budget", "1000"),
        *("--network", f"ethereum:local:{web3.provider.endpoint_uri}", "--record", str(folder / "devnet.json")),
        *("--database", f"sqlite:///{folder}/host.db", "--index", f"sqlite:///{folder}/index.db"),
    ]
    log = folder / "host.log"
    with log.open("w") as output:
        node = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        while not re.search(r"ws://", log.read_text()):
            if node.poll() is not None:
                raise SystemExit(log.read_text()[-2000:])
            time.sleep(0.2)
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.2)
        yield f"ws://127.0.0.1:{port}", node
    finally:
        node.send_signal(signal.SIGTERM)
        node.wait(timeout=60)
        if lines := log.read_text().splitlines()[1:]:
            Console(stderr=True).print("\n".join(lines[-20:]), style="dim", markup=False)


@click.command(help=__doc__)
@click.option("--players", default=500, show_default=True, type=click.IntRange(1, 1_900))
@click.option("--rate", default=100, show_default=True, type=click.IntRange(1), help="Bets offered a second, together.")
@click.option("--seconds", default=20, show_default=True, type=click.IntRange(1))
@click.option("--block-seconds", default=2, show_default=True, type=click.IntRange(1), help="Between two blocks.")
@click.option("--write", is_flag=True, help="Keep the figures.")
def cli(players: int, rate: int, seconds: int, block_seconds: int, write: bool):
    measured = measure(players, rate, seconds, block_seconds)
    show("A host under load", measured, PUBLISHED if write else None)


if __name__ == "__main__":
    cli()
