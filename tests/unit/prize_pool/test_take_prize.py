"""Only PredictionEvents takes a prize, once, when the event's last week is closed (see also test_settle.py)."""

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import MIN_BLOCKS, USD, WAD, PrizeSystem, load


@pytest.fixture
def event(system):
    """Weight 7, its only week closed with 1,000 USD, so 900 USD less a fraction."""
    event = system.create_event(blocks=MIN_BLOCKS, weight=7)
    system.revenue(1_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    return event


def test_pays_and_keeps_the_fraction(system, event):
    rem = system.prizes.remainder_wad()
    prize = system.prizes.event_prize(event)
    assert system.prizes.take_prize(event, True, sender=system.events.address) == prize
    (log,) = [log for log in system.prizes.get_logs() if type(log).__name__ == "PrizeTaken"]
    assert (log.event_id, log.amount, log.paid) == (event, prize, True)
    assert system.usdc.balanceOf(system.events) == prize
    assert prize * WAD + system.prizes.remainder_wad() == 900 * USD * WAD
    assert system.prizes.remainder_wad() > rem
    assert system.prizes.event_prize(event) == prize


def test_pays_a_single_unit(system):
    event = system.create_event(blocks=MIN_BLOCKS)
    system.revenue(2)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    assert system.prizes.take_prize(event, True, sender=system.events.address) == 1
    assert system.usdc.balanceOf(system.events) == 1


def test_unpaid_prize_is_revenue_of_the_running_week(system, event):
    prize = system.prizes.event_prize(event)
    system.prizes.take_prize(event, False, sender=system.events.address)
    assert system.prizes.waiting_revenue() == prize
    assert system.usdc.balanceOf(system.events) == 0


def test_unpaid_prize_is_no_revenue_of_a_week_that_is_over(system, event):
    """Whoever settles between two weeks could choose whose it is. An event of the week that is over would have got
    900 USD more, before it was closed first."""
    prize = system.prizes.event_prize(event)
    other = system.create_event(blocks=MIN_BLOCKS)
    carried = system.prizes.carried()
    system.wait_until(start_of(system.prizes.period() + 1))
    with boa.reverts("prizes: harvest first"):
        system.prizes.take_prize(event, False, sender=system.events.address)
    system.harvest()
    system.prizes.take_prize(event, False, sender=system.events.address)
    assert system.prizes.period() == period_of(boa.env.timestamp)
    assert system.prizes.waiting_revenue() == prize
    assert system.prizes.event_prize(other) <= carried


def test_fraction_is_shared_with_the_next_week(system, event):
    system.prizes.take_prize(event, True, sender=system.events.address)
    system.create_event(weight=1)
    # All that is left of a unit makes a whole one again: 63 USD and what was kept.
    kept = system.prizes.remainder_wad()
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    assert kept > 0 or system.prizes.remainder_wad() == 0
    assert system.prizes.event_prize(event + 1) == (63 * USD * WAD + kept) // WAD


def test_reverts_when_taken_before(system, event):
    system.prizes.take_prize(event, True, sender=system.events.address)
    with boa.reverts("prizes: already taken"):
        system.prizes.take_prize(event, True, sender=system.events.address)


def test_reverts_when_last_week_is_not_closed(system):
    """A week ahead of its last, in it, and when it is over."""
    event = system.create_event()
    first = system.prizes.period()
    assert system.prizes.ending_weight(first + 1) == 1
    for period in (first, first + 1, first + 2):
        system.wait_until(start_of(period))
        if period == first + 1:
            system.close()
        with boa.reverts("prizes: last week not closed"):
            system.prizes.take_prize(event, True, sender=system.events.address)
    system.close()
    system.prizes.take_prize(event, True, sender=system.events.address)


def test_reverts_when_not_the_events(system, event, stranger):
    with boa.reverts("prizes: not the events"):
        system.prizes.take_prize(event, True, sender=stranger)


def test_reverts_when_token_refuses():
    token = load("tests/mocks/Token.vy").deploy(6)
    system = PrizeSystem(usdc=token)
    event = system.create_event(blocks=MIN_BLOCKS)
    system.revenue(1_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    token.refuse(system.events, True)
    with boa.reverts("prizes: not paid"):
        system.prizes.take_prize(event, True, sender=system.events.address)
