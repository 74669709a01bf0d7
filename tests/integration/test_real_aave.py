"""Staked tickets over a real Aave V3 market: borrowers' interest, and what happens when Aave cannot or will not pay."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from tessera.chain.errors import Reverted
from tessera.chain.prediction_events import Claimed, EventSettled, Predicted
from tessera.chain.staking_pool import Harvested
from tests.real.node import now, running_anvil, wait, wait_until
from tests.real.tickets import RealTickets
from tests.real.uniswap import MAX, amount_out

pytestmark = pytest.mark.anvil

USDC = 10**6
DAI = WETH = 10**18
BUFFER = {6: USDC, 18: DAI}  # a token of each stays in the vault against rounding, beside the seed
CAP_BPS = 50
SURGE = 2  # a week
BPS = 10_000


@pytest.fixture(scope="module")
def deployed() -> Iterator[RealTickets]:
    with running_anvil() as web3:
        system = RealTickets.deploy(web3, "aave")
        system.fill_market(system.dai, 1_000_000 * DAI, 1_000_000 * USDC)
        system.secure(system.wallet(12))
        yield system


@pytest.fixture
def borrower(system):
    """Has two million dollars of collateral with Aave, and money to repay with."""
    borrower = system.wallet(12)
    system.give(borrower, system.usdc, 100_000 * USDC)
    system.give(borrower, system.dai, 100_000 * DAI)
    return borrower


def balance(token, holder) -> int:
    return token.read("balanceOf", holder.address)


def test_interest_of_real_borrowers_becomes_prizes_to_the_unit(system, borrower):
    staking, events, prizes = system.tessera.staking, system.tessera.events, system.tessera.prizes
    usdc, dai, aave = system.usdc, system.dai, system.aave
    early, other, late, lender = (system.wallet(index) for index in (7, 8, 9, 10))
    system.give(lender, usdc, 50_000 * USDC)
    aave.supply(lender, usdc, 50_000 * USDC)
    stakes = {early: (usdc, 60_000 * USDC), other: (dai, 40_000 * DAI), late: (usdc, 25_000 * USDC)}
    for staker, (token, amount) in stakes.items():
        system.stake(staker, token, amount)
    aave.borrow(borrower, usdc, 108_000 * USDC)
    aave.borrow(borrower, dai, 32_000 * DAI)
    heavy, light = system.create_event(days=16, weight=3), system.create_event(days=23, weight=1)
    multipliers = {early: events.predict(early, heavy, 0).event(Predicted).multiplier}
    events.predict(other, heavy, 1)
    events.predict(other, light, 1)

    revenues, rows = [], []
    for week in range(9):
        if week == 1:
            multipliers[late] = events.predict(late, heavy, 0).event(Predicted).multiplier
        if week == 3:
            system.report(heavy, 0)
        if week == 4:
            system.report(light, 0)  # nobody said so
        earned = {token: (system.worth(token), aave.debt(token)) for token in (usdc, dai)}
        shares = {token: Fraction(earned[token][0], aave.liquidity(token) + earned[token][1]) for token in (usdc, dai)}
        if week == SURGE:  # all that can be borrowed is: 46 % a year, 88 bps a week
            aave.borrow(borrower, usdc, aave.liquidity(usdc))
        system.end_week(blocks=None if week < 4 else 1)  # the events are over after four weeks
        for token in (usdc, dai):
            growth = system.worth(token) - earned[token][0]
            if week != SURGE:
                # Lenders get 90 % of what borrowers owe more, less a second-order term: simple interest, not compound.
                lent = (aave.debt(token) - earned[token][1]) * Fraction(9, 10) * shares[token]
                assert lent * Fraction(998, 1000) < growth <= lent + 2
        if week == SURGE:
            assert aave.liquidity(usdc) == 0
            aave.repay(borrower, usdc, 40_000 * USDC)
        reserves = system.uniswap.reserves(dai.address, usdc.address)
        of_usdc, of_dai = (done.event(Harvested) for done in system.harvest())
        for row, token in ((of_usdc, usdc), (of_dai, dai)):
            principal = staking.asset_state(token.address).principal
            cap = principal * CAP_BPS // BPS
            assert 0 < row.amount <= cap
            left = system.worth(token, row.block) - principal - BUFFER[token.read("decimals")]
            if token is usdc and week == SURGE:
                assert row.amount == cap
                assert left > 0
                excess = left
            elif token is usdc and week == SURGE + 1:
                assert row.amount > excess  # it waited
            else:
                assert row.amount < cap
            if (token, week) != (usdc, SURGE):
                assert -2 <= left <= 0  # all was taken; the vault burns whole shares
        assert of_usdc.revenue == of_usdc.amount
        assert of_dai.revenue == amount_out(of_dai.amount, *reserves)
        assert of_dai.revenue * 10**12 * BPS >= of_dai.amount * (BPS - 50)
        carried = rows[-1].carried if rows else 0
        (row,) = system.close()
        rows.append(row)
        revenues.append(of_usdc.revenue + of_dai.revenue)
        assert row.revenue == revenues[-1]
        assert row.pool == carried + row.revenue
        live = week < 4
        assert row.weight == (4 if week < 3 else 1 if live else 0)
        assert row.to_events == (row.pool * 90 // 100 if live else 0)
        assert row.buyback == (row.pool * 3 // 100 if live else 0)
        assert row.carried == row.pool - row.to_events - row.buyback

    keeper = system.wallet(2)
    prize = events.settle(keeper, heavy).event(EventSettled).prize
    exact = sum(Fraction(row.to_events * 3, 4) if row.weight == 4 else Fraction(0) for row in rows)
    assert exact - 1 < prize <= exact
    weights = {staker: stakes[staker][1] * multipliers[staker] for staker in (early, late)}
    before = {staker: balance(usdc, staker) for staker in stakes}
    paid = events.claim_many(keeper, heavy, [staker.address for staker in stakes]).events
    expected = {staker.address: prize * weight // sum(weights.values()) for staker, weight in weights.items()}
    assert {row.account: row.amount for row in paid if isinstance(row, Claimed)} == expected
    assert {s.address: balance(usdc, s) - before[s] for s in (early, late)} == expected
    assert balance(usdc, other) == before[other]
    assert events.settle(keeper, light).event(EventSettled).tickets == 0

    # Every unit of revenue is with a winner or in a named place. With no event left nothing is in fractions of a unit.
    assert balance(usdc, events) == 0
    assert prizes.remainder_wad() % 10**18 == 0
    named = prizes.waiting_revenue() + prizes.carried() + prizes.buyback_bucket() + prizes.remainder_wad() // 10**18
    assert balance(usdc, prizes) == named
    assert sum(revenues) == sum(expected.values()) + named

    for token in (usdc, dai):
        aave.repay(borrower, token)
    for staker, (token, amount) in stakes.items():
        assert system.leave(staker, token) == (amount, amount)
    assert staking.total_stake() == 0
    aave.withdraw(lender, usdc)
    assert balance(usdc, lender) > 50_000 * USDC
    assert aave.liquidity(usdc) >= system.worth(usdc) > 0


def test_all_is_lent_out_and_the_rest_comes_later(system, borrower):
    usdc, aave = system.usdc, system.aave
    first, second = system.wallet(7), system.wallet(8)
    system.stake(first, usdc, 30_000 * USDC)
    system.stake(second, usdc, 20_000 * USDC)
    aave.borrow(borrower, usdc, aave.liquidity(usdc) - 1_000 * USDC)
    wait(system.web3, 86_400)

    taken, paid = system.leave(first, usdc)
    assert taken == paid
    assert 1_000 * USDC - 2 <= paid <= 1_000 * USDC  # the front rounds what is there down twice
    assert system.tessera.staking.principal_of(first.address, usdc.address) == 30_000 * USDC - paid
    assert system.tessera.staking.stake_of(first.address) == 30_000 * USDC - paid
    assert aave.liquidity(usdc) <= 1  # 99.999998 % lent out: less than a share
    for staker in (first, second):
        with pytest.raises(Reverted, match=r"^pool: vault cannot pay now$"):
            system.leave(staker, usdc)
    system.end_week()
    assert len(system.close_without(usdc)) == 1

    aave.repay(borrower, usdc)
    assert system.leave(second, usdc) == (20_000 * USDC, 20_000 * USDC)
    assert system.leave(first, usdc) == (30_000 * USDC - paid, 30_000 * USDC - paid)


def test_metamorpho_flash_loan_does_not_close_the_week_with_its_yield_left_behind(system, borrower):
    """In one transaction: all liquidity is borrowed, `harvest` and `close_periods` are called, and it is repaid.

    Before, the harvest of nothing counted, the week closed, and its yield went to the next week's events.
    """
    usdc, aave, staking, prizes = system.usdc, system.aave, system.tessera.staking, system.tessera.prizes
    staker = system.wallet(7)
    system.stake(staker, usdc, 50_000 * USDC)
    aave.borrow(borrower, usdc, 25_000 * USDC)
    aave.configurator.write(aave.admin, "setReserveFlashLoaning", usdc.address, True)
    week, event = prizes.period(), system.create_event(days=8)
    system.end_week()
    staking.harvest(system.wallet(2), system.dai.address)

    said = system.within_flash_loan(
        aave.pool,
        usdc,
        aave.liquidity(usdc),
        [
            (staking, staking.calldata("harvest", usdc.address, MAX)),
            (prizes, prizes.calldata("close_periods", week, 1)),
        ],
    )
    assert b"pool: vault cannot pay now" in said[0]
    assert b"prizes: harvest first" in said[1]

    moved = staking.harvest(system.wallet(2), usdc.address).event(Harvested).amount
    assert moved > 0
    system.close()
    assert prizes.event_prize(event) == moved * 9 // 10  # the week's own event has it


def test_a_paused_reserve_pays_nothing_and_loses_nothing(system, borrower):
    usdc, aave, staking = system.usdc, system.aave, system.tessera.staking
    staker = system.wallet(7)
    system.stake(staker, usdc, 10_000 * USDC)
    aave.borrow(borrower, usdc, 5_000 * USDC)
    event = system.create_event(days=8)
    system.tessera.events.predict(staker, event, 1)
    system.give(staker, usdc, 1_000 * USDC)
    aave.set_paused(usdc, True)
    held = staking.asset_state(usdc.address), staking.stake_of(staker.address), balance(usdc, staker)
    with pytest.raises(Reverted, match=r"^pool: vault cannot pay now$"):
        staking.withdraw(staker, usdc.address, 1_000 * USDC, 0)
    with pytest.raises(Reverted, match=r"^pool: vault refused$"):
        staking.stake(staker, usdc.address, 1_000 * USDC)
    assert held == (staking.asset_state(usdc.address), staking.stake_of(staker.address), balance(usdc, staker))
    system.end_week()
    assert [row.revenue for row in system.close_without(usdc)] == [0]  # nor longer for Aave

    aave.set_paused(usdc, False)
    assert system.harvest()[0].event(Harvested).amount > 0
    aave.repay(borrower, usdc)
    assert system.leave(staker, usdc) == (10_000 * USDC, 10_000 * USDC)


def test_a_frozen_reserve_takes_nothing_and_pays(system):
    usdc = system.usdc
    staker = system.wallet(7)
    system.stake(staker, usdc, 10_000 * USDC)
    system.aave.set_frozen(usdc, True)
    with pytest.raises(Reverted, match=r"^pool: vault refused$"):
        system.stake(staker, usdc, 1_000 * USDC)
    assert system.leave(staker, usdc) == (10_000 * USDC, 10_000 * USDC)


def test_bad_debt_is_a_shortage_until_aave_covers_it(system):
    """Aave does not lower the share price for bad debt: it counts a deficit that its safety fund is to cover. Until
    then the vault claims to be worth everything and the last ones cannot leave; nobody takes a haircut."""
    usdc, weth, aave, staking = system.usdc, system.weth, system.aave, system.tessera.staking
    first, second, gambler, liquidator, fund = (system.wallet(index) for index in (7, 8, 9, 10, 11))
    for staker in (first, second):
        system.stake(staker, usdc, 20_000 * USDC)
    system.give(gambler, weth, 15 * WETH)
    aave.supply(gambler, weth, 15 * WETH)
    aave.borrow(gambler, usdc, 24_000 * USDC)
    wait(system.web3, 86_400)
    aave.set_price(weth, 1_000 * 10**8)
    system.give(liquidator, usdc, 100_000 * USDC)
    aave.liquidate(liquidator, weth, usdc, gambler.address)
    deficit = aave.deficit(usdc)
    assert 9_000 * USDC < deficit < 10_000 * USDC  # 24,000 owed, collateral of 15,000 less the liquidator's 5 %

    assert system.worth(usdc) >= 40_000 * USDC
    assert system.leave(first, usdc) == (20_000 * USDC, 20_000 * USDC)
    taken, paid = system.leave(second, usdc)
    assert taken == paid
    owed = staking.principal_of(second.address, usdc.address)
    assert owed == 20_000 * USDC - paid
    assert abs(owed - deficit) < 20 * USDC  # the day's interest
    with pytest.raises(Reverted, match=r"^pool: vault cannot pay now$"):
        system.leave(second, usdc)

    system.give(fund, usdc, 2 * deficit)
    aave.cover_deficit(fund, usdc)
    assert aave.deficit(usdc) == 0
    assert system.leave(second, usdc) == (owed, owed)


def test_the_rounding_of_scaled_balances_stays_within_the_buffer(system, borrower):
    """Each deposit and each withdrawal rounds once in the vault, by less than a share's worth, here less than two
    units. The interest before is the first buffer; then nobody borrows and no growth can hide the rounding."""
    usdc, aave, staking = system.usdc, system.aave, system.tessera.staking
    stayer, visitor = system.wallet(7), system.wallet(8)
    system.stake(stayer, usdc, 1_000 * USDC)
    aave.borrow(borrower, usdc, 900 * USDC)
    wait_until(system.web3, now(system.web3) + 60 * 86_400, blocks=1)
    aave.repay(borrower, usdc)
    system.end_week()
    system.harvest()
    assert system.leave(stayer, usdc, 999 * USDC - 7) == (999 * USDC - 7, 999 * USDC - 7)
    system.give(visitor, usdc, 1_000 * USDC)
    usdc.write(visitor, "approve", staking.address, MAX)
    surplus = system.worth(usdc) - (1 * USDC + 7)
    rates = set()
    for step in range(12):
        amount = 1 * USDC + 999_983 * step
        staking.stake(visitor, usdc.address, amount)
        rates.add(aave.pool.read("getReserveNormalizedIncome", usdc.address))
        assert system.leave(visitor, usdc, amount) == (amount, amount)
        left = system.worth(usdc) - (1 * USDC + 7)
        assert surplus - 4 <= left <= surplus
        surplus = left
    assert len(rates) == 1
    assert min(rates) > 10**27  # a share is worth more than a unit: both roundings are at work
    assert system.leave(stayer, usdc) == (1 * USDC + 7, 1 * USDC + 7)
