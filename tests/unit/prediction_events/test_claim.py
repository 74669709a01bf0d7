"""Winners share the prize by prize tickets, rounded down; what that leaves goes back with the last claim."""

import boa
import pytest

from tests.prize_system import USD, PrizeSystem, load, refusing


@pytest.fixture
def event(system, staker, rival):
    """Staker (1,000 USDC) and rival (2,000 USDC) predict 0; 1,000 USDC and two units are in the running week."""
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.pool.stake(system.usdc, 2_000 * USD, sender=rival)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    system.events.predict(event, 0, sender=rival)
    system.revenue(1_000 * USD + 2)
    return event


def names(system):
    return [type(log).__name__ for log in system.events.get_logs()]


def test_pays_a_share_rounded_down_and_the_residue_returns(system, staker, rival, stranger, event):
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    assert prize % 3  # or there would be no residue
    held = system.usdc.balanceOf(staker)
    assert system.events.prize_of(event, staker) == prize // 3
    system.events.claim(event, staker, sender=stranger)
    (log,) = [log for log in system.events.get_logs() if type(log).__name__ == "Claimed"]
    assert (log.event_id, log.account, log.amount) == (event, staker, prize // 3)
    assert system.usdc.balanceOf(staker) == held + prize // 3
    waiting = system.prizes.waiting_revenue()
    system.events.claim(event, rival)
    assert "ResidueReturned" in names(system)
    assert system.prizes.waiting_revenue() == waiting + 1
    assert system.usdc.balanceOf(system.events) == 0
    assert system.events.result_of(event)[3] == 0


def test_never_expires(system, staker, event):
    system.finish(event, 0)
    due = system.events.prize_of(event, staker)
    system.mine(400 * 24 * 6)
    assert system.events.prize_of(event, staker) == due > 0
    system.events.claim(event, staker)


def test_principal_gone_prize_stays(system, staker, event):
    system.finish(event, 0)
    due = system.events.prize_of(event, staker)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    assert system.events.prize_of(event, staker) == due


def test_forfeited_share_that_nobody_purged_goes_to_the_pool(system, staker, rival, event):
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.finish(event, 0)
    prize, held, waiting = (
        system.prizes.event_prize(event),
        system.usdc.balanceOf(staker),
        system.prizes.waiting_revenue(),
    )
    assert system.events.prize_of(event, staker) == 0
    system.events.claim(event, staker)
    assert "ForfeitClaimed" in names(system)
    assert system.usdc.balanceOf(staker) == held
    share = system.prizes.waiting_revenue() - waiting
    assert 0 < share < prize
    system.events.claim(event, rival)
    assert system.usdc.balanceOf(system.events) == 0


def test_purged_in_time_the_others_share_it_all(system, staker, rival, event):
    with refusing(system.events):
        system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.events.purge(event, staker)
    system.finish(event, 0)
    assert system.events.prize_of(event, rival) == system.prizes.event_prize(event)


def test_empty_prize_can_be_claimed(system, staker, rival):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    system.finish(event, 0)
    system.events.claim(event, staker)
    (log,) = system.events.get_logs()
    assert log.amount == 0


def test_reverts_when_not_settled(system, staker, event):
    with boa.reverts("events: not settled"):
        system.events.claim(event, staker)


def test_reverts_for_a_loser(system, staker, event):
    system.finish(event, 1)
    with boa.reverts("events: not a winner"):
        system.events.claim(event, staker)


def test_reverts_the_second_time(system, staker, event):
    system.finish(event, 0)
    system.events.claim(event, staker)
    with boa.reverts("events: nothing left to claim"):
        system.events.claim(event, staker)


def test_reverts_for_who_predicted_nothing(system, stranger, event):
    system.finish(event, 0)
    with boa.reverts("events: nothing left to claim"):
        system.events.claim(event, stranger)


def test_reverts_where_the_only_right_ones_have_no_tickets(system, rival, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    event = system.create_event()
    system.events.predict(event, 0, sender=staker)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.finish(event, 0)
    with boa.reverts("events: nobody was right"):
        system.events.claim(event, staker)


def test_reverts_when_event_is_unknown(system, staker):
    with boa.reverts("events: unknown event"):
        system.events.claim(9, staker)


def test_reverts_when_token_refuses_and_it_stays_claimable():
    token = load("tests/mocks/Token.vy").deploy(6)
    system = PrizeSystem(usdc=token)
    winner = boa.env.generate_address()
    system.stake(winner, 1_000)
    event = system.create_event()
    system.events.predict(event, 0, sender=winner)
    system.revenue(1_000 * USD)
    system.finish(event, 0)
    due = system.events.prize_of(event, winner)
    token.refuse(winner, True)
    with boa.reverts("events: token refused"):
        system.events.claim(event, winner)
    system.events.claim_many(event, [winner])
    assert system.events.prize_of(event, winner) == due > 0
    token.refuse(winner, False)
    system.events.claim(event, winner)
    assert token.balanceOf(winner) == due
