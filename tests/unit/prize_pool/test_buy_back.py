"""Buys BET for the treasury near a price that nobody can bend in a day, or leaves the bucket as it is."""

import boa
import pytest

from tessera.model.prizes import start_of
from tests.prize_system import USD, WAD, PrizeSystem, load, refusing
from tests.refusals import refused_without_a_text

DAY = 86_400


@pytest.fixture
def bucket(system):
    """30 USD in the bucket, price notes of two days; 1 BET is 1 USD."""
    system.fill_bucket(1_000 * USD)
    system.wait_until(boa.env.timestamp + DAY)
    return 30 * USD


def buy(system, amount, min_out, deadline=None, sender=None):
    deadline = boa.env.timestamp if deadline is None else deadline
    return system.prizes.buy_back(amount, min_out, deadline, sender=sender or system.keeper)


def test_buys_for_the_treasury(system, bucket):
    held = system.bet.balanceOf(system.treasury)
    bought = buy(system, bucket, 30 * WAD * 98 // 100)
    (log,) = [log for log in system.prizes.get_logs() if type(log).__name__ == "BoughtBack"]
    assert (log.keeper, log.spent, log.bought) == (system.keeper, bucket, bought)
    assert system.bet.balanceOf(system.treasury) - held == bought > 29 * WAD
    assert system.prizes.buyback_bucket() == 0
    assert system.usdc.allowance(system.prizes, system.router) == 0


def test_all_that_is_bought_can_be_asked_for(system, bucket):
    least = system.router.getAmountsOut(bucket, [system.usdc, system.bet])[-1]
    with boa.reverts("router: too little out"):
        buy(system, bucket, least + 1)
    assert buy(system, bucket, least) == least


def test_least_price_is_98_percent_of_the_average(system, bucket):
    least = 30 * WAD * 98 // 100
    # The average in 2**112 fixed point is rounded down, by less than a wei of the amount here.
    with boa.reverts("prizes: min_out too low"):
        buy(system, bucket, least - 10**6)
    buy(system, bucket, least)


@pytest.mark.parametrize("place", ["0x" + "00" * 18 + "1234", "0x" + "ff" * 18 + "1234"], ids=["first", "second"])
def test_works_wherever_the_prize_token_is_in_the_pair(place):
    usdc = load("contracts/devnet/TestToken.vy").deploy("USD Coin", "USDC", 6, override_address=place)
    system = PrizeSystem(usdc=usdc)
    assert (system.market.token0() == usdc.address) == place.startswith("0x00")
    usdc.mint(system.prizes, 10_000 * USD)
    system.prizes.eval(f"self._kept = {10_000 * USD + 1}")
    for _ in range(2):
        system.prizes.poke()
        boa.env.timestamp += DAY
    with boa.reverts("prizes: above 1 % of reserve"):
        buy(system, 10_000 * USD + 1, 9_800 * WAD)
    with boa.reverts("prizes: min_out too low"):
        buy(system, 10_000 * USD, 9_800 * WAD - 10**10)
    buy(system, 10_000 * USD, 9_800 * WAD)
    assert system.prizes.buyback_bucket() == 1


@pytest.mark.parametrize("wraps_after", [1, DAY // 2, DAY, DAY + DAY // 2])
def test_cumulative_price_that_wraps_around_is_as_good_as_any(system, wraps_after):
    """Uniswap's cumulative prices overflow by design: before the first note, between notes, after the last."""
    growth = 10**12 * 2**112  # a second: a USDC unit is worth 10**12 of BET
    for name in ("price0CumulativeLast", "price1CumulativeLast"):
        system.market.eval(f"self.{name} = {2**256 - growth * wraps_after}")
    system.usdc.mint(system.prizes, 100 * USD)
    system.prizes.eval(f"self._kept = {100 * USD}")
    system.market.sync()
    for _ in range(2):
        system.prizes.poke()
        boa.env.timestamp += DAY
    with boa.reverts("prizes: min_out too low"):
        buy(system, 100 * USD, 98 * WAD - 10**8)
    buy(system, 100 * USD, 98 * WAD)


def test_no_minimum_is_too_low(system, bucket):
    with boa.reverts("prizes: min_out too low"):
        buy(system, bucket, 0)


def test_something_must_be_bought_where_the_average_says_nothing(system, bucket):
    """A unit of USDC is worth less than a wei of BET in a market that holds a thousand wei."""
    system.bet.eval(f"erc20.balanceOf[{system.market.address}] = 1000")
    for _ in range(2):
        boa.env.timestamp += DAY
        system.prizes.poke()
    boa.env.timestamp += DAY
    with boa.reverts("prizes: min_out too low"):
        buy(system, 1, 0)
    with boa.reverts("router: too little out"):
        buy(system, 1, 1)


def test_sandwich_fails_and_the_bucket_waits(system, bucket, staker):
    system.usdc.mint(staker, 100_000 * USD)
    system.usdc.approve(system.router, 2**256 - 1, sender=staker)
    path = [system.usdc, system.bet]
    system.router.swapExactTokensForTokens(100_000 * USD, 0, path, staker, boa.env.timestamp, sender=staker)
    # The average still holds, though the price of this moment is a fifth lower.
    with boa.reverts("router: too little out"):
        buy(system, bucket, 30 * WAD * 98 // 100)
    with boa.reverts("prizes: min_out too low"):
        buy(system, bucket, 24 * WAD)
    assert system.prizes.buyback_bucket() == bucket


def test_broken_market_does_not_hold_up_the_week(system, bucket):
    system.wait_until(start_of(system.prizes.period() + 1))
    with refusing(system.router), refusing(system.market):
        with refused_without_a_text():
            buy(system, bucket, 30 * WAD)
        system.close()
    assert system.prizes.buyback_bucket() >= bucket


def test_works_with_the_newer_note_once_it_is_a_day_old(system, bucket):
    """Without another poke the price notes grow old: 72 hours, then nothing is bought."""
    boa.env.timestamp += 2 * DAY
    buy(system, bucket // 2, 15 * WAD * 98 // 100)
    boa.env.timestamp += 1
    with boa.reverts("twap: price is not fresh"):
        buy(system, bucket // 2, 15 * WAD)


def test_fresh_poke_uses_the_note_before_it(system, bucket):
    system.prizes.poke()
    buy(system, bucket, 30 * WAD * 98 // 100)


def test_reverts_before_the_first_day_of_notes(system):
    system.create_event()
    system.revenue(1_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    for _ in range(2):
        with boa.reverts("twap: price is not fresh"):
            buy(system, USD, WAD)
        if not system.prizes.eval("twap._newer_at"):
            system.prizes.poke()


def test_reverts_when_bucket_is_too_small(system, bucket):
    with boa.reverts("prizes: bucket too small"):
        buy(system, bucket + 1, 30 * WAD)


def test_reverts_when_amount_is_zero(system, bucket):
    with boa.reverts("prizes: nothing to buy with"):
        buy(system, 0, 1)


def test_reverts_when_late(system, bucket):
    with boa.reverts("prizes: deadline is over"):
        buy(system, bucket, 30 * WAD, deadline=boa.env.timestamp - 1)


def test_reverts_when_not_a_keeper(system, bucket, stranger):
    with boa.reverts("prizes: not a keeper"):
        buy(system, bucket, 30 * WAD, sender=stranger)


def test_reverts_when_router_pays_less_than_it_says(system, bucket):
    code = boa.env.get_code(system.router.address)
    boa.env.set_code(system.router.address, bytes.fromhex("60205f5260806000f3"))
    with boa.reverts("prizes: swap gave too little"):
        buy(system, bucket, 30 * WAD)
    boa.env.set_code(system.router.address, code)


def test_reverts_when_token_refuses_the_approval():
    token = load("tests/mocks/Token.vy").deploy(6)
    system = PrizeSystem(usdc=token)
    for _ in range(2):
        system.prizes.poke()
        boa.env.timestamp += DAY
    system.prizes.eval(f"self._kept = {USD}")
    token.set_approvable(False)
    with boa.reverts("prizes: approve failed"):
        buy(system, USD, WAD)
