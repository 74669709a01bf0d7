"""A batch pays whoever can be paid and says why the others were not."""

import boa
import pytest


@pytest.fixture
def event(system, staker, rival):
    """Staker predicts 0 and rival 1, 1,000 USDC each."""
    return system.contested(staker, rival)


def test_pays_winners_and_skips_the_rest(system, staker, rival, stranger, event):
    system.finish(event, 0)
    prize = system.prizes.event_prize(event)
    system.events.claim_many(event, [rival, staker, stranger, staker], sender=stranger)
    logs = system.events.get_logs()
    assert [(log.account, log.amount) for log in logs if type(log).__name__ == "Claimed"] == [(staker, prize)]
    assert [(log.account, log.reason) for log in logs if type(log).__name__ == "PrizeClaimSkipped"] == [
        (rival, "events: not a winner"),
        (stranger, "events: nothing left to claim"),
        (staker, "events: nothing left to claim"),
    ]


def test_same_batch_twice_pays_nobody_twice(system, staker, event):
    system.finish(event, 0)
    system.events.claim_many(event, [staker])
    held = system.usdc.balanceOf(staker)
    system.events.claim_many(event, [staker])
    assert system.usdc.balanceOf(staker) == held


def test_reverts_when_not_settled(system, staker, event):
    with boa.reverts("events: not settled"):
        system.events.claim_many(event, [staker])
