"""Pair: Uniswap V2's constant product, fee and cumulative prices."""

from math import isqrt

import boa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.logs import event, events
from tests.unit.conftest import NOW
from tests.unit.devnet.conftest import UNIT

A, B = 1000 * UNIT, 4000 * 10**18  # reserves of `token` and of `other_token`
Q112 = 2**112
LOCKED = 1000


def ordered(pair, token, a, b):
    """Amounts of `token` and `other_token` in the order of token0, token1."""
    return (a, b) if pair.token0() == token.address else (b, a)


def test_tokens_are_sorted_whatever_their_order(load, pair, token, other_token):
    low, high = sorted([token.address, other_token.address], key=lambda a: int(a, 16))
    twin = load("devnet/Pair").deploy(other_token, token)
    assert (pair.token0(), pair.token1()) == (twin.token0(), twin.token1()) == (low, high)


def test_reverts_when_both_tokens_are_the_same(load, token):
    with boa.reverts("pair: same token"):
        load("devnet/Pair").deploy(token, token)


def test_first_liquidity_is_the_root_of_the_product(funded, token, person):
    assert funded.getReserves() == (*ordered(funded, token, A, B), NOW)
    assert funded.totalSupply() == isqrt(A * B)
    assert funded.balanceOf(person) == isqrt(A * B) - LOCKED


def test_more_liquidity_counts_by_the_scarcer_token(funded, token, other_token, person):
    supply = funded.totalSupply()
    token.transfer(funded, A // 2, sender=person)
    other_token.transfer(funded, B // 10, sender=person)
    assert funded.mint(person) == supply // 10


def test_reverts_when_nothing_was_sent_to_mint(funded, person):
    with boa.reverts("pair: no liquidity minted"):
        funded.mint(person)


def test_burn_pays_both_tokens_in_proportion(funded, token, other_token, person):
    liquidity, supply = funded.balanceOf(person), funded.totalSupply()
    before = token.balanceOf(person), other_token.balanceOf(person)
    funded.transfer(funded, liquidity, sender=person)
    paid = A * liquidity // supply, B * liquidity // supply
    assert funded.burn(person) == ordered(funded, token, *paid)
    assert (token.balanceOf(person) - before[0], other_token.balanceOf(person) - before[1]) == paid
    assert funded.totalSupply() == LOCKED
    assert funded.getReserves()[:2] == ordered(funded, token, A - paid[0], B - paid[1])


def test_reverts_when_no_liquidity_was_sent_to_burn(funded, person):
    with boa.reverts("pair: no liquidity burned"):
        funded.burn(person)


@pytest.mark.parametrize("sell_token", [True, False])
def test_swaps_to_the_unit_at_a_fee_of_3_per_mille(funded, token, other_token, person, sell_token):
    sold, bought, balance, left = (token, other_token, A, B) if sell_token else (other_token, token, B, A)
    amount = balance // 7
    most = amount * 997 * left // (balance * 1000 + amount * 997)
    sold.transfer(funded, amount, sender=person)
    out = ordered(funded, token, *((0, most) if sell_token else (most, 0)))
    too_much = tuple(x + (x != 0) for x in out)
    with boa.reverts("pair: product fell"):
        funded.swap(*too_much, person, b"")
    before = bought.balanceOf(person)
    funded.swap(*out, person, b"", sender=person)
    logs = events(funded)
    paid_in = ordered(funded, token, *((amount, 0) if sell_token else (0, amount)))
    reserves = tuple(r + i - o for r, i, o in zip(ordered(funded, token, A, B), paid_in, out, strict=True))
    assert logs[-2:] == [
        event(funded, "Sync", reserve0=reserves[0], reserve1=reserves[1]),
        event(
            funded,
            "Swap",
            sender=person,
            amount0In=paid_in[0],
            amount1In=paid_in[1],
            amount0Out=out[0],
            amount1Out=out[1],
            to=person,
        ),
    ]
    assert bought.balanceOf(person) - before == most
    assert funded.getReserves()[:2] == reserves


def test_reverts_when_a_swap_makes_no_sense(funded, person):
    with boa.reverts("pair: nothing to swap"):
        funded.swap(0, 0, person, b"")
    with boa.reverts("pair: nothing came in"):
        funded.swap(1, 1, person, b"")
    with boa.reverts("pair: no flash swaps"):
        funded.swap(1, 0, person, b"x")
    for out in [(funded.getReserves()[0], 0), (0, funded.getReserves()[1])]:
        with boa.reverts("pair: reserve too small"):
            funded.swap(*out, person, b"")


def test_cumulative_prices_are_price_times_seconds(funded, token, other_token, person):
    assert (funded.price0CumulativeLast(), funded.price1CumulativeLast()) == (0, 0)
    r0, r1, _ = funded.getReserves()
    boa.env.timestamp = NOW + 100
    token.transfer(funded, A, sender=person)
    funded.sync()
    first = r1 * Q112 // r0 * 100, r0 * Q112 // r1 * 100
    assert (funded.price0CumulativeLast(), funded.price1CumulativeLast()) == first
    # What was sent within a block has no weight until time passes.
    token.transfer(funded, A, sender=person)
    funded.sync()
    assert (funded.price0CumulativeLast(), funded.price1CumulativeLast()) == first
    r0, r1, at = funded.getReserves()
    assert at == NOW + 100
    boa.env.timestamp = NOW + 107
    funded.sync()
    second = first[0] + r1 * Q112 // r0 * 7, first[1] + r0 * Q112 // r1 * 7
    assert (funded.price0CumulativeLast(), funded.price1CumulativeLast()) == second


def test_seconds_are_counted_across_the_end_of_32_bits(funded):
    boa.env.timestamp = 2**32 - 10
    funded.sync()
    before, (r0, r1, _) = funded.price0CumulativeLast(), funded.getReserves()
    boa.env.timestamp = 2**32 + 5
    funded.sync()
    assert funded.getReserves()[2] == 5
    assert funded.price0CumulativeLast() - before == r1 * Q112 // r0 * 15


def test_reverts_when_the_token_does_not_move(load, other_token, person):
    """A token that returns false."""
    token = boa.loads(
        """
balanceOf: public(HashMap[address, uint256])


@external
def mint(owner: address, amount: uint256):
    self.balanceOf[owner] += amount


@external
def transfer(to: address, amount: uint256) -> bool:
    return False
"""
    )
    pair = load("devnet/Pair").deploy(token, other_token)
    token.mint(pair, 10**6)
    other_token.mint(pair, 10**6)
    pair.mint(person)
    other_token.mint(pair, 10**6)
    out = ordered(pair, token, 10, 0)
    with boa.reverts("pair: transfer failed"):
        pair.swap(*out, person, b"")


@given(st.integers(1, 10**11), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example is rolled back
def test_product_never_falls(funded, router, token, other_token, person, amount, sell_token):
    path = [token, other_token] if sell_token else [other_token, token]
    before = funded.getReserves()
    assume(router.getAmountsOut(amount, path)[1] != 0)
    router.swapExactTokensForTokens(amount, 1, path, person, 2**64, sender=person)
    after = funded.getReserves()
    assert after[0] * after[1] > before[0] * before[1]
