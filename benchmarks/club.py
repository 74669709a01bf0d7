"""A goal on a Saturday: 200 members of a club, ten on each of 20 markets, all bet within the minute, by turns.

Each is a phone as the page is one, but for its screen: it opens an invitation, listens to /events, reads anew what
changed with every block, takes a turn, and sends its own transactions through the node's /rpc to an anvil with a block
every two seconds. Fails where a bet is lost or placed twice. `--write` keeps the figures in benchmarks/club.json.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import click
from eth_account import Account
from eth_account.messages import encode_defunct
from rich.console import Console
from web3 import HTTPProvider, Web3

from benchmarks.figures import percentile_ms, show
from benchmarks.processes import cpu_seconds
from scripts.devnet import anvil, require_anvil
from tessera.chain import WAD, Outcome, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.lmsr_markets import BET_INTERVAL, BetPlaced, MarketCreated
from tessera.deployment.artifacts import ROOT
from tessera.deployment.deploy import deploy

PUBLISHED = ROOT / "benchmarks" / "club.json"
NODE = 5
AT_ONCE = 20  # friends who open their links at the same time
PATIENCE = 300  # seconds, for all to join and for the last bet: then each was placed, or was lost
DAY = 86_400
TERMS = (
    "Does Spain beat England?",
    "They lead after 90 minutes",
    "They do not",
    "Extra time does not count.",
    "uefa.com",
)
POLL_SECONDS, LOOK_SECONDS, KEEP_SECONDS = 2.0, 0.5, 4.0  # of the page: web/src/lib/chain.svelte.ts, turn.ts
GAS_MARGIN = 1.2  # over the estimate: web/src/lib/send.ts
BUSY, OVERTAKEN = (429, 502, 503), "a bet every 5 seconds"


class CallError(Exception):
    """What /rpc refuses a call with."""


@dataclass
class Answers:
    """What the node answered to all phones: seconds each took, and refusals by their code."""

    times: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    blocks: int = 0  # that phones were told of by /events


@dataclass
class Phone:
    """One member's page. Times are seconds; `placed` is when it saw its bet in a block."""

    url: str
    tessera: Tessera
    code: str
    room: int  # friends in one room come from one address
    answers: Answers
    http: aiohttp.ClientSession
    account: Any = field(default_factory=Account.create)
    market: int = 0
    side: Outcome = Outcome.YES
    head: int = 0
    last_bet_at: int = 0
    pressed: float = 0
    placed: float = 0
    listens: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @cached_property
    def address(self) -> str:
        return self.account.address

    async def listen(self) -> None:
        """Hears of new blocks until it is cancelled, and reads anew what may have changed."""
        async with self.http.get(f"{self.url}/events", headers=self._headers, timeout=None) as stream:
            stream.raise_for_status()
            self.listens = True
            async for line in stream.content:
                if line.startswith(b"data: ") and b'"block"' in line:
                    self.answers.blocks += 1
                    told = json.loads(line[6:])
                    if not told["quiet"]:
                        await self.refresh()
                    self.changed.set()

    async def change(self) -> None:
        """Returns when there is a new block, or after two seconds."""
        self.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self.changed.wait()

    async def refresh(self) -> None:
        """What the page of a market asks for when something has happened: once a block, in a few batches."""
        head, _ = await self.rpc(*[("eth_getBlockByNumber", [block, False]) for block in ("latest", "pending")])
        number = int(head["number"], 16)
        if number <= self.head:
            return
        first, self.head = self.head + 1 if self.head else number, number
        contracts = list(self.tessera.deployment.addresses.values())
        [logs] = await self.rpc(
            ("eth_getLogs", [{"address": contracts, "fromBlock": hex(first), "toBlock": hex(number)}])
        )
        escrow, euro = self.tessera.escrow, self.tessera.play_euro
        await self._batch(  # whose list of products ends with a refusal
            *[_read(escrow, name, self.address) for name in ("balance_of", "consent_of")],
            *[_read(euro, name, self.address) for name in ("balanceOf", "invited", "joined")],
            *[_read(escrow, "products", number) for number in range(8)],
        )
        topic = f"0x{self.market:064x}"
        if self.market and any(topic in log["topics"] for log in logs):
            markets = self.tessera.markets
            await self.rpc(
                _read(markets, "market", self.market),
                _read(markets, "prices", self.market),
                *[_read(markets, "depth", self.market, side, 1) for side in (Outcome.YES, Outcome.NO)],
                _read(markets, "exposure", self.market),
                _read(markets, "position", self.market, self.address),
            )
            self.last_bet_at = int(head["timestamp"], 16)
            await self.ask("GET", f"/api/markets/{self.market}/prices?offset=0&limit=1000")

    async def join(self) -> None:
        """Opens the invitation, waits until it is let in and has gas, joins, and signs in."""
        while (await self.ask("POST", "/club/join", code=self.code, account=self.address))["state"] == "coming":
            await self.change()
        await self.send(self.tessera.play_euro, "join", 1)
        text = (await self.ask("GET", f"/club/challenge?account={self.address}"))["text"]
        signature = Web3.to_hex(self.account.sign_message(encode_defunct(text=text)).signature)
        await self.ask("POST", "/club/session", text=text, signature=signature)

    async def bet(self) -> None:
        """Presses once, and waits for its turn."""
        self.pressed = time.monotonic()
        while True:
            await self.wait_for_turn()
            keeping = asyncio.create_task(self._keep())
            try:
                await self.send(self.tessera.markets, "bet", self.market, self.side, 1)
                break
            except CallError as error:  # somebody else's bet came first: the page waits again
                if OVERTAKEN not in str(error):
                    raise
                self.answers.refusals[OVERTAKEN] += 1
                self.last_bet_at = int(time.time())
                await self.refresh()
            finally:
                keeping.cancel()
        self.placed = time.monotonic()
        await self.ask("DELETE", f"/club/turns/{self.market}")

    async def wait_for_turn(self) -> None:
        """As web/src/lib/turn.ts does."""
        turn = await self._turn()
        at = time.monotonic() + turn["seconds"]
        while True:
            left = max(self.last_bet_at + BET_INTERVAL - time.time(), at - time.monotonic())
            if left > 0:
                await asyncio.sleep(min(LOOK_SECONDS, left))
                continue
            if not turn["place"]:
                return
            turn = await self._turn()
            at = time.monotonic() + turn["seconds"]
            if turn["place"] and at <= time.monotonic():
                await asyncio.sleep(min(float(turn["place"]), KEEP_SECONDS))

    async def send(self, contract: Any, function: str, *arguments) -> None:
        """Sends a transaction of its own, and returns when it is in a block. Raises CallError where it is refused."""
        data = Web3.to_hex(contract.calldata(function, *arguments))
        call = {"from": self.address, "to": contract.address, "data": data}
        await self.rpc(("eth_call", [call, "pending"]))
        [gas] = await self.rpc(("eth_estimateGas", [call, "pending"]))
        block, tip, _ = await self.rpc(
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_getBalance", [self.address, "latest"]),
        )
        [nonce] = await self.rpc(("eth_getTransactionCount", [self.address, "pending"]))
        signed = self.account.sign_transaction(
            {
                "chainId": self.tessera.deployment.chain_id,
                "nonce": int(nonce, 16),
                "to": contract.address,
                "data": data,
                "value": 0,
                "gas": int(int(gas, 16) * GAS_MARGIN),
                "maxFeePerGas": 2 * int(block["baseFeePerGas"], 16) + int(tip, 16),
                "maxPriorityFeePerGas": int(tip, 16),
            }
        )
        [transaction] = await self.rpc(("eth_sendRawTransaction", [Web3.to_hex(signed.raw_transaction)]))
        while True:
            [receipt] = await self.rpc(("eth_getTransactionReceipt", [transaction]))
            if receipt is not None:
                break
            await self.change()
        if receipt["status"] != "0x1":
            await self.rpc(("eth_call", [call, "pending"]))
            raise CallError(OVERTAKEN)

    async def rpc(self, *calls: tuple[str, list]) -> list[Any]:
        """The answers to a batch of calls. Raises CallError where any is refused."""
        answers = await self._batch(*calls)
        for answer in answers:
            if "error" in answer:
                raise CallError(answer["error"]["message"])
        return [answer["result"] for answer in answers]

    async def _batch(self, *calls: tuple[str, list]) -> list[dict]:
        """The answers to a batch of calls, with their refusals."""
        asked = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        answers = await self._ask("POST", "/rpc", asked)
        return sorted(answers, key=lambda answer: answer["id"])

    async def ask(self, method: str, path: str, **body) -> Any:
        """What the node answers."""
        return await self._ask(method, path, body or None)

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        while True:
            started = time.monotonic()
            async with self.http.request(method, self.url + path, json=body, headers=self._headers) as answer:
                told = await answer.json() if answer.status != 204 else None
            self.answers.times.append(time.monotonic() - started)
            if answer.status < 300:
                return told
            self.answers.refusals[told.get("code", str(answer.status))] += 1
            if answer.status not in BUSY:
                raise CallError(f"{path}: {told}")
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))

    async def _turn(self) -> dict:
        return await self.ask("POST", "/club/turns", market_id=self.market)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            await self._turn()

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": f"192.0.2.{self.room}"}  # as the proxy before a node says it


def _read(contract: Any, function: str, *arguments) -> tuple[str, list]:
    data = Web3.to_hex(contract.calldata(function, *arguments))
    return "eth_call", [{"to": contract.address, "data": data}, "latest"]


def measure(members: int, markets: int, block_seconds: int) -> dict[str, float]:
    """Lets so many members bet on so many markets after a goal; what that took, on a machine with what other load.

    Fails where a bet is lost or placed twice.
    """
    require_anvil()
    # Not an Anvil of benchmarks.chains: its clock is years ahead, and turns are by the chain's clock.
    with anvil(0, "--hardfork", "prague") as (_, url), TemporaryDirectory() as folder:
        web3 = Web3(HTTPProvider(url))
        tessera = _club(web3, Path(folder), members)
        web3.provider.make_request("evm_setAutomine", [False])
        web3.provider.make_request("evm_setIntervalMining", [block_seconds])
        load = os.getloadavg()[0]
        with _serving(Path(folder)) as (address, node):
            codes = _codes(Path(folder), members)
            played = asyncio.run(_play(address, tessera, codes, markets, node))
        bets = Counter(row.account for row in tessera.log_reader().read() if isinstance(row, BetPlaced))
        lost, doubled = members - len(bets), sum(bets.values()) - len(bets)
        if lost or doubled:
            raise SystemExit(f"{lost} bets were lost, {doubled} placed twice")
        return {
            "members": members,
            "markets": markets,
            "block_seconds": block_seconds,
            "bets_placed": sum(bets.values()),
            "bets_lost_or_doubled": lost + doubled,
            **played,
            **_spent(web3),
            "cores": os.cpu_count() or 1,
            "load_before": round(load, 1),
            "load_after": round(os.getloadavg()[0], 1),
        }


async def _play(url: str, tessera: Tessera, codes: list[str], markets: int, node: subprocess.Popen) -> dict[str, float]:
    """Lets all join, opens the markets, and has everybody bet at once."""
    answers = Answers()
    connector, jar = aiohttp.TCPConnector(limit=0), aiohttp.CookieJar
    phones = [
        Phone(
            url,
            tessera,
            code,
            number % markets,
            answers,
            aiohttp.ClientSession(connector=connector, connector_owner=False, cookie_jar=jar(unsafe=True)),
        )
        for number, code in enumerate(codes)
    ]
    gate, listening = asyncio.Semaphore(AT_ONCE), []

    async def join(phone: Phone) -> None:
        async with gate:
            page = asyncio.create_task(phone.listen())
            await phone.join()
            page.cancel()
            await asyncio.gather(page, return_exceptions=True)

    try:
        async with asyncio.timeout(PATIENCE):
            started, cpu = time.monotonic(), cpu_seconds(node)
            await asyncio.gather(*map(join, phones))
            joined, cpu_joined = time.monotonic() - started, cpu_seconds(node) - cpu
            refused_joining = answers.refusals.total()
            await _open(tessera, phones, markets)
            listening += [asyncio.create_task(phone.listen()) for phone in phones]
            await asyncio.sleep(10)  # the rooms are quiet, the match is on
        answers.times.clear()
        answers.refusals.clear()
        answers.blocks = 0
        cpu, goal = cpu_seconds(node), time.monotonic()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(phone.bet() for phone in phones))
        took, cpu = time.monotonic() - goal, cpu_seconds(node) - cpu
    finally:
        open_streams = sum(phone.listens and not task.done() for phone, task in zip(phones, listening, strict=False))
        for task in listening:
            task.cancel()
        ended = await asyncio.gather(*listening, return_exceptions=True)
        await asyncio.gather(*(phone.http.close() for phone in phones))
        await connector.close()
        for fault in {repr(end) for end in ended if not isinstance(end, asyncio.CancelledError)}:
            Console(stderr=True).print(fault, style="dim", markup=False)
    for reason, times in answers.refusals.items():
        Console(stderr=True).print(f"{times} refused: {reason}", style="dim", markup=False)
    last = [max(phone.placed for phone in phones if phone.market == market) - goal for market in _numbers(phones)]
    each = [phone.placed - phone.pressed for phone in phones]
    return {
        "joined_in_s": round(joined, 1),
        "joining_cpu_s": cpu_joined,
        "joining_refused": refused_joining,
        "last_bet_of_a_market_s_p50": round(percentile_ms(last, 50) / 1_000, 1),
        "last_bet_of_all_s": round(max(last), 1),
        "bet_s_p50": round(percentile_ms(each, 50) / 1_000, 1),
        "bet_s_p99": round(percentile_ms(each, 99) / 1_000, 1),
        "node_cpu_percent": round(100 * cpu / took),
        "node_cpu_ms_a_bet": round(1_000 * cpu / len(phones)),
        "answers": len(answers.times),
        "answers_a_second": round(len(answers.times) / took),
        "answer_ms_p50": percentile_ms(answers.times, 50),
        "answer_ms_p99": percentile_ms(answers.times, 99),
        "answers_refused": sum(times for reason, times in answers.refusals.items() if reason != OVERTAKEN),
        "bets_overtaken": answers.refusals[OVERTAKEN],
        "streams_open": open_streams,
        "blocks_told": answers.blocks,
    }


def _numbers(phones: list[Phone]) -> list[int]:
    return sorted({phone.market for phone in phones})


async def _open(tessera: Tessera, phones: list[Phone], markets: int) -> None:
    """Opens markets, and has the friends of a room look at one that somebody of another room made: who makes a market
    cannot bet on it."""
    now = tessera.web3.eth.get_block("latest")["timestamp"]
    arguments = TERMS, WAD // 2, now + DAY, now + DAY // 2, 0, "0x" + "00" * 20, 60
    await asyncio.gather(*(phone.send(tessera.markets, "create_market", *arguments) for phone in phones[:markets]))
    creators = {row.creator: row.market_id for row in tessera.log_reader().read() if isinstance(row, MarketCreated)}
    for number, phone in enumerate(phones):
        phone.market = creators[phones[(number + 1) % markets].address]
        phone.side = (Outcome.YES, Outcome.NO)[number // markets % 2]


def _club(web3: Web3, folder: Path, members: int) -> Tessera:
    """Contracts, and what a node of theirs is told."""
    owner, record = Wallet(web3, known_account(0)), folder / "club.json"
    tessera = Tessera(web3, deploy(owner, "friends", {"shortest_window": 60}, path=record, network="devnet"))
    tessera.play_euro.set_inviter(owner, known_account(NODE).address, True)
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text("<!doctype html><title>Tessera</title>")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "club.toml").write_text(
        f'name = "Saturday club"\nurl = "http://127.0.0.1:{port}"\nrpc = "{web3.provider.endpoint_uri}"\n'
        f'port = {port}\nrecord = "club.json"\npage = "page"\ndevnet_account = {NODE}\n'
        f"[gas]\nbudget = 10\nown = 1\nmembers = {members}\n"
    )
    while web3.eth.get_block("latest")["timestamp"] > time.time():
        time.sleep(0.5)
    return tessera


def _tessera(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tessera.cli", *map(str, arguments)]


def _codes(folder: Path, members: int) -> list[str]:
    """Invitations, as `tessera club invite` makes them."""
    made: list[str] = []
    while (missing := members - len(made)) > 0:
        command = _tessera("--json", "club", "invite", "--config", folder / "club.toml", "--count", min(256, missing))
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        made += [invitation["link"].partition("#")[2] for invitation in json.loads(told)["invitations"]]
    return made


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """`tessera club serve` in a process of its own: its address, and the process."""
    url = (folder / "club.toml").read_text().partition('url = "')[2].partition('"')[0]
    log = folder / "club.log"
    with log.open("w") as output:
        command = _tessera("club", "serve", "--config", folder / "club.toml")
        node = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        while socket.socket().connect_ex(address):
            if node.poll() is not None:
                raise SystemExit(log.read_text()[-2000:])
            time.sleep(0.2)
        yield url, node
    finally:
        node.send_signal(signal.SIGTERM)
        node.wait(timeout=60)
        if lines := [line for line in log.read_text().splitlines() if " WARNING " in line or " ERROR " in line]:
            Console(stderr=True).print("\n".join(lines[-20:]), style="dim", markup=False)


def _spent(web3: Web3) -> dict[str, float]:
    """What the node's account sent, gas and gifts."""
    node, gas, given, sent = known_account(NODE).address, 0, 0, 0
    for number in range(web3.eth.block_number + 1):
        for transaction in web3.eth.get_block(number, full_transactions=True)["transactions"]:
            if transaction["from"] == node:
                sent += 1
                given += transaction["value"]
                gas += web3.eth.get_transaction_receipt(transaction["hash"])["gasUsed"]
    return {"node_transactions": sent, "node_gas": gas, "given_eth": round(given / 1e18, 4)}


@click.command(help=__doc__)
@click.option("--members", default=200, show_default=True, type=click.IntRange(2, 500))
@click.option("--markets", default=20, show_default=True, type=click.IntRange(2, 50))
@click.option("--block-seconds", default=2, show_default=True, type=click.IntRange(1), help="Between two blocks.")
@click.option("--write", is_flag=True, help="Keep the figures.")
def cli(members: int, markets: int, block_seconds: int, write: bool):
    measured = measure(members, markets, block_seconds)
    show("A goal in a club", measured, PUBLISHED if write else None)


if __name__ == "__main__":
    cli()
