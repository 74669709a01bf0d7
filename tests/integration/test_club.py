"""A club by its guide (docs/club.md): set up, served, joined by phones, on a chain with a block every two seconds.

Its node is killed with -9 at random: nobody is funded twice or forgotten, and no code lets two in.
"""

import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import Event, Thread

import pytest
import requests
from web3 import Web3
from web3.types import Wei

from scripts.devnet import anvil
from tessera.chain import WAD, Outcome, Terms, Tessera, Wallet, connect
from tessera.chain.deployments import Deployment
from tessera.chain.lmsr_markets import MarketCreated
from tessera.chain.play_euro import Invited, Joined
from tessera.club.store import Store
from tests.club_phone import Phone
from tests.forked import forks
from tests.integration.conftest import ROOT, run

GUIDE = (ROOT / "docs" / "club.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()]
BLOCK_SECONDS = 2
START_SECONDS = 300  # of a node, on a machine that has much else to do
TESSERA = [sys.executable, "-m", "tessera.cli"]

pytestmark = pytest.mark.anvil


class Club:
    """A club that was set up by the guide's command, and its node's processes."""

    def __init__(self, folder: Path, rpc: str, port: int):
        self.folder, self.rpc, self.port = folder, rpc, port
        self.url, self.record = f"http://127.0.0.1:{port}", folder / "club.json"
        self.config = folder / "club.toml"

    def tessera(self, *arguments, account: int | None = None) -> subprocess.CompletedProcess:
        """`tessera ...`, as it is typed."""
        who = [] if account is None else ["--devnet-account", account]
        done = run([*TESSERA, "--rpc", self.rpc, "--record", self.record, *who, *arguments])
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def guide(self, name: str, more: Sequence[object] = (), **others: object) -> str:
        """What the guide's line with a command of `tessera club` prints, typed in the club's folder; `others` are put
        in the place of words of it."""
        [line] = [line for line in COMMANDS if f" club {name}" in line]
        words = [str(others.get(word, word)) for word in shlex.split(line)[1:]]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = run([*TESSERA, *words, *more], cwd=self.folder, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def codes(self, count: int) -> list[str]:
        done = self.tessera("--json", "club", "invite", "--count", count, "--config", self.config)
        return [invitation["link"].partition("#")[2] for invitation in json.loads(done.stdout)["invitations"]]

    def start(self, config: Path | None = None) -> subprocess.Popen:
        """`tessera club serve`, in a process of its own."""
        command = [*TESSERA, "club", "serve", "--config", config or self.config]
        log = (self.folder / "serve.log").open("a")
        return subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def wait(self, url: str | None = None) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            try:
                if requests.get(f"{url or self.url}/api/health", timeout=5).json()["block"] is not None:
                    return
            except (requests.RequestException, KeyError):
                pass
            time.sleep(0.2)
        raise AssertionError((self.folder / "serve.log").read_text()[-3_000:])

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen]:
        process = self.start()
        try:
            self.wait()
            yield process
        finally:
            process.terminate()
            assert process.wait(timeout=60) in (0, -15), (self.folder / "serve.log").read_text()[-3_000:]

    @property
    def contracts(self) -> Tessera:
        return Tessera(connect(self.rpc), Deployment.load(self.record))

    @property
    def node_address(self) -> str:
        return Web3.to_checksum_address("0x" + json.loads((self.folder / "node.json").read_text())["address"])


@pytest.fixture(scope="module")
def club(tmp_path_factory) -> Iterator[Club]:
    """A club for all tests that are about their own friends alone."""
    with new_club(tmp_path_factory.mktemp("club")) as club:
        yield club


@contextmanager
def new_club(folder: Path) -> Iterator[Club]:
    """A club by `tessera club init`, whose node has ether; a block every two seconds, and a base fee that moves."""
    page = folder / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html><title>Tessera</title>")
    with anvil(0, "--block-time", str(BLOCK_SECONDS), "--slots-in-an-epoch", "1") as (_, rpc):
        club = Club(folder, rpc, random.randrange(20_000, 30_000))
        web3 = connect(rpc)
        assert web3.eth.get_block("latest")["baseFeePerGas"] > 0
        web3.provider.make_request("evm_setIntervalMining", [0])
        web3.provider.make_request("evm_setAutomine", [True])  # while contracts are deployed
        examples = {
            "https://rpc.example": rpc,
            "deployments/club.json": club.record,
            "--key-file": "--devnet-account",
            "KEY": 0,
            "https://club.example": club.url,
        }
        answers = ["--name", "Friday club", "--members", 40, "--budget", 1, "--page", page, "--yes"]
        club.guide("init", answers, **examples)
        text = club.config.read_text()
        club.config.write_text(f"port = {club.port}\nconfirmations = 0\n{text}")
        web3.provider.make_request("anvil_setBalance", [club.node_address, hex(3 * 10**18)])
        web3.provider.make_request("evm_setAutomine", [False])
        web3.provider.make_request("evm_setIntervalMining", [BLOCK_SECONDS])
        yield club


def audit(club: Club, phones: list[Phone], database: str | None = None) -> None:
    """Each phone is in once and was funded once, and nobody else is in; the table of gifts is what the chain has."""
    rows = list(club.contracts.log_reader().read())
    joined = [row.account for row in rows if isinstance(row, Joined)]
    assert sorted(joined) == sorted(set(joined))
    assert {phone.address for phone in phones} <= set(joined)
    assert {row.account for row in rows if isinstance(row, Invited)} == set(joined)
    store, web3 = Store(database or f"sqlite:///{club.folder}/club.db"), connect(club.rpc)
    received: dict[str, list[int]] = {phone.address: [] for phone in phones}
    for number in range(1, web3.eth.block_number + 1):
        for transaction in web3.eth.get_block(number, full_transactions=True)["transactions"]:
            if transaction["from"] == club.node_address and transaction["to"] in received:
                received[transaction["to"]].append(transaction["value"])
    assert {account: len(gifts) for account, gifts in received.items()} == dict.fromkeys(received, 1)
    given = store.given(0)
    assert given.keys() == set(joined)
    assert {account: given[account] for account in received} == {
        account: sum(gifts) for account, gifts in received.items()
    }
    store.engine.dispose()


def test_friends_join_by_the_guide_and_play_and_a_strangers_crowd_disturbs_nobody(club):
    assert (club.folder / "club.service").exists()
    assert (club.folder / "node.txt").stat().st_mode & 0o077 == 0
    assert "reverse_proxy 127.0.0.1" in (club.folder / "Caddyfile").read_text()
    assert "tessera club serve" in COMMANDS
    with club.serving():
        codes = re.findall(r"/join#(\S+)", club.guide("invite"))
        phones = [Phone(club.url, club.record, code) for code in codes]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(Phone.join, phones))
        audit(club, phones)
        anna, ben, _ = phones
        assert all(name in club.guide("members") for name in ("Anna", "Ben", "Clara"))
        now = anna.tessera.web3.eth.get_block("latest")["timestamp"]
        terms = Terms("Will it rain?", "It does.", "It does not.", "As the source reports it.", "The newspaper.")
        created = anna.tessera.markets.create_market(
            anna.wallet, terms, p0=WAD // 2, expected_result_at=now + 86_400, dispute_window=43_200
        )
        market = created.event(MarketCreated).market_id
        # A stranger with a hundred connections, while Ben bets and takes a name.
        with ThreadPoolExecutor(100) as crowd:
            pending = [
                crowd.submit(requests.get, f"{club.url}/club/accounts/{ben.address}", timeout=60) for _ in range(300)
            ]
            ben.bet(market, Outcome.YES)
            statuses = [answer.result().status_code for answer in pending]
        assert set(statuses) <= {200, 429}
        assert club.contracts.markets.market(market).bets == 1
        ben.sign_in()
        assert ben.say_name("Ben").status_code == 200
        assert anna.say_name("B e n").json()["code"] == "name_taken"
        assert ben.get("/club/names").json()["names"][0]["name"] == "Ben"
        assert ben.post("/club/turns", market_id=market).json()["place"] == 0
        assert ben.get("/club/waiting").json()["items"] == []
        stream = requests.get(f"{club.url}/events", stream=True, timeout=60)
        assert b"event: block" in islice(stream.iter_lines(), 20)
        stream.close()
        assert "Will it rain?" in requests.get(f"{club.url}/m/{market}", timeout=60).text
        for method in ("anvil_setBalance", "evm_mine", "eth_sendTransaction"):
            answer = ben.post("/rpc", id=1, method=method, params=[]).json()
            assert answer["error"]["code"] == -32601


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Debian's caddy is not here; its file is compared as text")
def test_caddy_takes_the_file_of_a_club(club):
    done = run(["caddy", "validate", "--adapter", "caddyfile", "--config", club.folder / "Caddyfile"])
    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr


def killed_at_random(club: Club, kills: int, rng: random.Random) -> None:
    """Friends come while the node is killed with -9 and started again."""
    codes = club.codes(max(3, kills // 5))
    phones = [Phone(club.url, club.record, code) for code in codes]
    serve, log = ["club", "serve", "--config", club.config], club.folder / "serve.log"
    with forks() as program:
        process = program.start(serve, log)
        try:
            with ThreadPoolExecutor(len(phones)) as pool:
                joining = [pool.submit(phone.join, 600 + 30 * kills) for phone in phones]
                for _ in range(kills):
                    club.wait()
                    time.sleep(rng.uniform(0, 3 * BLOCK_SECONDS))
                    process.kill()
                    process.wait()
                    process = program.start(serve, log)
                for friend in joining:
                    friend.result()
        finally:
            process.kill()
            process.wait()
    audit(club, phones)


def test_killed_at_random_nobody_is_funded_twice_or_forgotten(club):
    killed_at_random(club, 3, random.Random(1))


@pytest.mark.campaign
def test_killed_fifty_times_nobody_is_funded_twice_or_forgotten(club):
    killed_at_random(club, 50, random.Random(2))


class Fees(Thread):
    """Keeps the base fee of each block at `wei`."""

    def __init__(self, rpc: str, wei: int):
        super().__init__(daemon=True)
        self._web3, self.wei, self._over = connect(rpc), wei, Event()

    def run(self) -> None:
        while not self._over.wait(BLOCK_SECONDS / 8):
            self._web3.provider.make_request("anvil_setNextBlockBaseFeePerGas", [hex(self.wei)])

    def __enter__(self) -> "Fees":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self.join()


def give_away(club: Club, phone: Phone) -> None:
    """Sends a phone's gas money away, but for some fees, as its owner can without the node."""
    wallet = Wallet(connect(club.rpc), phone.account)
    fee = 100_000 * wallet.gas_price().offered
    wallet.send({"to": Web3.to_checksum_address(club.node_address), "value": Wei(wallet.balance() - fee)}, "a gift")


@pytest.mark.campaign
def test_fees_rise_tenfold_and_fall_again_and_everybody_is_funded_or_told(tmp_path):
    """The chain's own prices, where tests/unit/club/test_fees.py names them."""
    calm = 5 * 10**9
    with new_club(tmp_path) as club, Fees(club.rpc, calm) as fees, club.serving():
        anna, ben, clara = [Phone(club.url, club.record, code) for code in club.codes(3)]
        anna.join()
        time.sleep(20 * BLOCK_SECONDS)  # until the calm price is the usual one
        give_away(club, anna)
        fees.wei = 10 * calm
        time.sleep(2 * BLOCK_SECONDS)
        assert ben.redeem() == "coming"
        told = [phone.post("/club/gas", account=phone.address).json() for phone in (anna, ben)]
        assert [answer["state"] for answer in told] == ["too_dear", "too_dear"]
        assert all(answer["detail"] for answer in told)
        assert connect(club.rpc).eth.get_balance(ben.address) == 0
        ben.join(seconds=60 * BLOCK_SECONDS)  # when it is the usual price, some twenty blocks later
        fees.wei = calm
        clara.join()
        store = Store(f"sqlite:///{club.folder}/club.db")
        given = store.given(0)
        assert given.keys() == {anna.address, ben.address, clara.address}
        assert sum(given.values()) <= 10**18
        assert max(given.values()) <= 10**18 // 40
        store.engine.dispose()
        warnings = [line for line in (tmp_path / "serve.log").read_text().splitlines() if " WARNING " in line]
        assert len([line for line in warnings if "dear" in line or "gwei" in line]) == 1, warnings
