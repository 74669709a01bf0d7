"""An allowance is asked for where it is needed, and in the way that every token takes."""

import pytest
from web3 import Web3

from tessera.chain import Reverted, Wallet
from tessera.chain.erc20 import Erc20
from tessera.deployment.artifacts import ROOT, compiled_file

SPENDER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def sticky(bettor: Wallet) -> Erc20:
    artifact = compiled_file(ROOT / "tests" / "mocks" / "StickyToken.vy")
    receipt = bettor.send({"data": Web3.to_hex(artifact.creation_data([]))}, "deploy")
    return Erc20(bettor.web3, receipt["contractAddress"])


def sent(wallet: Wallet) -> int:
    return wallet.web3.eth.get_transaction_count(wallet.address)


def test_a_token_that_changes_no_allowance_is_set_to_0_first(sticky, bettor):
    sticky.allow(bettor, SPENDER, 5)
    before = sent(bettor)
    with pytest.raises(Reverted):
        sticky.approve(bettor, SPENDER, 9)
    sticky.allow(bettor, SPENDER, 9)
    assert (sticky.allowance(bettor.address, SPENDER), sent(bettor)) == (9, before + 2)


def test_nothing_is_sent_where_the_allowance_is_enough(sticky, bettor):
    sticky.allow(bettor, SPENDER, 5)
    before = sent(bettor)
    sticky.allow(bettor, SPENDER, 5)
    sticky.allow(bettor, SPENDER, 4)
    assert (sticky.allowance(bettor.address, SPENDER), sent(bettor)) == (5, before)


def test_a_usual_token_is_approved_once(tessera, bettor):
    token = tessera.play_euro
    before = sent(bettor)
    token.allow(bettor, SPENDER, 5)
    token.allow(bettor, SPENDER, 9)
    assert (token.allowance(bettor.address, SPENDER), sent(bettor)) == (9, before + 2)
