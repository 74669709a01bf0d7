"""rule(market_id, outcome)"""

import boa
import pytest

from tests.club import DAY, INVALID, NO, NOT_ONE_OUTCOME, RULING, SEED, WINS, YES, Status, at, now
from tests.custody import EUR, Kind
from tests.logs import event, events

POT = SEED + 3 * EUR
RESIDUES = {YES: POT - WINS[0] - WINS[2], NO: POT - WINS[1]}


@pytest.mark.parametrize("outcome", [YES, NO])
def test_settles_at_once_by_the_referees_word(club, markets, ruled, referee, creator, outcome):
    markets.rule(ruled, outcome, sender=referee)
    residue = RESIDUES[outcome]
    assert events(markets) == [
        event(markets, "OutcomeRuled", market_id=ruled, referee=referee, outcome=outcome, timestamp=now()),
        event(
            markets,
            "MarketFinalized",
            market_id=ruled,
            outcome=outcome,
            creator_amount=residue,
            timestamp=now(),
        ),
        club.entry(ruled, creator, Kind.RESIDUE, residue, 40 * EUR + residue),
    ]
    stored = markets.market(ruled)
    assert (stored.status, stored.outcome) == (Status.RESOLVED, outcome)
    assert club.pot(ruled) == POT - residue


def test_settles_as_invalid(club, markets, ruled, referee, creator):
    markets.rule(ruled, INVALID, sender=referee)
    assert events(markets) == [
        event(markets, "OutcomeRuled", market_id=ruled, referee=referee, outcome=INVALID, timestamp=now()),
        event(
            markets,
            "MarketFinalized",
            market_id=ruled,
            outcome=INVALID,
            creator_amount=SEED,
            timestamp=now(),
        ),
        club.entry(ruled, creator, Kind.REFUND, SEED, 50 * EUR),
    ]
    assert club.status(ruled) == Status.INVALID
    assert club.pot(ruled) == 3 * EUR


def test_is_possible_for_two_days_from_the_complaint(club, markets, ruled, referee):
    at(club.due_at + RULING)
    with boa.reverts("lmsr: dispute is over"):
        markets.rule(ruled, YES, sender=referee)
    at(club.due_at + RULING - 1)
    markets.rule(ruled, YES, sender=referee)
    assert club.status(ruled) == Status.RESOLVED


def test_reverts_for_anybody_but_the_referee(markets, ruled, creator, yes_bettor, outsider, stranger):
    for account in (creator, yes_bettor, outsider, stranger):
        with boa.reverts("lmsr: not the referee"):
            markets.rule(ruled, YES, sender=account)


def test_reverts_for_everybody_where_bettors_vote(markets, disputed, creator, yes_bettor, referee):
    for account in (creator, yes_bettor, referee):
        with boa.reverts("lmsr: not the referee"):
            markets.rule(disputed, YES, sender=account)


@pytest.mark.parametrize("outcome", NOT_ONE_OUTCOME)
def test_reverts_on_an_outcome_of_none_or_several_flags(markets, ruled, referee, outcome):
    with boa.reverts("lmsr: not one outcome"):
        markets.rule(ruled, outcome, sender=referee)


def test_reverts_before_a_dispute_and_after_the_ruling(club, markets, refereed, referee):
    for step in (lambda: None, lambda: club.propose(refereed, YES)):
        step()
        with boa.reverts("lmsr: not disputed"):
            markets.rule(refereed, NO, sender=referee)
    club.complain(refereed)
    markets.rule(refereed, NO, sender=referee)
    with boa.reverts("lmsr: not disputed"):
        markets.rule(refereed, YES, sender=referee)


def test_reverts_in_an_unknown_market(markets, ruled, referee):
    for market_id in (0, ruled + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.rule(market_id, YES, sender=referee)


@pytest.mark.parametrize("proposed", [YES, NO, INVALID])
@pytest.mark.parametrize("word", [YES, NO, INVALID])
def test_an_early_proposal_is_accepted_or_refused(club, markets, refereed, referee, proposed, word):
    club.complain(club.propose(refereed, proposed, club.due_at - 1), YES if proposed == NO else NO)
    markets.rule(refereed, word, sender=referee)
    ruled, then = events(markets)[:2]
    stored = markets.market(refereed)
    assert ruled == event(markets, "OutcomeRuled", market_id=refereed, referee=referee, outcome=word, timestamp=now())
    if word == proposed:
        assert stored.status == (Status.INVALID if word == INVALID else Status.RESOLVED)
        assert stored.outcome == word
        return
    assert then == event(
        markets,
        "MarketReopened",
        market_id=refereed,
        expected_result_at=club.due_at,  # not yet passed: unchanged
        timestamp=now(),
    )
    assert (stored.status, stored.outcome, stored.referee) == (Status.CLOSED, 0, referee)
    assert stored.early_refused
    assert club.pot(refereed) == POT


@pytest.mark.parametrize("word", [YES, NO])
def test_a_proposal_of_when_the_result_was_due_may_be_overruled(club, markets, refereed, referee, word):
    club.complain(club.propose(refereed, INVALID, club.due_at))
    markets.rule(refereed, word, sender=referee)
    stored = markets.market(refereed)
    assert (stored.status, stored.outcome) == (Status.RESOLVED, word)


@pytest.mark.parametrize("word", [YES, NO, INVALID])
def test_the_referee_rules_on_a_bettors_proposal_too(club, markets, refereed, creator, no_bettor, referee, word):
    club.propose(refereed, NO, club.due_at + DAY, sender=no_bettor)
    club.complain(refereed, YES, sender=creator)
    markets.rule(refereed, word, sender=referee)
    assert markets.market(refereed).outcome == word


def test_a_referee_who_did_not_accept_has_no_word(markets, awaiting, referee):
    with boa.reverts("lmsr: not disputed"):
        markets.rule(awaiting, YES, sender=referee)
