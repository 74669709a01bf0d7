"""Router: Uniswap V2's swaps and liquidity over known pairs."""

import boa
import pytest

from tests.unit.conftest import NOW
from tests.unit.devnet.conftest import UNIT

A, B = 1000 * UNIT, 4000 * 10**18


def out(amount, reserve, left):
    """What Uniswap V2's formula pays."""
    return amount * 997 * left // (reserve * 1000 + amount * 997)


def test_is_its_own_factory(router, pair, token, other_token):
    assert router.factory() == router.address
    assert router.getPair(token, other_token) == router.getPair(other_token, token) == pair.address


def test_reverts_when_the_pair_is_known(load, router, pair, token, other_token):
    for again in (pair, load("devnet/Pair").deploy(other_token, token)):
        with boa.reverts("router: pair exists"):
            router.add_pair(again)


def test_swaps_what_it_said(router, funded, token, other_token, person, stranger):
    amounts = [UNIT, out(UNIT, A, B)]
    assert router.getAmountsOut(UNIT, [token, other_token]) == amounts
    before = token.balanceOf(person)
    paid = router.swapExactTokensForTokens(UNIT, amounts[1], [token, other_token], stranger, NOW, sender=person)
    assert paid == amounts
    assert (before - token.balanceOf(person), other_token.balanceOf(stranger)) == tuple(amounts)


def test_swaps_along_a_path(load, router, funded, token, other_token, person, stranger):
    third = load("devnet/TestToken").deploy("Third", "THIRD", 18)
    third.mint(person, 10**24)
    third.approve(router, 2**256 - 1, sender=person)
    router.add_pair(load("devnet/Pair").deploy(other_token, third))
    router.addLiquidity(other_token, third, B, 2 * B, 0, 0, person, NOW, sender=person)
    expected = [UNIT, out(UNIT, A, B), out(out(UNIT, A, B), B, 2 * B)]
    path = [token, other_token, third]
    assert router.swapExactTokensForTokens(UNIT, expected[2], path, stranger, NOW, sender=person) == expected
    assert third.balanceOf(stranger) == expected[2]
    assert other_token.balanceOf(stranger) == other_token.balanceOf(router) == 0


def test_liquidity_is_added_at_the_price_of_the_pair(router, funded, token, other_token, person):
    supply = funded.totalSupply()
    taken = router.addLiquidity(token, other_token, A, B // 10, A // 10, B // 10, person, NOW, sender=person)
    assert taken == (A // 10, B // 10, supply // 10)
    taken = router.addLiquidity(token, other_token, A // 10, B, A // 10, B // 10, person, NOW, sender=person)
    assert taken[:2] == (A // 10, B // 10)


@pytest.mark.parametrize(("min_a", "min_b"), [(A // 10 + 1, 0), (0, B // 10 + 1)])
def test_reverts_when_the_price_moved(router, funded, token, other_token, person, min_a, min_b):
    with boa.reverts("router: price moved"):
        router.addLiquidity(token, other_token, A, B // 10, min_a, min_b, person, NOW, sender=person)


def test_reverts_when_too_little_comes_out(router, funded, token, other_token, person):
    with boa.reverts("router: too little out"):
        router.swapExactTokensForTokens(UNIT, out(UNIT, A, B) + 1, [token, other_token], person, NOW, sender=person)


def test_reverts_when_the_deadline_has_passed(router, funded, token, other_token, person):
    with boa.reverts("router: deadline passed"):
        router.swapExactTokensForTokens(UNIT, 1, [token, other_token], person, NOW - 1, sender=person)
    with boa.reverts("router: deadline passed"):
        router.addLiquidity(token, other_token, A, B, 0, 0, person, NOW - 1, sender=person)


def test_reverts_when_there_is_no_such_pair(router, token, person):
    with boa.reverts("router: no such pair"):
        router.swapExactTokensForTokens(UNIT, 1, [token, person], person, NOW, sender=person)


@pytest.mark.parametrize("length", [0, 1])
def test_reverts_when_the_path_leads_nowhere(router, token, length):
    with boa.reverts("router: path too short"):
        router.getAmountsOut(UNIT, [token] * length)


def test_reverts_when_the_token_does_not_come(load, router, other_token, person):
    """A token that returns false."""
    token = boa.loads(
        """
@external
@view
def balanceOf(owner: address) -> uint256:
    return 0


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    return False
"""
    )
    router.add_pair(load("devnet/Pair").deploy(token, other_token))
    with boa.reverts("router: transfer failed"):
        router.addLiquidity(token, other_token, 1, 1, 0, 0, person, NOW, sender=person)
