"""The command line on a devnet: what docs/cli.md says, line by line."""

import os
import re
import subprocess

import pytest
from web3 import HTTPProvider, Web3

from scripts import devnet
from tessera.chain import Deployment, Tessera
from tessera.chain.embedded import known_account
from tests.integration.conftest import ROOT, running_devnet

PAGE = (ROOT / "docs" / "cli.md").read_text()
HOSTED = PAGE.split("\n## Hosted bets\n")[1].split("\n## ")[0]  # which needs a host, and is run where one is


def blocks_of(text: str) -> str:
    """The commands of a page, in their order."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


@pytest.mark.anvil
def test_the_page_runs(tmp_path):
    # A devnet of its own: account 9 joins once.
    with running_devnet(tmp_path) as url:
        run_page(url, tmp_path)


def run_page(url, folder):
    # The interval between two bets of a market has passed for whoever reads before typing.
    web3 = Web3(HTTPProvider(url))
    web3.provider.make_request("evm_increaseTime", [10])
    settings = {"TESSERA_RPC": url, "TESSERA_RECORD": str(folder / devnet.RECORD), "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-exc", blocks_of(PAGE.replace(HOSTED, ""))],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "dry run: LmsrMarkets.bet would succeed" in done.stdout
    tessera = Tessera(web3, Deployment.load(folder / devnet.RECORD))
    left, staker = known_account(9).address, known_account(1).address
    assert tessera.escrow.balance_of(left) == 0
    assert tessera.play_euro.balance_of(left) == 50_000_000 - 1_000_000 - 10_000_000
    usdc = tessera.staking.assets()[0]
    assert tessera.staking.principal_of(staker, usdc) == 0
