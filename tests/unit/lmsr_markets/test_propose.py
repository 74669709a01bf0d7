"""propose(market_id, outcome): who, when, until when it can be disputed, and replacing it"""

import boa
import pytest

from tessera.model.resolution import window_end
from tests.club import DAY, HOUR, INVALID, NO, NOT_ONE_OUTCOME, SILENCE, VOTING, YES, Status, at, now
from tests.logs import event, events


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_the_creator_proposes_at_the_expected_result_time(club, markets, market, creator, outcome):
    at(club.due_at)
    before = markets.market(market)
    markets.propose(market, outcome, sender=creator)
    ends_at = club.due_at + club.window
    assert events(markets) == [
        event(
            markets,
            "OutcomeProposed",
            market_id=market,
            proposer=creator,
            outcome=outcome,
            ends_at=ends_at,
            timestamp=now(),
        )
    ]
    assert markets.market(market) == before._replace(
        status=Status.PENDING,
        outcome=outcome,
        proposer=creator,
        proposed_at=club.due_at,
        window_ends_at=ends_at,
    )


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_the_creator_proposes_at_any_time_and_so_ends_betting(club, markets, market, creator, yes_bettor, outcome):
    assert club.status(market) == Status.OPEN
    markets.propose(market, outcome, sender=creator)
    assert club.status(market) == Status.PENDING
    at(now() + 5)
    with boa.reverts("lmsr: market not open"):
        markets.bet(market, YES, 1, sender=yes_bettor)


# Seconds before the expected result time, and how long the proposal can be disputed. The market's window is 12 h.
EARLY = {
    1: DAY,
    12 * HOUR: DAY,
    12 * HOUR + 1: DAY + 1,
    DAY: DAY + 12 * HOUR,
    6 * DAY + 12 * HOUR: 7 * DAY,
    6 * DAY + 12 * HOUR + 1: 7 * DAY,
    10 * DAY: 7 * DAY,
}


@pytest.mark.parametrize(("before", "window"), EARLY.items())
def test_an_early_proposal_can_be_disputed_for_longer(club, markets, market, before, window):
    club.propose(market, YES, club.due_at - before)
    assert markets.market(market).window_ends_at == now() + window
    assert now() + window == window_end(now(), club.due_at, club.window, by_creator=True)


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_bettors_propose_a_day_after_the_result_was_due(club, markets, market, no_bettor, outcome):
    for time in (now(), club.due_at, club.due_at + DAY - 1):
        at(time)
        with boa.reverts("lmsr: creator's day to propose"):
            markets.propose(market, outcome, sender=no_bettor)
    at(club.due_at + DAY)
    markets.propose(market, outcome, sender=no_bettor)
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (Status.PENDING, outcome)
    assert (stored.proposer, stored.proposed_at) == (no_bettor, club.due_at + DAY)
    assert stored.window_ends_at == now() + DAY  # not the market's 12 h


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


def test_reverts_after_a_proposal_of_somebody_else(markets, past_proposal, yes_bettor):
    with boa.reverts("lmsr: already proposed"):
        markets.propose(past_proposal, INVALID, sender=yes_bettor)


@pytest.mark.parametrize("state", ["disputed", "ruled", "resolved", "void"], indirect=True)
def test_reverts_for_the_proposer_once_it_is_disputed_or_settled(markets, state, creator):
    with boa.reverts("lmsr: already proposed"):
        markets.propose(state, NO, sender=creator)


def test_the_creator_cannot_put_a_proposal_in_place_of_a_bettors(club, markets, market, creator, no_bettor):
    club.propose(market, NO, club.due_at + DAY, sender=no_bettor)
    with boa.reverts("lmsr: already proposed"):
        markets.propose(market, YES, sender=creator)


# Replacing one's own proposal


@pytest.mark.parametrize("outcome", [NO, INVALID])
def test_the_creator_replaces_a_proposal_once(club, markets, pending, creator, outcome):
    at(club.due_at + club.window - 1)
    before = markets.market(pending)
    markets.propose(pending, outcome, sender=creator)
    assert [entry[2]["outcome"] for entry in events(markets)] == [outcome]
    assert markets.market(pending) == before._replace(
        outcome=outcome, proposed_at=now(), window_ends_at=now() + DAY, replaced=True
    )
    for again in (YES, outcome):
        with boa.reverts("lmsr: replaced already"):
            markets.propose(pending, again, sender=creator)


def test_a_bettor_replaces_a_proposal_of_the_own_even_after_seven_days(club, markets, market, no_bettor):
    club.propose(market, YES, club.due_at + SILENCE - 1, sender=no_bettor)
    at(now() + DAY - 1)
    markets.propose(market, NO, sender=no_bettor)
    stored = markets.market(market)
    assert (stored.outcome, stored.window_ends_at, stored.replaced) == (NO, now() + DAY, True)


def test_nobody_replaces_a_proposal_whose_window_is_over(club, markets, pending, creator):
    at(club.due_at + club.window)
    with boa.reverts("lmsr: dispute window is over"):
        markets.propose(pending, NO, sender=creator)


def test_nobody_replaces_a_proposal_by_the_same(club, markets, pending, creator):
    at(club.due_at + 1)
    with boa.reverts("lmsr: that is proposed already"):
        markets.propose(pending, YES, sender=creator)
    markets.propose(pending, NO, sender=creator)  # the right to replace it was not used up
    assert markets.market(pending).replaced


@pytest.mark.parametrize("replaced_after", [1, 2 * DAY, 7 * DAY - 1])
def test_an_early_proposal_that_is_replaced_early_gets_an_early_window_anew(club, markets, market, replaced_after):
    at(now() + 60)
    club.propose(market, YES, now())
    club.propose(market, NO, now() + replaced_after)
    expected = window_end(now(), club.due_at, club.window, by_creator=True, replaces=True)
    assert markets.market(market).window_ends_at == expected == min(now() + 7 * DAY, club.due_at + club.window)
    assert markets.tally(market).early


def test_an_early_proposal_that_is_replaced_when_the_result_is_due_is_early_no_more(club, markets, market):
    club.propose(market, YES, club.due_at - 1)
    assert markets.tally(market).early
    club.propose(market, NO, club.due_at)
    assert not markets.tally(market).early
    assert markets.market(market).window_ends_at == club.due_at + DAY


def test_a_replaced_proposal_can_be_disputed_for_a_day(club, markets, pending, no_bettor):
    club.propose(pending, NO, club.due_at + club.window - 1)
    at(now() + DAY)
    with boa.reverts("lmsr: dispute window is over"):
        markets.complain(pending, YES, "x", sender=no_bettor)
    at(now() - 1)
    markets.complain(pending, YES, "x", sender=no_bettor)
    assert club.status(pending) == Status.DISPUTED


# After an early proposal was refused


def test_the_creator_proposes_early_only_once(club, markets, refused, creator):
    assert markets.market(refused).early_refused
    for time in (now(), club.due_at - 1):
        at(time)
        for outcome in (YES, NO, INVALID):
            with boa.reverts("lmsr: result not due yet"):
                markets.propose(refused, outcome, sender=creator)
    at(club.due_at)
    markets.propose(refused, YES, sender=creator)
    assert not markets.tally(refused).early
    assert markets.market(refused).window_ends_at == now() + club.window


def test_after_a_refusal_a_proposal_can_be_replaced_as_if_there_had_been_none(club, markets, market, creator):
    club.propose(market, NO, now() + 60)
    club.propose(market, YES, now() + 60)
    club.complain(market, NO)
    at(now() + VOTING)
    markets.finalize(market)
    club.propose(market, YES)
    assert not markets.market(market).replaced
    markets.propose(market, NO, sender=creator)
    assert markets.market(market).replaced
