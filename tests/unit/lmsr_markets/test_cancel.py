"""cancel(market_id)"""

import boa
import pytest

from tests.club import INVALID, SEED, Status, at, now
from tests.custody import EUR, Kind
from tests.logs import event, events


def test_gives_the_creator_the_seed_back(club, markets, awaiting, creator):
    markets.cancel(awaiting, sender=creator)
    assert events(markets) == [
        event(markets, "MarketFinalized", market_id=awaiting, outcome=INVALID, creator_amount=SEED, timestamp=now()),
        club.entry(awaiting, creator, Kind.REFUND, SEED, 50 * EUR),
    ]
    assert (club.status(awaiting), club.pot(awaiting)) == (Status.INVALID, 0)


def test_is_possible_at_any_time_before_the_referee_accepts(club, markets, awaiting, creator):
    for time in (club.closes_at - 1, club.closes_at, club.due_at + 400 * 86_400):
        at(time)
        with boa.env.anchor():
            markets.cancel(awaiting, sender=creator)
            assert club.status(awaiting) == Status.INVALID


def test_reverts_for_anybody_but_the_creator(markets, awaiting, referee, yes_bettor, stranger):
    for account in (referee, yes_bettor, stranger):
        with boa.reverts("lmsr: not the creator"):
            markets.cancel(awaiting, sender=account)


@pytest.mark.parametrize("state", ["market", "refereed", "pending", "ruled", "resolved", "void"], indirect=True)
def test_reverts_once_bets_are_taken(markets, state, creator):
    with boa.reverts("lmsr: too late to cancel"):
        markets.cancel(state, sender=creator)


def test_reverts_the_second_time(markets, awaiting, creator):
    markets.cancel(awaiting, sender=creator)
    with boa.reverts("lmsr: too late to cancel"):
        markets.cancel(awaiting, sender=creator)


def test_a_cancelled_market_cannot_be_accepted(markets, awaiting, creator, referee):
    markets.cancel(awaiting, sender=creator)
    with boa.reverts("lmsr: nothing to accept"):
        markets.accept_referee(awaiting, sender=referee)


def test_reverts_in_an_unknown_market(markets, awaiting, creator):
    for market_id in (0, awaiting + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.cancel(market_id, sender=creator)
