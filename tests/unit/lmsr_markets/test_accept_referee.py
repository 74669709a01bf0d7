"""accept_referee(market_id), and what a market cannot do before"""

import boa
import pytest

from tests.club import DAY, INVALID, NO, SEED, YES, Status, at, now
from tests.custody import EUR
from tests.logs import event, events


def test_opens_the_market(club, markets, awaiting, referee, yes_bettor):
    before = markets.market(awaiting)
    assert before.status == Status.AWAITING
    markets.accept_referee(awaiting, sender=referee)
    assert events(markets) == [event(markets, "RefereeAccepted", market_id=awaiting, referee=referee, timestamp=now())]
    assert markets.market(awaiting) == before._replace(status=Status.OPEN)
    club.bet(awaiting, yes_bettor, YES)
    assert club.pot(awaiting) == SEED + EUR


def test_is_possible_until_a_second_before_the_closing_time(club, markets, awaiting, referee):
    at(club.closes_at)
    with boa.reverts("lmsr: too late to accept"):
        markets.accept_referee(awaiting, sender=referee)
    at(club.closes_at - 1)
    markets.accept_referee(awaiting, sender=referee)
    assert club.status(awaiting) == Status.OPEN


def test_reverts_for_anybody_but_the_referee(markets, awaiting, creator, yes_bettor, stranger):
    for account in (creator, yes_bettor, stranger):
        with boa.reverts("lmsr: not the referee"):
            markets.accept_referee(awaiting, sender=account)


def test_reverts_the_second_time_and_in_every_later_state(markets, refereed, referee):
    with boa.reverts("lmsr: nothing to accept"):
        markets.accept_referee(refereed, sender=referee)


@pytest.mark.parametrize("state", ["market", "pending", "ruled", "resolved", "void"], indirect=True)
def test_reverts_where_nothing_waits_for_a_referee(markets, state, referee, creator):
    for account in (referee, creator):
        with boa.reverts("lmsr: nothing to accept"):
            markets.accept_referee(state, sender=account)


def test_reverts_in_an_unknown_market(markets, awaiting, referee):
    for market_id in (0, awaiting + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.accept_referee(market_id, sender=referee)


def test_before_nobody_bets_closes_proposes_claims_or_finalizes(club, markets, awaiting, creator, yes_bettor, referee):
    for time in (now() + 60, club.closes_at, club.due_at, club.due_at + DAY, club.due_at + 8 * DAY):
        at(time)
        stored = markets.market(awaiting)
        for reason, call in {
            "lmsr: market not open": lambda: markets.bet(awaiting, YES, 1, sender=yes_bettor),
            "lmsr: referee has not accepted": lambda: markets.propose(awaiting, INVALID, sender=creator),
            "lmsr: nothing to dispute": lambda: markets.complain(awaiting, NO, "x", sender=creator),
            "lmsr: not disputed": lambda: markets.rule(awaiting, YES, sender=referee),
            "lmsr: nothing to finalize": lambda: markets.finalize(awaiting),
            "lmsr: not settled": lambda: markets.claim(awaiting, sender=yes_bettor),
        }.items():
            with boa.reverts(reason):
                call()
        with boa.reverts("lmsr: market not open"):
            markets.close(awaiting, sender=creator)
        with boa.reverts("lmsr: not disputed"):
            markets.vote(awaiting, YES, sender=yes_bettor)
        with boa.reverts("lmsr: not settled"):
            markets.claim_many(awaiting, [creator])
        with boa.reverts("lmsr: market not open"):
            markets.quote(awaiting, YES)
        assert markets.market(awaiting) == stored
    assert club.pot(awaiting) == SEED
