"""Governance sets the split within bounds, and never of a week that has begun."""

import boa
import pytest

from tessera.model.prizes import start_of
from tests.prize_system import MIN_BLOCKS, USD


def test_counts_from_the_next_week_on(system):
    """The running week keeps its split: 900, 30 and 70 of 1,000; the next has 800, 50 and 150 of the same."""
    prizes, first = system.prizes, system.prizes.period()
    prizes.set_split(8_000, 500, sender=system.owner)
    (log,) = prizes.get_logs()
    assert (log.first_period, log.old_event_bps, log.old_buyback_bps, log.event_bps, log.buyback_bps) == (
        first + 1, 9_000, 300, 8_000, 500,
    )  # fmt: skip
    assert [prizes.split_of(first + week) for week in range(3)] == [(9_000, 300), (8_000, 500), (8_000, 500)]
    event = system.create_event()
    system.revenue(1_000 * USD)
    system.wait_until(start_of(first + 1))
    system.close()
    assert (prizes.event_prize(event), prizes.buyback_bucket(), prizes.carried()) == (900 * USD, 30 * USD, 70 * USD)
    system.revenue(930 * USD)
    system.wait_until(start_of(first + 2))
    system.close()
    assert (prizes.event_prize(event), prizes.buyback_bucket(), prizes.carried()) == (1_700 * USD, 80 * USD, 150 * USD)


def test_late_weeks_are_closed_each_by_its_own_split(system):
    """Two weeks are closed at once, the new split counts from the second."""
    first = system.prizes.period()
    system.create_event(blocks=20 * MIN_BLOCKS)
    system.prizes.set_split(8_000, 500, sender=system.owner)
    system.revenue(2_000 * USD)
    system.wait_until(start_of(first + 2))
    system.close()
    closed = [log for log in system.prizes.get_logs() if type(log).__name__ == "PeriodClosed"]
    assert [(log.pool, log.to_events, log.buyback) for log in closed] == [
        (1_000 * USD, 900 * USD, 30 * USD),
        (1_070 * USD, 856 * USD, 535 * USD // 10),
    ]


def test_a_second_change_in_a_week_takes_the_place_of_the_first(system):
    first = system.prizes.period()
    system.prizes.set_split(8_000, 500, sender=system.owner)
    system.prizes.set_split(9_500, 100, sender=system.owner)
    (log,) = system.prizes.get_logs()
    assert (log.first_period, log.old_event_bps, log.old_buyback_bps) == (first + 1, 9_000, 300)
    assert [system.prizes.split_of(first + week) for week in range(2)] == [(9_000, 300), (9_500, 100)]


def test_a_change_in_a_later_week_follows_the_one_before(system):
    first = system.prizes.period()
    system.prizes.set_split(8_000, 500, sender=system.owner)
    system.wait_until(start_of(first + 1))
    system.close()
    assert system.prizes.split_of(first + 1) == (8_000, 500)
    system.prizes.set_split(10_000, 0, sender=system.owner)
    assert [system.prizes.split_of(first + week) for week in (1, 2)] == [(8_000, 500), (10_000, 0)]
    with boa.reverts("prizes: period is closed"):
        system.prizes.split_of(first)


def test_owner_cannot_take_a_week_s_revenue_from_its_events(system):
    """The owner waits for a good week, cuts its events to 80 % and buys back 20 %. With a split that counted at once,
    events of a week of 10,000 lost 1,000; now they lose nothing, and the next week's are told a week ahead."""
    event = system.create_event()
    system.revenue(10_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1) - 1)
    system.prizes.set_split(8_000, 2_000, sender=system.owner)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    assert system.prizes.event_prize(event) == 9_000 * USD
    assert system.prizes.buyback_bucket() == 300 * USD


@pytest.mark.parametrize("split", [(8_000, 2_000), (10_000, 0)])
def test_bounds_themselves_are_fine(system, split):
    system.prizes.set_split(*split, sender=system.owner)


@pytest.mark.parametrize("split", [(7_999, 0), (8_000, 2_001), (10_001, 0), (2**256 - 1, 1), (9_000, 2**256 - 1)])
def test_reverts_when_out_of_bounds(system, split):
    with boa.reverts("prizes: bad split"):
        system.prizes.set_split(*split, sender=system.owner)


def test_reverts_when_a_week_is_over_and_not_closed(system):
    system.wait_until(start_of(system.prizes.period() + 1))
    with boa.reverts("prizes: weeks are not closed"):
        system.prizes.set_split(8_000, 300, sender=system.owner)


def test_reverts_when_not_owner(system, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        system.prizes.set_split(9_000, 300, sender=stranger)
