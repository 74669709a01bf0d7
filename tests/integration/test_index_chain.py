"""The event index on anvil: a real reorg, and docs/index.md word for word."""

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from scripts.devnet import anvil, require_anvil
from tessera.chain import WAD, Outcome, Terms, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.lmsr_markets import MarketCreated
from tessera.deployment.deploy import deploy
from tessera.index import Index
from tests.processes import BY_SIGTERM, running
from tests.unit.index.conftest import ALL_KINDS, dump

pytestmark = pytest.mark.anvil

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "index.md").read_text()
TERMS = Terms("Will it rain?", "It does.", "It does not.", "As the source reports it.", "The newspaper.")


@pytest.fixture
def club():
    """A chain of its own with a market and two friends."""
    require_anvil()
    with anvil(0) as (_, url):
        web3 = Web3(HTTPProvider(url))
        owner, *friends = (Wallet(web3, known_account(index)) for index in range(3))
        tessera = Tessera(web3, deploy(owner, "friends", {"shortest_window": 60}))
        tessera.play_euro.invite(owner, [friend.address for friend in friends])
        for friend in friends:
            tessera.play_euro.join(friend, consent=1)
        yield tessera, *friends


def create(tessera: Tessera, creator: Wallet) -> int:
    due_at = tessera.web3.eth.get_block("latest")["timestamp"] + 3_600
    done = tessera.markets.create_market(creator, TERMS, p0=WAD // 2, expected_result_at=due_at, dispute_window=60)
    return done.event(MarketCreated).market_id


def check(index: Index, tessera: Tessera) -> None:
    """The index is the chain's, and the one built afresh."""
    index.sync()
    with index.snapshot() as snapshot:
        assert list(snapshot.rows(*ALL_KINDS)) == list(tessera.log_reader().read())
    afresh = Index("sqlite://", tessera.web3, tessera.deployment)
    afresh.sync()
    assert dump(index) == dump(afresh)


def test_anvil_reorganises_its_chain(club):
    tessera, creator, bettor = club
    web3 = tessera.web3
    index = Index("sqlite://", web3, tessera.deployment, blocks_at_once=5)
    market = create(tessera, creator)
    tessera.markets.bet(bettor, market, Outcome.YES, min_shares=WAD)
    check(index, tessera)
    assert _bets(index) == 1

    # The last two blocks, with what was in them, are replaced by empty ones.
    before = web3.eth.get_block("latest")
    web3.provider.make_request("anvil_reorg", [2, []])
    after = web3.eth.get_block("latest")
    assert (after["number"], after["hash"] != before["hash"]) == (before["number"], True)
    check(index, tessera)
    assert _bets(index) == 0
    with index.snapshot() as snapshot:
        assert snapshot.markets() == []

    market = create(tessera, creator)
    mark = web3.provider.make_request("evm_snapshot", [])["result"]
    tessera.markets.bet(bettor, market, Outcome.YES, min_shares=WAD)
    tessera.escrow.withdraw(bettor, 10**6)
    check(index, tessera)
    assert _bets(index) == 1
    # Back to a shorter chain, and on another way.
    web3.provider.make_request("evm_revert", [mark])
    check(index, tessera)
    assert _bets(index) == 0
    tessera.markets.bet(bettor, market, Outcome.NO, min_shares=WAD)
    check(index, tessera)
    assert _bets(index) == 1


def _bets(index: Index) -> int:
    with index.snapshot() as snapshot:
        return sum(market.bets for market in snapshot.markets())


def test_the_commands_of_the_page(url, folder, tmp_path):
    sync, serve = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL).group(1).splitlines()
    here = ["--rpc", url, "--record", str(folder / "deployments" / "devnet.json")]

    def words(line: str) -> list[str]:
        assert line.startswith("python -m tessera.index ")
        *_, command = shlex.split(line)
        return [sys.executable, "-u", "-m", "tessera.index", *here, command]

    def run(line: str) -> str:
        return subprocess.run(words(line), cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert re.fullmatch(r"\d+ rows read; the index is at block \d+\n", run(sync))
    assert (tmp_path / "index.db").exists()

    serving = [*words(serve), "--port", "0"]
    with running(serving, r"running on (http://\S+)", codes=(0, BY_SIGTERM), cwd=tmp_path) as server:
        with urllib.request.urlopen(f"{server.match.group(1)}/markets") as answer:
            markets = json.load(answer)
        assert markets["total"] == len(markets["answers"]) >= 2


def test_the_script_of_the_page(url, folder, tmp_path):
    script = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)
    script = script.replace("http://127.0.0.1:8545", url).replace("deployments/", f"{folder}/deployments/")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Will it rain in Vienna tomorrow? OPEN, YES at" in done.stdout
    assert len(re.findall(r"^0x\w{40}: [+-]\d", done.stdout, re.MULTILINE)) >= 2
