"""`ape run host`, killed with -9 before and after it sent what was signed: started again, each bet is placed once."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from scripts.devnet import anvil
from tessera.chain import Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.hosted_bets import BetListed, BetPlaced
from tessera.chain.panels import PanelCreated, ascending
from tessera.deployment.deploy import deploy
from tessera.host.client import Client, HostError
from tests.integration.conftest import ROOT
from tests.unit.host.conftest import BARE

EUR, PORT = 10**6, 18_701
HOST, PLAYER, PANEL = 5, 1, (11, 12, 13)
WIN, LOSS = 0, 1
AHEAD = 2_000_000_000  # of the wall's clock: then time passes by blocks alone, and no deadline while a node starts


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Tessera]:
    """Hosted bets on an anvil of its own, a player who has joined, and a bets.ini."""
    with anvil(0, "--timestamp", str(AHEAD)) as (_, url):
        web3 = Web3(HTTPProvider(url))
        web3.provider.make_request("anvil_setBlockTimestampInterval", [1])
        owner, player = Wallet(web3, known_account(0)), Wallet(web3, known_account(PLAYER))
        record = tmp_path / "record.json"
        deploy(owner, "friends", {"shortest_window": 60}, path=record, network="devnet")
        tessera = Tessera(web3, deploy(owner, "hosted", {"first_index": 1}, path=record, network="devnet"))
        tessera.play_euro.invite(owner, [player.address])
        tessera.play_euro.join(player, consent=0b111)
        members = ascending(known_account(index).address for index in PANEL)
        panel_id = tessera.panels.create_panel(owner, members, 2).event(PanelCreated).panel_id
        (tmp_path / "bets.ini").write_text(BARE.replace("[bets]\n", f"[bets]\npanel = {panel_id}\n"))
        yield tessera


@contextmanager
def running(tessera: Tessera, folder: Path) -> Iterator[Client]:
    """A host and a player who is connected to it; in the end the host is killed with -9."""
    command = ["ape", "run", "host", "--bets", folder / "bets.ini", "--account", f"TEST::{HOST}", "--port", PORT]
    command += ["--network", f"ethereum:local:{tessera.web3.provider.endpoint_uri}", "--every", 0.2]
    command += ["--record", folder / "record.json", "--database", f"sqlite:///{folder}/host.db"]
    command += ["--index", f"sqlite:///{folder}/index.db"]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        client = entered(process, tessera, folder)
        yield client
    finally:
        process.kill()
        process.wait(timeout=60)
    client.close()


def entered(process: subprocess.Popen, tessera: Tessera, folder: Path) -> Client:
    while True:
        assert process.poll() is None, (folder / "log").read_text()[-2_000:]
        try:
            client = Client(f"ws://127.0.0.1:{PORT}", tessera)
        except HostError:
            time.sleep(0.2)
            continue
        client.sign_in(known_account(PLAYER))
        return client


def bet(client: Client, prediction: int, amount: int) -> None:
    first = next(one for one in client.open_bets() if one.number == 0)
    client.bet([(first, prediction, amount)])


def sent(web3: Web3) -> int:
    """Transactions of the host that are mined or wait to be."""
    return web3.eth.get_transaction_count(known_account(HOST).address, "pending")


def wait_until_sent(web3: Web3, count: int) -> None:
    while sent(web3) < count:
        time.sleep(0.05)


@pytest.mark.anvil
def test_killed_before_and_after_sending_each_signed_bet_is_placed_once(club: Tessera, tmp_path: Path):
    web3 = club.web3
    with running(club, tmp_path) as client:
        web3.provider.make_request("evm_setAutomine", [False])
        bet(client, WIN, 10 * EUR)
        wait_until_sent(web3, 1)  # the listing waits to be mined; the bet is signed, and was not sent
    web3.provider.make_request("evm_setAutomine", [True])
    web3.provider.make_request("evm_mine", [])
    with running(club, tmp_path) as client:
        assert client.until(lambda state: len(state["confirmed_bets"]) == 1, 60)
        before = sent(web3)
        web3.provider.make_request("evm_setAutomine", [False])
        bet(client, LOSS, 5 * EUR)
        wait_until_sent(web3, before + 1)  # the bet itself waits to be mined
    with running(club, tmp_path) as client:
        web3.provider.make_request("evm_setAutomine", [True])
        web3.provider.make_request("evm_mine", [])
        assert client.until(lambda state: len(state["confirmed_bets"]) == 2, 60)
    rows = list(club.log_reader().read())
    assert Counter((row.prediction, row.amount) for row in rows if isinstance(row, BetPlaced)) == {
        (WIN, 10 * EUR): 1,
        (LOSS, 5 * EUR): 1,
    }
    assert len([row for row in rows if isinstance(row, BetListed)]) == 1
    assert club.escrow.balance_of(known_account(PLAYER).address) == 35 * EUR
