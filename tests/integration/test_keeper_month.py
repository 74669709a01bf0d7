"""The month of docs/operations.md, as a newcomer runs it: every script and command of the page, on a devnet."""

import re
import shlex

import pytest
from click.testing import CliRunner
from web3 import HTTPProvider, Web3

from scripts import devnet, keeper
from tessera.chain import Deployment, Tessera
from tessera.chain.embedded import known_account
from tessera.chain.prediction_events import Claimed
from tessera.chain.prize_pool import BoughtBack
from tessera.keeper.report import read
from tessera.local.chain import UNITS
from tests.integration.conftest import ROOT, running_devnet

URL = "http://127.0.0.1:8545"
MONTH = (ROOT / "docs" / "operations.md").read_text().split("## A month on a devnet")[1]
STAKE, LEAVE = re.findall(r"```python\n(.*?)```", MONTH, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", MONTH, re.DOTALL)
MINE = 3  # the account of the scripts


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def url(folder):
    with running_devnet(folder) as url:
        yield url


def execute(script: str, url: str) -> list[str]:
    said = []
    exec(compile(script.replace(URL, url), "docs/operations.md", "exec"), {"print": said.append})
    return said


def command(line: str, url: str, folder) -> str:
    """One line of the page in this process: a start of Ape takes seconds."""
    words = shlex.split(line.replace(URL, url))
    if words[:2] == ["python", "scripts/devnet.py"]:
        cli, words = devnet.cli, [*words[2:], "--into", str(folder)]
    else:
        assert words[:3] == ["ape", "run", "keeper"]
        cli, words = keeper.cli, [*words[3:]]
        if words[0] != "plan":
            words += ["--reports", str(folder / "reports")]
        if words[0] != "report":
            words[words.index("deployments/devnet.json")] = str(folder / devnet.RECORD)
            words += ["--index", f"sqlite:///{folder / 'index.sqlite'}"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, f"{line}: {done.output}"
    return done.output


@pytest.mark.anvil
def test_the_month_as_the_page_has_it(url, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert execute(STAKE, url) == ["staked: 3,000.00 USD", "in the wallet: 17,000.00 USDC"]
    lines = COMMANDS.splitlines()
    assert lines.pop(0) == ". .venv/bin/activate"
    said = [command(line, url, folder) for line in lines]
    assert "close 1 week" in said[1]
    assert "Nothing was sent." in said[1]

    prizes, withdrawn, mined, wallet = execute(LEAVE, url)
    won = float(re.fullmatch(r"prizes: (\d+\.\d\d) USDC", prizes).group(1))
    assert won > 1
    assert withdrawn == "withdrawn: 3,000.00 USDC"
    assert float(re.fullmatch(r"mined: ([\d.,]+) BET", mined).group(1).replace(",", "")) > 100
    assert wallet == f"in the wallet: {20_000 + won:,.2f} USDC"

    web3 = Web3(HTTPProvider(url))
    tessera = Tessera(web3, Deployment.load(folder / devnet.RECORD))
    rows = list(tessera.log_reader().read())
    me = known_account(MINE).address
    assert {row.event_id for row in rows if isinstance(row, Claimed) and row.account == me} == {1, 2}
    claimed = sum(row.amount for row in rows if isinstance(row, Claimed) and row.account == me)
    assert f"{claimed / 10**6:.2f}" == f"{won:.2f}"
    assert [row for row in rows if isinstance(row, BoughtBack)]
    assert tessera.staking.stake_of(me) == 0
    for number in (1, 2):
        assert tessera.events.result_of(number).unpaid == 0

    assert len(list((folder / "reports").glob("round-*.json"))) == COMMANDS.count("keeper run")
    assert len(list((folder / "reports").glob("round-*.svg"))) == 5  # the last run closes no week
    assert read(folder / "reports")[1]["exit_code"] == 0
    assert tessera.prizes.buyback_bucket() < UNITS["USDC"]
