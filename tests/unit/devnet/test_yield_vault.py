"""YieldVault: an ERC-4626 vault that earns, loses, runs out of liquidity and is paused on demand."""

import boa
import pytest

from tests.logs import event, events
from tests.unit.devnet.conftest import UNIT

UNLIMITED = 2**256 - 1


def test_deposit_and_withdraw_at_par(vault, token, person):
    assert (vault.asset(), vault.decimals(), vault.totalAssets()) == (token.address, 6, 1000 * UNIT)
    assert vault.balanceOf(person) == vault.maxRedeem(person) == 1000 * UNIT
    assert vault.withdraw(400 * UNIT, person, person, sender=person) == 400 * UNIT
    log = {"sender": person, "receiver": person, "owner": person, "assets": 400 * UNIT, "shares": 400 * UNIT}
    assert events(vault)[-1] == event(vault, "Withdraw", **log)
    assert vault.redeem(600 * UNIT, person, person, sender=person) == 600 * UNIT
    assert (vault.totalSupply(), token.balanceOf(vault)) == (0, 0)
    assert token.balanceOf(person) == 10**6 * UNIT


def test_mint_takes_what_shares_cost(vault, token, person):
    token.transfer(vault, 500 * UNIT, sender=person)
    # A virtual share and a virtual unit of snekmate's make the price (1,500 + 1e-6) / (1,000 + 1e-6), rounded up.
    assert vault.mint(10 * UNIT, person, sender=person) == vault.previewMint(10 * UNIT) == 15 * UNIT
    assert vault.balanceOf(person) == 1010 * UNIT


def test_what_is_sent_to_it_is_yield(vault, token, person):
    token.transfer(vault, 100 * UNIT, sender=person)
    # The virtual share takes less than a unit of it.
    assert vault.maxWithdraw(person) == vault.convertToAssets(1000 * UNIT) == 1100 * UNIT - 1
    assert vault.redeem(1000 * UNIT, person, person, sender=person) == 1100 * UNIT - 1


def test_losses_are_everybodys(vault, token, person, stranger):
    vault.lose(250 * UNIT, sender=stranger)
    assert vault.totalAssets() == 750 * UNIT
    assert vault.redeem(1000 * UNIT, person, person, sender=person) == 750 * UNIT
    with boa.reverts("erc20: transfer amount exceeds balance"):
        vault.lose(UNIT)


def test_only_liquidity_leaves(vault, person, stranger):
    vault.set_liquidity(300 * UNIT, sender=stranger)
    assert vault.maxWithdraw(person) == vault.maxRedeem(person) == 300 * UNIT
    for leave in (vault.withdraw, vault.redeem):
        with boa.reverts("vault: illiquid"):
            leave(300 * UNIT + 1, person, person, sender=person)
    vault.withdraw(100 * UNIT, person, person, sender=person)
    vault.redeem(200 * UNIT, person, person, sender=person)
    assert vault.liquidity() == vault.maxWithdraw(person) == vault.maxRedeem(person) == 0
    with boa.reverts("vault: illiquid"):
        vault.withdraw(1, person, person, sender=person)
    vault.set_liquidity(UNLIMITED)
    vault.withdraw(700 * UNIT, person, person, sender=person)
    assert vault.liquidity() == UNLIMITED


@pytest.mark.parametrize("gain", [0, 333_333_333, -123_456_789])
def test_max_redeem_never_promises_more_than_is_liquid(vault, token, person, gain):
    if gain > 0:
        token.transfer(vault, gain, sender=person)
    else:
        vault.lose(-gain)
    vault.set_liquidity(777_777_777)
    shares = vault.maxRedeem(person)
    assert 0 <= 777_777_777 - vault.redeem(shares, person, person, sender=person) <= 2  # rounded down twice


def test_nothing_moves_while_paused(vault, person, stranger):
    vault.set_paused(True, sender=stranger)
    assert [f(person) for f in (vault.maxDeposit, vault.maxMint, vault.maxWithdraw, vault.maxRedeem)] == [0] * 4
    for enter in (vault.deposit, vault.mint):
        with boa.reverts("vault: paused"):
            enter(1, person, sender=person)
    for leave in (vault.withdraw, vault.redeem):
        with boa.reverts("vault: paused"):
            leave(1, person, person, sender=person)
    vault.set_paused(False)
    assert [f(person) for f in (vault.maxDeposit, vault.maxMint)] == [UNLIMITED] * 2
    assert [f(person) for f in (vault.maxWithdraw, vault.maxRedeem)] == [1000 * UNIT] * 2
    vault.redeem(1000 * UNIT, person, person, sender=person)


def test_reverts_when_more_than_owned_is_asked_for(vault, person):
    with boa.reverts("vault: more than owned"):
        vault.withdraw(1000 * UNIT + 1, person, person, sender=person)
    with boa.reverts("vault: more shares than owned"):
        vault.redeem(1000 * UNIT + 1, person, person, sender=person)


def test_reverts_when_a_stranger_takes_somebodys_shares(vault, person, stranger):
    for leave in (vault.withdraw, vault.redeem):
        with boa.reverts("erc20: insufficient allowance"):
            leave(1, stranger, person, sender=stranger)


def test_losing_a_token_that_returns_false_fails(load, person):
    token = boa.loads(
        """
@external
@view
def decimals() -> uint8:
    return 6


@external
def transfer(to: address, amount: uint256) -> bool:
    return False
"""
    )
    with boa.reverts("vault: loss failed"):
        load("devnet/YieldVault").deploy(token).lose(1)
