"""Attempts to move prize money between weeks, events and people: by a flash loan, a manager, an owner, a keeper, and
by somebody who waits.

Each docstring says what the parties gain; "before" is what the same steps gave while the rule did not stand.
"""

from contextlib import suppress
from fractions import Fraction

import boa
import pytest

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tessera.model.tickets import TicketEvent
from tests.prize_system import ALL, BLOCKS_PER_HOUR, MIN_BLOCKS, USD, WAD, block_number, refusing

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
    is named by the timelock (docs/decisions/0044). Under a rule that it shares from the week after, an event of the
    week's first second takes as much of that week: managers decide whose a week is, in either case.
    """
    system.revenue(1_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1) - LAST_SECOND)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    with boa.env.anchor():
        heavy = system.create_event(weight=weight)
        system.events.predict(heavy, 0, sender=staker)
        assert taken(system, heavy, week) == (900 * USD * weight // (weight + 1), 900 * USD // (weight + 1))
    # A second later a new event is the next week's: it shares in nothing of the week that is over.
    friday(system)
    system.harvest()
    late = system.create_event(weight=weight)
    assert system.prizes.event_prize(late) == 0
    before = system.prizes.event_prize(week)
    system.revenue(1_000 * USD - system.prizes.carried())
    heavy_gets, week_gets = taken(system, late, week)
    assert 900 * USD * weight // (weight + 1) - 1 <= heavy_gets <= 900 * USD * weight // (weight + 1)
    assert 900 * USD // (weight + 1) - 1 <= week_gets - before <= 900 * USD // (weight + 1)


def taken(system, heavy, week) -> tuple[int, int]:
    """What two events have once the running week is closed, with nothing harvested, so that figures are round."""
    friday(system)
    boa.env.timestamp += DAY
    system.prizes.close_periods(system.prizes.period(), 1)
    return system.prizes.event_prize(heavy), system.prizes.event_prize(week)


@pytest.mark.parametrize(
    ("follows_after_days", "gain"), [(None, 953_47), (0, 86_68), (1, 92_70), (3, 107_65), (6, 142_01)]
)
def test_manager_whose_second_account_predicts_in_an_own_heavy_event(
    system, week, staker, rival, follows_after_days, gain
):
    """A manager opens an event of weight 100 for seven days in the last second of a week of 1,000 USD; a second account
    with 1,000 USD of stake predicts in it at once. The rival, with 10,000 USD, has an event of weight 1.

    The two weeks give 963 USD. Where nobody follows, the second account gets 953.47, and the rival the 9.53 of the
    other event. Everybody who has a stake can follow for seven days, with tickets from the event's first block: the
    second account gets 86.68 where the rival follows in the same hour, which is its eleventh of all stake; after a day
    92.70, three days 107.65, six days 142.01 by the early bird. So nobody who looks loses more than that; managers live
    on those who do not look.
    """
    system.pool.harvest(system.usdc, ALL)
    system.revenue(1_000 * USD - system.prizes.waiting_revenue())
    system.wait_until(start_of(system.prizes.period() + 1) - LAST_SECOND)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    heavy = system.create_event(weight=100, blocks=7 * MIN_BLOCKS, e0=200)
    weeks = PrizeWeeks(system.prizes.period())
    weeks.add_revenue(1_000 * USD)
    for event, weight in ((week, 1), (heavy, 100)):
        weeks.open_event(event, weight, weeks.period + 1)
    info = system.events.event_info(heavy)
    tickets = TicketEvent(info.start_block, info.stop_block, Fraction(2), BLOCKS_PER_HOUR)
    for person, stake in ((staker, 1_000), (rival, 10_000)):
        tickets.change_stake(person, info.start_block, stake)
    system.events.predict(heavy, 0, sender=staker)
    tickets.predict(staker, info.start_block, 0)
    friday(system)
    system.close()
    weeks.close(weeks.period + 1)
    if follows_after_days is not None:
        system.mine(follows_after_days * MIN_BLOCKS)
        system.events.predict(heavy, 0, sender=rival)
        tickets.predict(rival, block_number(), 0)

    system.finish(heavy, 0)
    system.report(week, 0)
    system.events.settle(week)
    weeks.close(weeks.period + 1)
    exact = tickets.prizes(0, weeks.prize(heavy))
    exact[rival] = exact.get(rival, 0) + weeks.prize(week)  # alone in that event
    assert sum(exact.values()) == 963 * USD
    for person in (staker, rival):
        before = system.usdc.balanceOf(person)
        for event in (heavy, week):
            if system.events.prize_of(event, person):
                system.events.claim(event, person)
        paid = system.usdc.balanceOf(person) - before
        assert abs(exact[person] - paid) < 963  # a multiplier is rounded down by less than 1e-6
    assert abs(exact[staker] - gain * USD // 100) <= USD // 200


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
