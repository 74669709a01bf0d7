"""Attempts to move prize money between weeks, events and people: by a flash loan, a manager, an owner, a keeper, and
by somebody who waits.

Each docstring says what the parties gain; "before" is what the same steps gave while the rule did not stand.
"""

from contextlib import suppress

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import ALL, USD, WAD, refusing

DAY = 86_400
LAST_SECOND = 1


@pytest.fixture
def week(system, rival):
    """The honest rival's event, which this week's 1,000 USD of revenue are for, and a stake that earns."""
    system.pool.stake(system.usdc, 10_000 * USD, sender=rival)
    event = system.create_event()
    system.events.predict(event, 0, sender=rival)
    system.mine(1)
    system.earn(system.usdc, 41 * USD)
    system.pool.harvest(system.dai, ALL)
    return event


def friday(system):
    system.wait_until(start_of(system.prizes.period() + 1))


def test_borrowed_liquidity_moves_no_yield_into_the_next_week(system, week):
    """Borrow what the vault could pay with, harvest, close, repay, in a transaction.

    Before: the harvest moved nothing and counted. This week's event got 0 of the 36 USD that were its part, and the
    next week had all 40 that were due. Now the harvest reverts, the week waits, and the event gets its 36 USD.
    """
    friday(system)
    system.pool.harvest(system.dai, ALL)
    vault = system.vault[system.usdc]
    vault.set_liquidity(0)
    with boa.reverts("pool: vault cannot pay now"):
        system.pool.harvest(system.usdc, ALL)
    with boa.reverts("prizes: harvest first"):
        system.prizes.close_periods(system.prizes.period(), 1)
    vault.set_liquidity(ALL)
    system.close()
    assert system.prizes.event_prize(week) in (36 * USD, 36 * USD - 1)


def test_flash_stake_around_harvest_and_close_gains_nothing(system, week, staker):
    """Stake a borrowed million, harvest, close the week, withdraw, in a transaction.

    The visitor leaves with what they came with, less a unit that the vault rounds, and the event gets what it would
    get without the visit.
    """
    friday(system)
    with boa.env.anchor():
        system.close()
        plain = system.prizes.event_prize(week)
    system.fund(staker, system.usdc, 10**6 * USD)
    brought = system.usdc.balanceOf(staker)
    system.pool.stake(system.usdc, brought, sender=staker)
    system.close()
    system.pool.withdraw(system.usdc, brought, 0, sender=staker)
    assert brought - 1 <= system.usdc.balanceOf(staker) <= brought
    assert system.bet.balanceOf(staker) == 0
    assert plain - 1 <= system.prizes.event_prize(week) <= plain
    assert plain >= 36 * USD - 1


def test_flash_revenue_cannot_come_back(system, week, staker):
    """Revenue lent to a week that is about to close stays there: who lends 1,000 USD loses them."""
    friday(system)
    system.revenue(1_000 * USD)
    system.close()
    assert system.prizes.event_prize(week) in ((1_040 * USD) * 9 // 10, (1_040 * USD) * 9 // 10 - 1)
    with boa.reverts("prizes: not the events"):
        system.prizes.take_prize(week, True, sender=staker)


def end_last_week(system, event, outcome):
    """The event ends, is reported and its weeks are closed; its stop block is now."""
    info = system.events.event_info(event)
    system.wait_until(info.not_before)
    system.report(event, outcome)
    system.wait_until(start_of(period_of(info.not_before) + 1))
    system.close()
    boa.env.evm.patch.block_number = info.stop_block


@pytest.mark.parametrize("weight", [1, 100, 10_000])
def test_manager_with_a_heavy_event_in_a_weeks_last_second(system, week, staker, weight):
    """A manager opens an event of that weight a second before Friday and predicts in it at once.

    It takes weight / (weight + 1) of the week's 900 USD from an event of weight 1 that had the week for itself: 450,
    891.09 or 899.91 USD. That is by the rule that an event shares in the week of its creation whole, and why a manager
    is named by the timelock. What the manager gets of it alone is what nobody else predicts within the event's seven
    days at least; everybody can from the same block on, at nearly the same multiplier.
    """
    system.revenue(1_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1) - LAST_SECOND)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    heavy = system.create_event(weight=weight)
    system.events.predict(heavy, 0, sender=staker)
    with boa.env.anchor():
        friday(system)
        boa.env.timestamp += DAY  # nothing is harvested, so that the figures are those of the revenue
        system.prizes.close_periods(system.prizes.period(), 1)
        shared = 900 * USD
        assert system.prizes.event_prize(heavy) == shared * weight // (weight + 1)
        assert system.prizes.event_prize(week) == shared // (weight + 1)
    # A second later a new event is the next week's, and shares in nothing of this one.
    friday(system)
    system.harvest()
    late = system.create_event(weight=weight)
    assert system.prizes.event_prize(late) == 0


def test_owner_cannot_change_how_the_running_week_is_split(system, week):
    """The owner moves the split from 90 and 3 to 80 and 20 % once the week's revenue is there.

    Before: the running week's event got 800 instead of 900 USD, the treasury's buyback 200 instead of 30. Now the
    week ends with the split it began with.
    """
    system.revenue(1_000 * USD)
    system.prizes.set_split(8_000, 2_000, sender=system.owner)
    friday(system)
    boa.env.timestamp += DAY
    system.prizes.close_periods(system.prizes.period(), 1)
    assert system.prizes.event_prize(week) == 900 * USD
    assert system.prizes.buyback_bucket() == 30 * USD


def test_who_settles_an_unwon_event_cannot_choose_whose_the_prize_is(system, week):
    """An event that nobody won is settled on Friday before the week that is over is closed.

    Before: its 969 USD were revenue of that week, whose event got 907 USD instead of the 35 that were its part. Now
    that week is closed first, and all 969 USD are revenue of the week that runs.
    """
    system.revenue(1_000 * USD)
    end_last_week(system, week, outcome=1)
    prize = system.prizes.event_prize(week)
    other = system.create_event()
    carried = system.prizes.carried()
    friday(system)
    boa.env.timestamp += DAY
    system.events.settle(week)
    if system.prizes.period() < period_of(boa.env.timestamp):
        system.prizes.close_periods(system.prizes.period(), 1)
    assert system.prizes.event_prize(other) == carried * 9 // 10
    assert system.prizes.waiting_revenue() == prize > 900 * USD


def test_who_forfeits_on_purpose_delays_settling_by_a_day_and_takes_nothing(system, week, staker, rival):
    """Somebody makes the news of a withdrawal fail, so that events wait for purging.

    Before: every event waited 24 h of blocks though nobody was ever forfeited. Now only once somebody was, and that is
    all that forfeiting on purpose does, at the price of one's own tickets.
    """
    system.revenue(1_000 * USD)
    end_last_week(system, week, outcome=0)
    stop = system.events.event_info(week).stop_block
    with boa.env.anchor():
        system.events.settle(week)
        plain = system.events.prize_of(week, rival)
    system.pool.stake(system.usdc, 10 * USD, sender=staker)
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 10 * USD, 0, sender=staker)
    boa.env.evm.patch.block_number = stop + 24 * 6 - 1
    with boa.reverts("events: time to purge"):
        system.events.settle(week)
    system.mine(1)
    system.events.settle(week)
    assert system.events.prize_of(week, rival) == plain >= 900 * USD
    assert system.events.prize_of(week, staker) == 0


def test_keeper_who_sandwiches_every_part_of_the_buyback(system):
    """The keeper empties the bucket in parts within a block, each with the loosest min_out between two own trades.

    The keeper takes less than 0.7 % of what is spent, whatever the parts are, and the treasury gets at least 98 % of
    the average price of the day.
    """
    system.fill_bucket(300_000 * USD)
    boa.env.timestamp += DAY
    bucket = system.prizes.buyback_bucket()
    gains = {}
    for part, front in ((9_000, 1_000), (9_000, 3_000), (4_500, 3_000), (3_000, 4_000), (1_000, 6_000)):
        with boa.env.anchor():
            keeper, now = system.keeper, boa.env.timestamp
            system.usdc.mint(keeper, front * USD)
            for token in (system.usdc, system.bet):
                token.approve(system.router, 2**256 - 1, sender=keeper)
            treasury, spent = system.bet.balanceOf(system.treasury), 0
            path = [system.usdc, system.bet]
            for _ in range(bucket // (part * USD)):
                own = system.usdc.balanceOf(keeper)
                system.router.swapExactTokensForTokens(min(own, front * USD), 0, path, keeper, now, sender=keeper)
                with suppress(boa.BoaError):  # the price is bent too far already
                    system.prizes.buy_back(part * USD, part * WAD * 98 // 100, now, sender=keeper)
                    spent += part * USD
                bet = system.bet.balanceOf(keeper)
                system.router.swapExactTokensForTokens(bet, 0, path[::-1], keeper, now, sender=keeper)
            gains[part, front] = (system.usdc.balanceOf(keeper) - front * USD, spent)
            assert system.bet.balanceOf(system.treasury) - treasury >= spent * WAD // USD * 98 // 100
    assert all(gain < max(spent, 1) * 7 // 1_000 for gain, spent in gains.values()), gains
    assert any(spent for _, spent in gains.values())
