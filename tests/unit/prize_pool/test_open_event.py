"""Only PredictionEvents opens an event; it shares from the running week on (see also test_create_event.py)."""

import boa

from tessera.model.prizes import period_of, start_of


def test_adds_its_weight_until_its_last_week(system):
    period = system.prizes.period()
    system.prizes.open_event(1, 5, period + 2, sender=system.events.address)
    (log,) = system.prizes.get_logs()
    assert (log.event_id, log.weight, log.first_period, log.last_period) == (1, 5, period, period + 2)
    assert system.prizes.running_weight() == system.prizes.ending_weight(period + 2) == 5
    system.wait_until(start_of(period + 3))
    system.close()
    assert system.prizes.running_weight() == 0
    assert system.prizes.ending_weight(period + 2) == 5


def test_ending_weight_stays_apart_from_the_prize(system):
    """Both are in one word: an index whose lowest bit is set is not read as weight."""
    period = system.prizes.period()
    system.prizes.open_event(1, 3, period, sender=system.events.address)
    system.revenue(2)
    system.wait_until(start_of(period + 1))
    system.close()
    assert system.prizes.prize_per_weight_wad() == 10**18 // 3
    assert system.prizes.ending_weight(period) == 3


def test_reverts_when_not_the_events(system, stranger):
    with boa.reverts("prizes: not the events"):
        system.prizes.open_event(1, 1, system.prizes.period(), sender=stranger)


def test_reverts_when_ten_years_wait(system):
    boa.env.timestamp = start_of(period_of(boa.env.timestamp) + 521)
    system.harvest()
    with boa.reverts("prizes: ten years to close"):
        system.prizes.open_event(1, 1, 10**6, sender=system.events.address)
    system.close()
    system.close()
    system.prizes.open_event(1, 1, 10**6, sender=system.events.address)
