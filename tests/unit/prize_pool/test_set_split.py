"""Governance sets the split within bounds, never of a week that is over."""

import boa
import pytest

from tessera.model.prizes import start_of
from tests.prize_system import USD


def test_changes_the_split(system):
    system.prizes.set_split(8_000, 500, sender=system.owner)
    (log,) = system.prizes.get_logs()
    assert (log.old_event_bps, log.old_buyback_bps, log.event_bps, log.buyback_bps) == (9_000, 300, 8_000, 500)
    event = system.create_event()
    system.revenue(1_000 * USD)
    system.wait_until(start_of(system.prizes.period() + 1))
    system.close()
    prizes = system.prizes
    assert (prizes.event_prize(event), prizes.buyback_bucket(), prizes.carried()) == (800 * USD, 50 * USD, 150 * USD)


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
