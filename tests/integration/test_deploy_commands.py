"""`ape run deploy` and `ape run verify`, as an operator types them."""

import os
import re
import sys

import pytest

from tessera.chain import Deployment
from tessera.chain.embedded import known_account
from tests.integration.conftest import run

OPERATOR = known_account(15)
IMPORT = f"""
from ape_accounts import import_account_from_private_key
import_account_from_private_key("operator", "a passphrase", "{OPERATOR.key.hex()}")
"""


def test_a_dry_run_prints_the_plan_and_sends_nothing(tmp_path):
    record = tmp_path / "club.json"
    told = run(["ape", "run", "deploy", "friends", "--dry-run", "--record", record])
    assert told.returncode == 0, told.stderr
    assert len(re.findall(r"  to do  (?:create|call) .*: [\d,]+ gas", told.stdout)) == 5
    assert re.search(r"[\d,]+ gas, 0\.\d+ ETH at .* gwei\. Nothing was sent\.", told.stdout)
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
