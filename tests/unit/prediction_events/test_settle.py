"""Settling fixes the outcome, fetches the prize, and costs the same for any number of people."""

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import INVALID, USD, block_number, refusing


@pytest.fixture
def event(system, staker, rival):
    """Staker predicts 0, rival predicts 1, 1,000 USDC each; 900 USDC are in the running week."""
    for account in (staker, rival):
        system.pool.stake(system.usdc, 1_000 * USD, sender=account)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    system.events.predict(event, 1, sender=rival)
    system.revenue(1_000 * USD)
    return event


def end(system, event, closed=True):
    """Everything that settling waits for but the report."""
    info = system.events.event_info(event)
    system.wait_until(info.not_before)
    system.mine(max(0, info.stop_block + 24 * system.blocks_per_hour - block_number()))
    if closed:
        system.wait_until(start_of(period_of(info.not_before) + 1))
        system.close()
    return info


def report(system, event, outcome):
    system.wait_until(system.events.event_info(event).not_before)
    system.report(event, outcome)


def test_fixes_outcome_and_fetches_the_prize(system, staker, event):
    report(system, event, 0)
    end(system, event)
    tickets = system.events.tickets(event, staker)[1]
    system.events.settle(event)
    (log,) = [log for log in system.events.get_logs() if type(log).__name__ == "EventSettled"]
    prize = system.prizes.event_prize(event)
    assert (log.event_id, log.outcome, log.prize) == (event, 0, prize)
    # 6 blocks an hour, 1e-12 USD-blocks.
    assert log.tickets * 10**6 // 6 == tickets
    assert prize >= 900 * USD
    assert system.usdc.balanceOf(system.events) == prize
    assert system.events.result_of(event) == (True, 0, prize, prize)
    assert system.events.tickets(event, staker) == (0, 0)


@pytest.mark.parametrize("outcome", [2, 3, 99, INVALID], ids=["nobody predicts it", "unknown", "absurd", "INVALID"])
def test_prize_without_winner_is_revenue_again(system, staker, event, outcome):
    report(system, event, outcome)
    end(system, event)
    prize, waiting = system.prizes.event_prize(event), system.prizes.waiting_revenue()
    system.events.settle(event)
    assert system.prizes.waiting_revenue() == waiting + prize
    assert system.usdc.balanceOf(system.events) == 0
    assert system.events.result_of(event) == (True, outcome if outcome == 2 else INVALID, 0, 0)
    assert system.events.prize_of(event, staker) == 0


def test_silent_panel_is_invalid_after_the_deadline(system, event):
    info = end(system, event)
    with boa.reverts("events: no result yet"):
        system.events.settle(event)
    boa.env.timestamp = info.result_deadline
    with boa.reverts("events: no result yet"):
        system.events.settle(event)
    boa.env.timestamp += 1
    system.events.settle(event)
    assert system.events.result_of(event)[:2] == (True, INVALID)


def all_but_blocks(system, event):
    """The result is final and all weeks are closed; blocks are late."""
    report(system, event, 0)
    system.wait_until(start_of(period_of(boa.env.timestamp) + 1))
    system.close()
    return system.events.event_info(event).stop_block


def test_does_not_wait_where_nobody_was_ever_forfeited(system, event):
    stop = all_but_blocks(system, event)
    boa.env.evm.patch.block_number = stop - 1
    with boa.reverts("events: stop block not reached"):
        system.events.settle(event)
    system.mine(1)
    system.events.settle(event)


def test_waits_for_the_time_to_purge_where_anybody_was_ever_forfeited(system, event, stranger):
    """Of any event, and of long ago: the contract keeps only their number."""
    system.stake(stranger, 10)
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 10 * USD, 0, sender=stranger)
    assert system.pool.total_forfeits() == 1
    stop = all_but_blocks(system, event)
    for block in (stop, stop + 24 * system.blocks_per_hour - 1):
        boa.env.evm.patch.block_number = block
        with boa.reverts("events: time to purge"):
            system.events.settle(event)
    system.mine(1)
    system.events.settle(event)


def test_reverts_when_last_week_is_not_closed(system, event):
    report(system, event, 0)
    info = end(system, event, closed=False)
    system.wait_until(start_of(period_of(info.not_before) + 1))
    # All weeks but the last.
    system.close(period_of(info.not_before) - system.prizes.period())
    with boa.reverts("prizes: last week not closed"):
        system.events.settle(event)
    system.close()
    system.events.settle(event)


def test_reverts_when_settled_before(system, event):
    system.finish(event, 0)
    with boa.reverts("events: already settled"):
        system.events.settle(event)


def test_reverts_when_event_is_unknown(system):
    with boa.reverts("events: unknown event"):
        system.events.settle(5)


def test_blocks_late_against_the_clock_change_no_week(system, event):
    """The last week follows the clock alone, so nobody stretches an event by stopping blocks."""
    info = system.events.event_info(event)
    boa.env.timestamp = start_of(period_of(info.not_before) + 3)
    assert block_number() < info.stop_block
    system.close()
    first = system.prizes.event_prize(event)
    system.revenue(500 * USD)
    boa.env.timestamp = start_of(period_of(boa.env.timestamp) + 1)
    system.close()
    assert system.prizes.event_prize(event) == first
