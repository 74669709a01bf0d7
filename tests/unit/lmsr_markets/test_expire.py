"""expire(market_id)"""

import boa
import pytest

from tests.club import DAY, INVALID, SEED, SILENCE, VOTING, YES, Status, at, now
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


def test_reverts_the_second_time(club, markets, market):
    at(club.due_at + SILENCE)
    markets.expire(market)
    with boa.reverts("lmsr: already proposed"):
        markets.expire(market)


def test_reverts_in_an_unknown_market(club, markets, market):
    at(club.due_at + SILENCE)
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.expire(market_id)


def test_a_market_closed_again_expires_a_week_after_its_new_result_time(club, markets, market, yes_bettor):
    club.complain(club.propose(market, INVALID, club.due_at - 1))
    markets.vote(market, YES, sender=yes_bettor)
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
