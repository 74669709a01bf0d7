"""One stake is a pass to all events; what is predicted can be changed until nobody can know the result."""

import boa
import pytest

from tests.prize_system import MIN_BLOCKS, USD, WAD, block_number, refusing


@pytest.fixture
def event(system, staker):
    """2,400 blocks from now, E0 3.00; the staker has 1,000 USDC in the pool since now."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    return system.create_event(blocks=2_400, e0=300)


def test_takes_the_multiplier_of_its_moment(system, staker, event):
    system.mine(1_200)
    assert system.events.multiplier(event) == 2 * WAD
    system.events.predict(event, 1, sender=staker)
    (log,) = system.events.get_logs()
    assert (log.event_id, log.account, log.outcome, log.multiplier) == (event, staker, 1, 2 * 10**6)
    # 1,000 USD for 1,200 blocks of ten minutes, from the event's creation on.
    assert system.events.tickets(event, staker) == (200_000 * WAD, 400_000 * WAD)
    assert system.events.outcome_tickets(event, 1) == 400_000 * WAD
    assert system.events.prediction_of(event, staker) == (True, 1)


def test_same_outcome_again_changes_nothing(system, staker, event):
    system.events.predict(event, 1, sender=staker)
    before = system.events.lines_of(event, staker, 1)
    system.mine(600)
    system.events.predict(event, 1, sender=staker)
    assert system.events.get_logs() == []
    assert system.events.lines_of(event, staker, 1) == before


def test_other_outcome_re_dates_everything(system, staker, event):
    system.events.predict(event, 0, sender=staker)
    system.mine(1_200)
    system.events.predict(event, 2, sender=staker)
    assert system.events.outcome_tickets(event, 0) == 0
    assert system.events.tickets(event, staker) == (200_000 * WAD, 400_000 * WAD)
    system.mine(2_400)
    assert system.events.tickets(event, staker) == (400_000 * WAD, 800_000 * WAD)


def test_tickets_without_stake_are_enough(system, staker, event):
    system.mine(600)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.mine(600)
    system.events.predict(event, 0, sender=staker)
    assert system.events.tickets(event, staker) == (100_000 * WAD, 200_000 * WAD)


def test_last_block_before_the_stop_block_counts(system, staker, event):
    system.mine(2_399)
    system.events.predict(event, 0, sender=staker)
    system.mine(10)
    actual, prize = system.events.tickets(event, staker)
    assert actual == 400_000 * WAD
    assert actual < prize < actual * 1_001 // 1_000


def test_forgets_a_forfeited_prediction_first(system, staker, rival, event):
    system.events.predict(event, 0, sender=staker)
    system.mine(600)
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 500 * USD, 0, sender=staker)
    assert system.events.tickets(event, staker) == (100_000 * WAD, 0)
    system.mine(600)
    system.events.predict(event, 0, sender=staker)
    assert [type(log).__name__ for log in system.events.get_logs()] == ["Purged", "Predicted"]
    # As if it had never been there: 150,000 tickets at 2.00.
    assert system.events.tickets(event, staker) == (150_000 * WAD, 300_000 * WAD)
    assert system.events.outcome_tickets(event, 0) == 300_000 * WAD
    line, total = system.events.lines_of(event, staker, 0)
    assert line == total


def test_who_was_forfeited_elsewhere_predicts_as_anybody(system, staker, event):
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 500 * USD, 0, sender=staker)
    system.events.predict(event, 0, sender=staker)
    (log,) = system.events.get_logs()
    assert (type(log).__name__, log.account, log.outcome) == ("Predicted", staker, 0)
    assert system.events.prediction_of(event, staker) == (True, 0)


def test_64_open_predictions_and_ended_ones_make_room(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    short = system.create_event(blocks=MIN_BLOCKS)
    system.events.predict(short, 0, sender=staker)
    for _ in range(63):
        system.events.predict(system.create_event(), 0, sender=staker)
    extra = system.create_event()
    with boa.reverts("events: too many open"):
        system.events.predict(extra, 0, sender=staker)
    system.mine(MIN_BLOCKS)
    system.events.predict(extra, 0, sender=staker)
    # All 64 follow a change of stake: nothing more is to come in the first nor in the last.
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    assert system.pool.forfeits(staker) == 0
    before = [system.events.outcome_tickets(event, 0) for event in (short + 1, extra)]
    system.mine(10)
    assert [system.events.outcome_tickets(event, 0) for event in (short + 1, extra)] == before


def test_reverts_when_event_is_unknown(system, staker):
    with boa.reverts("events: unknown event"):
        system.events.predict(1, 0, sender=staker)


def test_reverts_when_outcome_is_unknown(system, staker, event):
    with boa.reverts("events: unknown outcome"):
        system.events.predict(event, 3, sender=staker)


def test_reverts_at_the_stop_block(system, staker, event):
    system.mine(2_400)
    with boa.reverts("events: stop block reached"):
        system.events.predict(event, 0, sender=staker)


def test_reverts_when_the_panel_may_report_though_blocks_are_late(system, staker, event):
    boa.env.timestamp = system.events.event_info(event).not_before
    assert block_number() < system.events.event_info(event).stop_block
    with boa.reverts("events: result may be known"):
        system.events.predict(event, 0, sender=staker)


def test_reverts_with_neither_stake_nor_tickets(system, rival, event):
    with boa.reverts("events: no stake, no tickets"):
        system.events.predict(event, 0, sender=rival)
