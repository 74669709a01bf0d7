"""A forfeited prediction counts nowhere: anybody takes it out of the total until the event is settled."""

import boa
import pytest

from tests.prize_system import MIN_BLOCKS, USD, WAD, refusing


@pytest.fixture
def event(system, staker, rival):
    """Both predict outcome 0 with 1,000 USDC; then the staker's withdrawal forfeits, while the event is open."""
    for account in (staker, rival):
        system.pool.stake(system.usdc, 1_000 * USD, sender=account)
    event = system.create_event()
    for account in (staker, rival):
        system.events.predict(event, 0, sender=account)
    system.mine(60)
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    return event


def test_takes_the_tickets_out_of_the_total(system, staker, rival, stranger, event):
    total = system.events.outcome_tickets(event, 0)
    system.events.purge(event, staker, sender=stranger)
    (log,) = system.events.get_logs()
    assert (log.event_id, log.account, log.outcome) == (event, staker, 0)
    assert log.tickets > 0
    assert system.events.outcome_tickets(event, 0) == total // 2 == system.events.tickets(event, rival)[1]
    assert system.events.prediction_of(event, staker) == (False, 0)
    # What is actual stays: 1,000 USD for ten hours.
    assert system.events.tickets(event, staker) == (10_000 * WAD, 0)
    assert system.events.eval(f"open_list._count({staker})") == 0


def test_works_after_the_stop_block(system, staker, rival, event):
    system.mine(10 * MIN_BLOCKS)
    system.events.purge(event, staker)
    assert system.events.outcome_tickets(event, 0) == system.events.tickets(event, rival)[1]


def test_reverts_when_not_forfeited(system, rival, stranger, event):
    for account in (rival, stranger):
        with boa.reverts("events: not forfeited"):
            system.events.purge(event, account)


def test_reverts_when_purged_before(system, staker, event):
    system.events.purge(event, staker)
    with boa.reverts("events: not forfeited"):
        system.events.purge(event, staker)


def test_reverts_when_forfeited_after_the_event_was_over(system, rival, event):
    system.mine(10 * MIN_BLOCKS)
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=rival)
    with boa.reverts("events: not forfeited"):
        system.events.purge(event, rival)


@pytest.mark.parametrize("last", [1, 0], ids=["the last block before", "the stop block"])
def test_forfeiture_counts_before_the_stop_block_and_not_in_it(system, rival, event, last):
    stop = system.events.event_info(event).stop_block
    boa.env.evm.patch.block_number = stop - last
    tickets = system.events.tickets(event, rival)[1]
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=rival)
    assert system.pool.forfeited_at(rival, 0) == stop - last
    assert (system.events.tickets(event, rival)[1] == tickets) == (not last)
    if last:
        system.events.purge(event, rival)
    else:
        with boa.reverts("events: not forfeited"):
            system.events.purge(event, rival)


def test_reverts_when_predicted_since(system, staker, event):
    system.events.predict(event, 1, sender=staker)
    with boa.reverts("events: not forfeited"):
        system.events.purge(event, staker)


def test_first_forfeiture_since_the_prediction_decides(system, rival, event):
    """A second one, after the event, does not hide that the first came before."""
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 100 * USD, 0, sender=rival)
        system.mine(10 * MIN_BLOCKS)
        system.pool.withdraw(system.usdc, 100 * USD, 0, sender=rival)
    system.events.purge(event, rival)


def test_reverts_when_settled(system, staker, event):
    system.finish(event, 0)
    with boa.reverts("events: too late to purge"):
        system.events.purge(event, staker)


def test_reverts_when_event_is_unknown(system, staker):
    with boa.reverts("events: unknown event"):
        system.events.purge(77, staker)
