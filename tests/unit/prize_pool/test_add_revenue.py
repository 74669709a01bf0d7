"""Anybody may add to the running week; it is counted, not read from a balance."""

import boa
import pytest

from tests.prize_system import USD, PrizeSystem, load


def test_adds_to_what_waits(system, staker):
    system.usdc.approve(system.prizes, 5 * USD, sender=staker)
    system.prizes.add_revenue(5 * USD, sender=staker)
    (log,) = [log for log in system.prizes.get_logs() if type(log).__name__ == "RevenueAdded"]
    assert (log.payer, log.amount) == (staker, 5 * USD)
    assert system.prizes.pool() == system.usdc.balanceOf(system.prizes) == 5 * USD


def test_tokens_sent_unasked_count_nowhere(system, staker):
    system.usdc.transfer(system.prizes, 5 * USD, sender=staker)
    assert system.prizes.pool() == 0
    system.revenue(3 * USD)
    assert system.prizes.pool() == 3 * USD


def test_dust_changes_no_running_rate(system):
    event = system.create_event()
    system.revenue(1_000 * USD)
    for _ in range(5):
        system.revenue(1)
    assert system.prizes.pool() == 1_000 * USD + 5
    assert system.prizes.event_prize(event) == 0


def test_reverts_when_amount_is_zero(system, staker):
    with boa.reverts("prizes: zero amount"):
        system.prizes.add_revenue(0, sender=staker)


@pytest.mark.parametrize("amount", [2**112 - 5 * USD, 2**256 - 1])
def test_reverts_when_supply_is_out_of_range(system, staker, amount):
    system.revenue(5 * USD)
    with boa.reverts("prizes: supply too large"):
        system.prizes.add_revenue(amount, sender=staker)


def test_reverts_when_token_refuses_or_takes_a_fee(staker):
    token = load("tests/mocks/Token.vy").deploy(6)
    system = PrizeSystem(usdc=token)
    token.mint(staker, 10 * USD)
    token.approve(system.prizes, 10 * USD, sender=staker)
    token.set_fee(1)
    with boa.reverts("prizes: token takes a fee"):
        system.prizes.add_revenue(USD, sender=staker)
    token.set_fee(0)
    token.refuse(system.prizes, True)
    with boa.reverts("prizes: transfer failed"):
        system.prizes.add_revenue(USD, sender=staker)
    assert system.prizes.pool() == 0
