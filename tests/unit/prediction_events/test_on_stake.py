"""A change of stake changes what is still to come, in every open event at once."""

import boa
import pytest

from tests.prize_system import MIN_BLOCKS, USD, WAD


@pytest.fixture
def event(system, staker):
    """2,400 blocks, E0 3.00; the staker predicts outcome 0 with 1,000 USDC from its first block."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    event = system.create_event(blocks=2_400, e0=300)
    system.events.predict(event, 0, sender=staker)
    return event


def test_added_stake_takes_the_multiplier_of_its_own_moment(system, staker, event):
    system.mine(1_200)
    system.pool.stake(system.dai, 9_000 * WAD, sender=staker)
    system.mine(1_200)
    # 1,000 USD for 400 h at 3 and 9,000 USD for 200 h at 2.
    assert system.events.tickets(event, staker)[1] == (1_200_000 + 3_600_000) * WAD


def test_withdrawal_scales_what_is_still_to_come(system, staker, event):
    system.mine(1_200)
    system.pool.withdraw(system.usdc, 750 * USD, 0, sender=staker)
    system.mine(1_200)
    assert system.events.tickets(event, staker)[1] == (600_000 + 150_000) * WAD


def test_restaking_after_leaving_does_not_bring_the_early_multiplier_back(system, staker, event):
    system.mine(1_200)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.mine(1_200)
    assert system.events.tickets(event, staker)[1] == (600_000 + 400_000) * WAD


def test_dust_prediction_does_not_carry_a_late_fortune(system, rival):
    system.pool.stake(system.usdc, USD, sender=rival)
    event = system.create_event(blocks=2_400, e0=1_000)
    system.events.predict(event, 0, sender=rival)
    system.mine(2_399)
    system.pool.stake(system.usdc, 9_999 * USD, sender=rival)
    system.mine(1)
    actual, prize = system.events.tickets(event, rival)
    # The dollar at 10.00, the fortune at its own 1.00375.
    assert prize < (400 * 10 + 9_999 * 1.004 / 6) * WAD
    assert actual == (400 * WAD) + 9_999 * WAD // 6


def test_total_follows_every_change_exactly(system, staker, rival, event):
    system.pool.stake(system.usdc, 3_333_333_333, sender=rival)
    system.events.predict(event, 0, sender=rival)
    for amount in (1_111_111, 7_777_777, 13):
        system.mine(7)
        system.pool.stake(system.usdc, 10 * amount + USD, sender=staker)
        system.pool.withdraw(system.usdc, amount, 0, sender=rival)
    mine, total = system.events.lines_of(event, staker, 0)
    assert mine + system.events.lines_of(event, rival, 0)[0] == total


def test_events_that_are_over_stay_as_they_are_and_leave_the_list(system, staker, event):
    over = system.create_event(blocks=MIN_BLOCKS)
    system.events.predict(over, 1, sender=staker)
    system.mine(MIN_BLOCKS)
    final = system.events.lines_of(over, staker, 1)
    system.pool.withdraw(system.usdc, 500 * USD, 0, sender=staker)
    assert system.events.lines_of(over, staker, 1) == final
    assert system.events.eval(f"open_list._count({staker})") == 1
    assert system.events.eval(f"open_list._entry({staker}, 0)") == event


def test_change_at_the_stop_block_counts_nothing(system, staker, event):
    system.mine(2_400)
    before = system.events.tickets(event, staker)
    system.pool.stake(system.dai, 10_000 * WAD, sender=staker)
    system.mine(5)
    assert system.events.tickets(event, staker) == before == (400_000 * WAD, 1_200_000 * WAD)


def test_stake_added_from_the_expected_end_on_counts_only_where_the_result_is_unknown(system, staker, event):
    """Blocks are late: half of the event is over when its result may be known. Another event is twice as long."""
    other = system.create_event(blocks=4_800, e0=300)
    system.events.predict(other, 1, sender=staker)
    boa.env.evm.patch.block_number += 1_200
    boa.env.timestamp = system.events.event_info(event).not_before - 1
    system.pool.stake(system.dai, 1_000 * WAD, sender=staker)
    boa.env.timestamp += 1
    before = system.events.lines_of(event, staker, 0)
    system.pool.stake(system.dai, 8_000 * WAD, sender=staker)
    assert system.events.lines_of(event, staker, 0) == before
    # A withdrawal still scales what is to come: 5,000 of 10,000 USD go.
    system.pool.withdraw(system.dai, 5_000 * WAD, 0, sender=staker)
    system.mine(1_200)
    # 1,000 USD at 3 for 200 h; then half of 1,000 USD at 3 and 1,000 USD at 2, for 200 h.
    assert system.events.tickets(event, staker)[1] == (600_000 + 500_000) * WAD
    # Here the multiplier was 2.5 for all 9,000 USD.
    assert system.events.tickets(other, staker)[1] == (600_000 + 200 * (3_000 + 22_500) // 2) * WAD


def test_reverts_when_not_the_staking_pool(system, staker, stranger):
    with boa.reverts("events: not the staking pool"):
        system.events.on_stake(staker, 0, 10**12, sender=stranger)
