"""A club by its guide (docs/club.md): set up, served, joined by phones, on a chain with a block every two seconds.

Its node is killed with -9 at random: nobody is funded twice or forgotten, and no code lets two in.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
import requests
from web3 import Web3

from scripts.devnet import anvil
from tessera.chain import WAD, Outcome, Terms, Tessera, connect
from tessera.chain.deployments import Deployment
from tessera.chain.lmsr_markets import MarketCreated
from tessera.chain.play_euro import Invited, Joined
from tessera.club.store import Store
from tests.club_phone import Phone
from tests.integration.conftest import ROOT, run

GUIDE = (ROOT / "docs" / "club.md").read_text()
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
        init = ["club", "init", "--folder", folder, "--name", "Friday club", "--url", club.url]
        init += ["--members", 40, "--budget", 1, "--page", page, "--yes"]
        club.tessera(*init, account=0)
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
    with club.serving():
        phones = [Phone(club.url, club.record, code) for code in club.codes(3)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(Phone.join, phones))
        audit(club, phones)
        anna, ben, _ = phones
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


def killed_at_random(club: Club, kills: int, rng: random.Random) -> None:
    """Friends come while the node is killed with -9 and started again."""
    codes = club.codes(max(3, kills // 5))
    phones = [Phone(club.url, club.record, code) for code in codes]
    process = club.start()
    try:
        with ThreadPoolExecutor(len(phones)) as pool:
            joining = [pool.submit(phone.join, 600 + 30 * kills) for phone in phones]
            for _ in range(kills):
                club.wait()
                time.sleep(rng.uniform(0, 3 * BLOCK_SECONDS))
                process.kill()
                process.wait()
                process = club.start()
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
