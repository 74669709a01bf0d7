"""close(market_id)"""

import boa

from tests.club import SEED, YES, Status, at, now
from tests.custody import EUR
from tests.logs import event, events


def test_ends_betting_before_its_time(club, markets, market, creator):
    markets.close(market, sender=creator)
    assert events(markets) == [event(markets, "MarketClosed", market_id=market, timestamp=now())]
    assert club.status(market) == Status.CLOSED
    assert club.pot(market) == SEED + 3 * EUR


def test_changes_nothing_but_the_status(markets, market, creator):
    before = markets.market(market)
    markets.close(market, sender=creator)
    assert markets.market(market) == before._replace(status=Status.CLOSED)


def test_is_possible_until_a_second_before_the_closing_time(club, markets, market, creator):
    at(club.closes_at)
    with boa.reverts("lmsr: market not open"):
        markets.close(market, sender=creator)
    at(club.closes_at - 1)
    markets.close(market, sender=creator)
    assert club.status(market) == Status.CLOSED


def test_reverts_for_anybody_but_the_creator(markets, refereed, yes_bettor, referee, outsider, stranger):
    for account in (yes_bettor, referee, outsider, stranger):
        with boa.reverts("lmsr: not the creator"):
            markets.close(refereed, sender=account)


def test_reverts_in_an_unknown_market(markets, market, creator):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.close(market_id, sender=creator)


def test_reverts_the_second_time(markets, market, creator):
    markets.close(market, sender=creator)
    with boa.reverts("lmsr: market not open"):
        markets.close(market, sender=creator)


def test_reverts_while_the_referee_has_not_accepted(markets, awaiting, creator):
    with boa.reverts("lmsr: market not open"):
        markets.close(awaiting, sender=creator)


def test_reverts_after_a_proposal(markets, past_proposal, creator):
    with boa.reverts("lmsr: market not open"):
        markets.close(past_proposal, sender=creator)


def test_a_closed_market_is_proposed_on_at_the_same_times_as_an_open_one(club, markets, market, creator):
    markets.close(market, sender=creator)
    at(club.due_at - 1)
    markets.propose(market, YES, sender=creator)
    assert club.status(market) == Status.PENDING
    assert markets.tally(market).early
