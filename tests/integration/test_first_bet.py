"""The script of docs/chain.md, as a newcomer would run it: on a devnet, and on the embedded chain."""

import json
import os
import re
import sys

import pytest
from web3 import HTTPProvider, Web3

from scripts import devnet
from tessera.accounting.profit import ledger_differences
from tessera.chain import Deployment, Tessera
from tessera.chain.embedded import embedded_web3, known_account
from tessera.deployment.deploy import differences
from tests.integration.conftest import ROOT, run, running_devnet

URL = "http://127.0.0.1:8545"
SAID = [
    r"balance: 50\.00 EUR",
    r"YES: probability 6\d\.\d%, 1 EUR pays 1\.\d\d EUR \(odds 1\.\d\d\), moves the price by \d\.\d%, "
    r"expected loss 0\.0\d\d EUR",
    r"NO: probability 3\d\.\d%, 1 EUR pays 2\.\d\d EUR \(odds 2\.\d\d\), moves the price by \d\.\d%, "
    r"expected loss 0\.\d\d\d EUR",
    r"bet in block \d+, \d+ gas",
    r"2\.\d{4} NO shares at odds 2\.\d\d",
    r"if YES: -1\.00 EUR",
    r"if NO: \+1\.\d\d EUR",
    r"if INVALID: \+0\.00 EUR",
    r"\d+: YES at 62\.0%",
    r"\d+: YES at 6\d\.\d%",  # after the devnet's bet on YES
    r"\d+: YES at 5\d\.\d%",  # after ours on NO
]


def script() -> str:
    """The first Python block of the page."""
    return re.search(r"```python\n(.*?)```", (ROOT / "docs" / "chain.md").read_text(), re.DOTALL).group(1)


def check(output: str):
    lines = output.splitlines()
    assert len(lines) == len(SAID), output
    for line, pattern in zip(lines, SAID, strict=True):
        assert re.fullmatch(pattern, line), f"{line!r} is not {pattern}"


def test_the_script_on_the_embedded_chain(tmp_path, monkeypatch, capsys):
    web3 = embedded_web3()
    tessera = devnet.populate(web3, 8, tmp_path / devnet.RECORD)
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("pending")["timestamp"] + 5)
    monkeypatch.chdir(tmp_path)
    text = script().replace(f'Web3(Web3.HTTPProvider("{URL}"))', "given")
    assert "given" in text
    exec(compile(text, "docs/chain.md", "exec"), {"given": web3})
    check(capsys.readouterr().out)
    assert tessera.escrow.balance_of(known_account(9).address) == 49_000_000


def test_what_goes_on_with_it(tmp_path, monkeypatch, capsys):
    web3 = embedded_web3()
    devnet.populate(web3, 8, tmp_path / devnet.RECORD)
    web3.provider.ethereum_tester.time_travel(web3.eth.get_block("pending")["timestamp"] + 5)
    monkeypatch.chdir(tmp_path)
    first, *others = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "chain.md").read_text(), re.DOTALL)
    given = {"given": web3}
    exec(first.replace(f'Web3(Web3.HTTPProvider("{URL}"))', "given"), given)
    capsys.readouterr()
    for example in others:
        exec(example, given)
    lines = capsys.readouterr().out.splitlines()
    patterns = [
        r"balance: 49\.00 EUR",
        r"25\.00 USDC count as 2[45]\.\d\d USD",
        r"multiplier 2\.\d\d",
        r"block \d+: NO in market 1, 2\.\d{4} shares",
    ]
    assert len(others) == 3
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), f"{line!r} is not {pattern}"


@pytest.mark.anvil
def test_the_script_on_a_devnet(url, folder):
    web3 = Web3(HTTPProvider(url))
    web3.provider.make_request("evm_increaseTime", [5])  # the devnet's own bets are that old
    path = folder / "bet.py"
    path.write_text(script().replace(URL, url))
    done = run([sys.executable, path], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    check(done.stdout)

    record = Deployment.load(folder / devnet.RECORD)
    tessera = Tessera(web3, record)
    assert differences(web3, record) == []
    assert ledger_differences(tessera.escrow, tessera.log_reader().read(), web3.eth.block_number) == []
    page = json.loads((folder / devnet.PAGE).read_text())
    assert page == {"chainId": 31337, "rpcUrl": url, "firstBlock": 1, "addresses": record.addresses}


@pytest.mark.anvil
def test_a_devnet_wants_a_port_of_its_own(url, tmp_path):
    printed = run([sys.executable, "scripts/devnet.py", "--port", url.rsplit(":", 1)[1], "--into", tmp_path])
    assert printed.returncode == 1
    assert "in use" in printed.stderr
    assert Web3(HTTPProvider(url)).eth.chain_id == 31337


@pytest.mark.anvil
def test_a_devnet_leaves_nothing_behind(tmp_path):
    files = [tmp_path / devnet.RECORD, tmp_path / devnet.PAGE]
    with running_devnet(tmp_path) as url:
        assert [file.exists() for file in files] == [True, True]
    assert [file.exists() for file in files] == [False, False]
    assert not Web3(HTTPProvider(url)).is_connected()


def test_without_node_a_devnet_says_what_is_missing(tmp_path):
    nothing = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    printed = run([sys.executable, "scripts/devnet.py"], env=nothing)
    assert printed.returncode == 1
    assert "needs Node 20 or later" in printed.stderr
