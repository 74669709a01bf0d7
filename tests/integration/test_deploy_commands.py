"""`ape run deploy` and `ape run verify`, as an operator types them."""

import os
import re
import sys

import pytest

from scripts import devnet
from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.embedded import known_account
from tessera.chain.timelock import Operation
from tessera.local.chain import UNITS, LocalChain, let_pass
from tests.integration.conftest import run
from tests.real.uniswap import Uniswap

OPERATOR = known_account(15)
IMPORT = f"""
from ape_accounts import import_account_from_private_key
import_account_from_private_key("operator", "a passphrase", "{OPERATOR.key.hex()}")
"""


def test_a_dry_run_prints_the_plan_and_sends_nothing(tmp_path):
    record = tmp_path / "club.json"
    printed = run(["ape", "run", "deploy", "friends", "--dry-run", "--record", record])
    assert printed.returncode == 0, printed.stderr
    assert len(re.findall(r"  to do  (?:create|call) .*: [\d,]+ gas", printed.stdout)) == 5
    assert re.search(r"[\d,]+ gas, 0\.\d+ ETH at .* gwei\. Nothing was sent\.", printed.stdout)
    assert not record.exists()


@pytest.mark.anvil
def test_deploy_with_a_key_file_and_verify(url, tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "APE_ACCOUNTS_operator_PASSPHRASE": "a passphrase"}
    imported = run([sys.executable, "-c", IMPORT], env=environment)
    assert imported.returncode == 0, imported.stderr
    path = tmp_path / "club.json"
    where = ["--network", f"ethereum:local:{url}", "--record", path]
    deploy = ["ape", "run", "deploy", "friends", "--account", "operator", *where]

    first = run(deploy, env=environment)
    assert first.returncode == 0, first.stderr
    record = Deployment.load(path)
    assert record.chain_id == 31337
    assert record.contracts["Escrow"].deployer == OPERATOR.address
    assert f" gas, at {record.address_of('PlayEuro')}" in first.stdout

    second = run(deploy, env=environment)
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("was done") == 5
    assert Deployment.load(path) == record

    verified = run(["ape", "run", "verify", *where], env=environment)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.count("as recorded") == 3

    other = known_account(16).address
    differing = run(["ape", "run", "verify", "--owner", other, *where], env=environment)
    assert differing.returncode == 1
    assert f"Escrow.owner() is {OPERATOR.address}, not {other}" in differing.stderr


def test_a_dry_run_of_tickets_takes_stand_ins_on_a_local_network(tmp_path):
    record = tmp_path / "tickets.json"
    printed = run(["ape", "run", "deploy", "tickets", "--dry-run", "--record", record])
    assert printed.returncode == 0, printed.stderr
    # 13 contracts of the product and its stand-ins and two pairs; both pairs made known, the minter, two assets
    # which are listed, and seeded by a mint, an approval and the call itself.
    assert len(re.findall(r"  to do  create .*: [\d,]+ gas", printed.stdout)) == 15
    assert len(re.findall(r"  to do  call .*: [\d,]+ gas", printed.stdout)) == 11
    assert "mint(the owner of StakingPool, 10 tokens)" in printed.stdout
    assert not record.exists()


@pytest.mark.anvil
def test_tickets_over_a_real_market_and_the_way_of_its_timelock(web3, url, folder, tmp_path):
    """Uniswap V2 as on the main chain, and the devnet's stablecoins, vaults and feeds."""
    deployer, proposer = Wallet(web3, known_account(13)), Wallet(web3, known_account(14))
    there = Deployment.load(folder / devnet.RECORD)
    uniswap = Uniswap.deploy(deployer)
    usdc, dai = (there.address_of(f"TestToken:{name}") for name in ("USDC", "DAI"))
    uniswap.create_pair(deployer, usdc, dai)
    local = LocalChain(Tessera(web3, there), Wallet(web3, known_account(0)))
    for name in ("USDC", "DAI"):
        local.give(deployer.address, name, 10 * UNITS[name])  # the seeds
    file = tmp_path / "tickets.toml"
    assets = "".join(
        f'[[assets]]\ntoken = "{there.address_of(f"TestToken:{name}")}"\n'
        f'vault = "{there.address_of(f"YieldVault:{name}")}"\nfeed = "{there.address_of(f"PriceFeed:{name}")}"\n'
        for name in ("USDC", "DAI")
    )
    file.write_text(
        f'blocks_per_hour = 2\nmin_blocks = 336\ndelay = 86_400\nproposers = ["{proposer.address}"]\n'
        "bet_cap = 10_000_000\nbet_per_block = 0.25\nfirst_mined_block = 1_000_000\nend_of_mining = 2_000_000\n"
        f'prize_token = "{usdc}"\nrouter = "{uniswap.router.address}"\nfactory = "{uniswap.factory.address}"\n{assets}'
    )
    path = tmp_path / "real.json"
    where = ["--network", f"ethereum:local:{url}", "--record", path]
    deploy = ["ape", "run", "deploy", "tickets", "--account", "TEST::13", "--parameters", file, *where]

    planned = run([*deploy, "--dry-run"])
    assert planned.returncode == 0, planned.stderr
    assert re.search(r"  to do  call UniswapV2Factory 0x\w+.createPair\(0x\w+, BetToken\): [\d,]+ gas", planned.stdout)
    done = run(deploy)
    assert done.returncode == 0, done.stderr
    assert "The timelock owns the contracts once it has accepted" in done.stdout
    again = run(deploy)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("was done") == 17

    tessera = Tessera(web3, Deployment.load(path))
    operations = [Operation.of(one, "accept_ownership") for one in (tessera.staking, tessera.events, tessera.prizes)]
    for operation in operations:
        tessera.timelock.schedule(proposer, operation)
    let_pass(web3, 86_400, 2)
    for operation in operations:
        tessera.timelock.execute(deployer, operation)
    verified = run(["ape", "run", "verify", *where])
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.count("as recorded") == 6


@pytest.mark.parametrize("command", [["deploy", "friends", "--dry-run"], ["verify"], ["host", "--bets", "bets.ini"]])
def test_without_a_node_it_says_so(command):
    done = run(["ape", "run", *command, "--network", "ethereum:local:http://127.0.0.1:1"])
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the node failed: No node found")
