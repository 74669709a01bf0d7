"""BetToken as it is deployed: what exists, what can come to exist, who has power."""

import boa
import pytest

from tests.unit.bet_token.conftest import BUDGET, CAP, WAD

NOBODY = "0x" + "00" * 20


def test_treasury_gets_all_but_the_mining_budget(bet, treasury, owner):
    assert (bet.name(), bet.symbol(), bet.decimals()) == ("Tessera Bet", "BET", 18)
    assert (bet.CAP(), bet.MINING_BUDGET(), bet.minted()) == (CAP, BUDGET, 0)
    assert bet.totalSupply() == bet.balanceOf(treasury) == CAP - BUDGET == 6_000_000 * WAD
    assert bet.balanceOf(owner) == 0
    assert (bet.minter(), bet.owner()) == (NOBODY, owner)


@pytest.mark.parametrize("budget", [0, CAP], ids=["nothing is mined", "all is mined"])
def test_budget_can_be_nothing_or_all(load, treasury, budget):
    token = load("BetToken").deploy(CAP, budget, treasury)
    assert (token.totalSupply(), token.MINING_BUDGET()) == (CAP - budget, budget)


def test_reverts_when_the_budget_is_above_the_cap(load, treasury):
    with boa.reverts("bet: budget above cap"):
        load("BetToken").deploy(CAP, CAP + 1, treasury)


def test_reverts_when_there_is_no_treasury(load):
    with boa.reverts("erc20: mint to the zero address"):
        load("BetToken").deploy(CAP, BUDGET, NOBODY)


def test_no_other_power_exists(bet):
    """Neither burning of others' tokens, nor further minters, nor a new owner."""
    writes = {f["name"] for f in bet.abi if f["type"] == "function" and f["stateMutability"] not in ("view", "pure")}
    assert writes == {"transfer", "transferFrom", "approve", "permit", "mint", "set_minter"}
