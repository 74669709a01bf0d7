"""Weeks close in order, however late, at a cost that depends on neither events nor people; nothing is lost."""

import boa
import pytest

from tessera.model.prizes import PrizeWeeks, period_of, start_of
from tests.prize_system import USD

DAY = 86_400


def next_friday(system, weeks=1):
    system.wait_until(start_of(period_of(boa.env.timestamp) + weeks))


def closed(system):
    return [log for log in system.prizes.get_logs() if type(log).__name__ == "PeriodClosed"]


def test_splits_90_3_7(system):
    event = system.create_event(weight=7)
    system.revenue(1_000 * USD)
    period = system.prizes.period()
    next_friday(system)
    system.harvest()
    system.prizes.close_periods(period, 1)
    (log,) = closed(system)
    assert (log.period, log.revenue, log.pool, log.weight) == (period, 1_000 * USD, 1_000 * USD, 7)
    assert (log.to_events, log.buyback, log.carried) == (900 * USD, 30 * USD, 70 * USD)
    # The index is rounded down: 900 USD over a weight of 7 lose less than a unit.
    assert system.prizes.event_prize(event) == 900 * USD - 1
    assert system.prizes.remainder_wad() > 0
    assert system.prizes.buyback_bucket() == 30 * USD
    assert system.prizes.pool() == system.prizes.carried() == 70 * USD
    assert system.prizes.period() == period + 1


def test_week_without_events_carries_all_and_buys_nothing(system):
    system.revenue(1_000 * USD)
    next_friday(system)
    system.close()
    assert system.prizes.pool() == 1_000 * USD
    assert system.prizes.buyback_bucket() == 0


def test_event_shares_up_to_its_last_week(system):
    week = 7 * 24 * 6
    short, long = system.create_event(blocks=week), system.create_event(blocks=3 * week)
    shares = []
    for _ in range(4):
        system.revenue(1_000 * USD)
        next_friday(system)
        system.close()
        shares.append((system.prizes.event_prize(short), system.prizes.event_prize(long)))
    # Two weeks together, two alone: the long one's expected end is in the fourth week.
    assert shares[1][0] == shares[2][0] == shares[3][0] == shares[1][1]
    assert shares[0][1] < shares[1][1] < shares[2][1] < shares[3][1]
    assert system.prizes.running_weight() == 0


@pytest.mark.parametrize("weeks", [1, 2, 25, 53])
def test_late_by_any_number_of_weeks_loses_nothing(system, weeks):
    event = system.create_event(blocks=366 * 24 * 6, weight=3, days=90)
    model = PrizeWeeks(system.prizes.period())
    model.open_event(event, 3, period_of(system.events.event_info(event).not_before))
    system.revenue(1_000_000_007)
    model.add_revenue(1_000_000_007)
    next_friday(system, weeks)
    system.close()
    model.close(period_of(boa.env.timestamp))
    logs = closed(system)
    assert len(logs) == weeks
    assert sum(log.revenue for log in logs) == 1_000_000_007
    assert {log.revenue for log in logs} <= {1_000_000_007 // weeks, 1_000_000_007 // weeks + 1}
    prizes = system.prizes
    whole = prizes.waiting_revenue() + prizes.carried() + prizes.buyback_bucket() + sum(log.to_events for log in logs)
    assert whole == system.usdc.balanceOf(prizes) == 1_000_000_007
    # A floor a week in the share, one in the carry that it comes from.
    assert abs(prizes.event_prize(event) - model.prize(event)) <= 1 + 2 * weeks


def test_resumes_where_it_stopped(system):
    system.create_event(blocks=20 * 7 * 24 * 6, days=90)
    system.revenue(1_000 * USD)
    next_friday(system, 5)
    system.harvest()
    period = system.prizes.period()
    system.prizes.close_periods(period, 2)
    assert system.prizes.period() == period + 2
    system.prizes.close_periods(period + 2, 100)
    assert system.prizes.period() == period + 5
    assert system.prizes.waiting_revenue() == 0


def test_first_second_of_friday_belongs_to_the_new_week(system):
    period = system.prizes.period()
    system.create_event()
    system.wait_until(start_of(period + 1) - 1)
    system.harvest()
    with boa.reverts("prizes: period is not over"):
        system.prizes.close_periods(period, 1)
    boa.env.timestamp += 1
    system.close()
    # Whatever comes in that second changes nothing in what was closed.
    word = system.prizes.eval(f"self._periods[{period}]")
    system.revenue(1_000 * USD)
    system.create_event(weight=9_999)
    assert system.prizes.eval(f"self._periods[{period}]") == word
    assert system.prizes.pool() == 1_000 * USD


@pytest.mark.parametrize("late", [0, 1, 2 * DAY])
def test_waits_a_day_at_most_for_a_harvest(system, late):
    period = system.prizes.period()
    next_friday(system)
    boa.env.timestamp += DAY - 1
    with boa.reverts("prizes: harvest first"):
        system.prizes.close_periods(period, 1)
    boa.env.timestamp += 1 + late
    system.prizes.close_periods(period, 1)


def test_carry_and_bucket_share_a_word_and_not_a_unit(system):
    """An odd carry becomes an even one, beside an odd bucket and an empty one."""
    for bucket in (0, 1):
        system.prizes.eval(f"self._kept = {bucket}")
        for carried in (1, 2):
            system.revenue(1)
            next_friday(system)
            system.close()
            assert (system.prizes.carried(), system.prizes.buyback_bucket()) == (carried, bucket)


def test_harvest_of_the_week_before_is_not_enough(system):
    system.wait_until(start_of(system.prizes.period() + 1) - 1)
    system.harvest()
    boa.env.timestamp += 1
    with boa.reverts("prizes: harvest first"):
        system.prizes.close_periods(system.prizes.period(), 1)


def test_reverts_when_closed_by_somebody_else(system):
    period = system.prizes.period()
    next_friday(system)
    system.close()
    with boa.reverts("prizes: not this period"):
        system.prizes.close_periods(period, 1)


def test_reverts_when_period_is_not_over(system):
    with boa.reverts("prizes: period is not over"):
        system.prizes.close_periods(system.prizes.period(), 1)


def test_reverts_when_told_to_close_none(system):
    next_friday(system)
    system.harvest()
    with boa.reverts("prizes: no periods"):
        system.prizes.close_periods(system.prizes.period(), 0)
