"""expire(market_id)"""

import boa
import pytest

from tests.club import DAY, INVALID, NO, SEED, SILENCE, VOTING, YES, Status, at, now
from tests.custody import EUR, Kind
from tests.logs import event, events


@pytest.mark.parametrize("closed", [True, False])
def test_anybody_voids_a_market_on_which_nobody_proposed_for_a_week(club, markets, market, creator, stranger, closed):
    if closed:
        markets.close(market, sender=creator)
    at(club.due_at + SILENCE)
    markets.expire(market, sender=stranger)
    assert events(markets) == [
        event(markets, "MarketFinalized", market_id=market, outcome=INVALID, creator_amount=SEED, timestamp=now()),
        club.entry(market, creator, Kind.REFUND, SEED, 50 * EUR),
    ]
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (Status.INVALID, INVALID)
    assert club.pot(market) == 3 * EUR


def test_anybody_voids_a_market_whose_referee_has_not_accepted_by_the_closing_time(
    club, markets, awaiting, creator, stranger
):
    for time in (now(), club.closes_at - 1):
        at(time)
        with boa.reverts("lmsr: still time to accept"):
            markets.expire(awaiting, sender=stranger)
    at(club.closes_at)
    markets.expire(awaiting, sender=stranger)
    assert events(markets) == [
        event(markets, "MarketFinalized", market_id=awaiting, outcome=INVALID, creator_amount=SEED, timestamp=now()),
        club.entry(awaiting, creator, Kind.REFUND, SEED, 50 * EUR),
    ]
    assert (club.status(awaiting), club.pot(awaiting)) == (Status.INVALID, 0)


def test_reverts_while_somebody_may_still_propose(club, markets, market):
    for time in (now(), club.closes_at, club.due_at, club.due_at + SILENCE - 1):
        at(time)
        with boa.reverts("lmsr: still time to propose"):
            markets.expire(market)
    at(club.due_at + SILENCE)
    markets.expire(market)
    assert club.status(market) == Status.INVALID


def test_reverts_after_a_proposal(club, markets, past_proposal):
    at(club.due_at + SILENCE + 30 * DAY)
    with boa.reverts("lmsr: already proposed"):
        markets.expire(past_proposal)


def test_reverts_the_second_time(club, markets, market, awaiting):
    at(club.due_at + SILENCE)
    for market_id in (market, awaiting):
        markets.expire(market_id)
        with boa.reverts("lmsr: already proposed"):
            markets.expire(market_id)


def test_reverts_in_an_unknown_market(club, markets, market):
    at(club.due_at + SILENCE)
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.expire(market_id)


def test_a_market_closed_again_expires_a_week_after_its_new_result_time(club, markets, market):
    club.complain(club.propose(market, INVALID, club.due_at - 1), NO)
    reopened_at = club.due_at - 1 + VOTING + 3 * DAY
    at(reopened_at)
    markets.finalize(market)
    at(reopened_at + SILENCE - 1)
    with boa.reverts("lmsr: still time to propose"):
        markets.expire(market)
    at(reopened_at + SILENCE)
    markets.expire(market)
    assert club.status(market) == Status.INVALID


def test_a_market_without_bets_gives_the_seed_back(club, markets, escrow, creator):
    market_id = club.create()
    at(club.due_at + SILENCE)
    markets.expire(market_id)
    assert escrow.balance_of(creator) == 50 * EUR
    assert club.pot(market_id) == 0


@pytest.mark.parametrize("second", [-1, 0])
def test_in_each_second_somebody_can_either_propose_or_expire(club, markets, market, creator, second):
    at(club.due_at + SILENCE + second)
    with boa.env.anchor():
        markets.expire(market) if second == 0 else markets.propose(market, YES, sender=creator)
    with boa.reverts("lmsr: still time to propose" if second else "lmsr: too late to propose"):
        markets.expire(market) if second else markets.propose(market, YES, sender=creator)


@pytest.mark.parametrize("second", [-1, 0])
def test_in_each_second_a_referee_can_accept_or_anybody_can_expire(club, markets, awaiting, referee, second):
    at(club.closes_at + second)
    with boa.env.anchor():
        markets.expire(awaiting) if second == 0 else markets.accept_referee(awaiting, sender=referee)
    with boa.reverts("lmsr: still time to accept" if second else "lmsr: too late to accept"):
        markets.expire(awaiting) if second else markets.accept_referee(awaiting, sender=referee)
