"""propose(market_id, outcome)"""

import boa
import pytest

from tests.club import DAY, INVALID, NO, NOT_ONE_OUTCOME, SILENCE, YES, Status, at, now
from tests.logs import event, events


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_the_creator_proposes_from_the_expected_result_time_on(club, markets, market, creator, outcome):
    at(club.due_at)
    markets.propose(market, outcome, sender=creator)
    assert events(markets) == [
        event(markets, "OutcomeProposed", market_id=market, proposer=creator, outcome=outcome, timestamp=now())
    ]
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (Status.PENDING, outcome)
    assert (stored.proposer, stored.proposed_at) == (creator, club.due_at)
    assert (stored.disputed_at, stored.votes) == (0, [0, 0, 0])


def test_changes_nothing_but_the_proposal(club, markets, market, creator):
    at(club.due_at)
    before = markets.market(market)
    markets.propose(market, NO, sender=creator)
    assert markets.market(market) == before._replace(
        status=Status.PENDING, outcome=NO, proposer=creator, proposed_at=now()
    )


@pytest.mark.parametrize("outcome", [YES, NO])
def test_reverts_when_the_creator_cannot_know_the_result_yet(club, markets, market, creator, outcome):
    for time in (now(), club.closes_at, club.due_at - 1):
        at(time)
        with boa.reverts("lmsr: result not due yet"):
            markets.propose(market, outcome, sender=creator)


def test_the_creator_proposes_invalid_at_any_time_and_so_ends_betting(club, markets, market, creator, yes_bettor):
    assert club.status(market) == Status.OPEN
    markets.propose(market, INVALID, sender=creator)
    assert club.status(market) == Status.PENDING
    at(now() + 5)
    with boa.reverts("lmsr: market not open"):
        markets.bet(market, YES, 1, sender=yes_bettor)


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_bettors_propose_a_day_after_the_result_was_due(club, markets, market, no_bettor, outcome):
    for time in (now(), club.due_at, club.due_at + DAY - 1):
        at(time)
        with boa.reverts("lmsr: creator's day to propose"):
            markets.propose(market, outcome, sender=no_bettor)
    at(club.due_at + DAY)
    markets.propose(market, outcome, sender=no_bettor)
    assert events(markets) == [
        event(markets, "OutcomeProposed", market_id=market, proposer=no_bettor, outcome=outcome, timestamp=now())
    ]
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (Status.PENDING, outcome)
    assert (stored.proposer, stored.proposed_at) == (no_bettor, club.due_at + DAY)


def test_bettors_of_either_side_are_bettors(club, markets, market, yes_bettor, no_bettor, third_bettor):
    at(club.due_at + DAY)
    for account in (yes_bettor, no_bettor, third_bettor):
        with boa.env.anchor():
            markets.propose(market, YES, sender=account)
            assert markets.market(market).proposer == account


@pytest.mark.parametrize("outcome", [YES, INVALID])
def test_reverts_for_who_has_not_bet_in_this_market(club, markets, refereed, outsider, referee, stranger, outcome):
    club.bet(club.create(), outsider, YES)  # a bettor, but in another market
    for time in (now(), club.due_at, club.due_at + DAY):
        at(time)
        for account in (outsider, referee, stranger):
            with boa.reverts("lmsr: not a bettor"):
                markets.propose(refereed, outcome, sender=account)


def test_nobody_proposes_seven_days_after_the_result_was_due(club, markets, market, creator, yes_bettor):
    at(club.due_at + SILENCE)
    for account in (creator, yes_bettor):
        for outcome in (YES, INVALID):
            with boa.reverts("lmsr: too late to propose"):
                markets.propose(market, outcome, sender=account)
    at(club.due_at + SILENCE - 1)
    for account in (creator, yes_bettor):
        with boa.env.anchor():
            markets.propose(market, YES, sender=account)
            assert club.status(market) == Status.PENDING


@pytest.mark.parametrize("outcome", NOT_ONE_OUTCOME)
def test_reverts_on_an_outcome_of_none_or_several_flags(club, markets, market, creator, outcome):
    at(club.due_at)
    with boa.reverts("lmsr: not one outcome"):
        markets.propose(market, outcome, sender=creator)


def test_reverts_in_an_unknown_market(club, markets, market, creator):
    at(club.due_at)
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.propose(market_id, YES, sender=creator)


def test_reverts_after_a_proposal(markets, past_proposal, creator, yes_bettor):
    for account in (creator, yes_bettor):
        with boa.reverts("lmsr: already proposed"):
            markets.propose(past_proposal, INVALID, sender=account)
