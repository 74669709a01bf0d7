"""complain(market_id, outcome, reason)"""

import boa
import pytest

from tests.club import (
    ANSWER,
    DAY,
    INVALID,
    LONGEST_VOTING,
    NO,
    NOT_ONE_OUTCOME,
    RULING,
    VOTING,
    YES,
    Status,
    at,
    now,
)
from tests.custody import EUR
from tests.logs import event, events


@pytest.mark.parametrize("outcome", [NO, INVALID])
def test_a_bettor_disputes_the_creators_proposal_and_so_votes(club, markets, pending, no_bettor, outcome):
    at(club.due_at + 60)
    before = markets.market(pending)
    markets.complain(pending, outcome, "It was a draw", sender=no_bettor)
    assert events(markets) == [
        event(
            markets,
            "OutcomeDisputed",
            market_id=pending,
            account=no_bettor,
            outcome=outcome,
            reason="It was a draw",
            timestamp=now(),
        ),
        event(
            markets,
            "VoteCast",
            market_id=pending,
            account=no_bettor,
            outcome=outcome,
            stake=EUR,
            conclusion=INVALID,
            ends_at=now() + VOTING,
            timestamp=now(),
        ),
    ]
    assert markets.market(pending) == before._replace(status=Status.DISPUTED, disputed_at=now())
    assert markets.vote_of(pending, no_bettor) == outcome


def test_where_a_referee_decides_it_is_no_vote(club, markets, refereed, no_bettor):
    club.propose(refereed, YES)
    markets.complain(refereed, NO, "It was a draw", sender=no_bettor)
    assert [name for _, name, _ in events(markets)] == ["OutcomeDisputed"]
    tally = markets.tally(refereed)
    assert (tally.heads, tally.stakes) == ([0, 0, 0], [0, 0, 0])
    assert (tally.conclusion, tally.ends_at) == (INVALID, now() + RULING)
    assert markets.vote_of(refereed, no_bettor) == 0


def test_the_creator_disputes_a_bettors_proposal_with_a_vote_without_stake(club, markets, market, creator, no_bettor):
    club.propose(market, YES, club.due_at + DAY, sender=no_bettor)
    markets.complain(market, NO, "Look again", sender=creator)
    tally = markets.tally(market)
    # The bettor, who bet on NO, stands for YES with the own stake.
    assert (tally.heads, tally.stakes) == ([1, 1, 0], [EUR, 0, 0])


def test_reverts_for_the_proposer(club, markets, market, pending, creator, no_bettor):
    with boa.reverts("lmsr: your own proposal"):
        markets.complain(pending, NO, "I was wrong", sender=creator)
    other = club.three_bets(club.create(closes_at=0, expected_result_at=now() + 60))
    at(now() + 60 + DAY)
    markets.propose(other, YES, sender=no_bettor)
    with boa.reverts("lmsr: your own proposal"):
        markets.complain(other, NO, "I was wrong", sender=no_bettor)


@pytest.mark.parametrize("proposed", [YES, NO, INVALID])
def test_reverts_where_it_says_what_is_proposed(club, markets, market, no_bettor, third_bettor, proposed):
    club.propose(market, proposed)
    with boa.reverts("lmsr: that is proposed already"):
        markets.complain(market, proposed, "x", sender=no_bettor)
    club.complain(market, INVALID if proposed == YES else YES)
    with boa.reverts("lmsr: that is proposed already"):
        markets.complain(market, proposed, "x", sender=third_bettor)


@pytest.mark.parametrize("outcome", NOT_ONE_OUTCOME)
def test_reverts_on_an_outcome_of_none_or_several_flags(markets, pending, no_bettor, outcome):
    with boa.reverts("lmsr: not one outcome"):
        markets.complain(pending, outcome, "x", sender=no_bettor)


@pytest.mark.parametrize("window", [3600, 12 * 3600, DAY])
def test_is_possible_until_a_second_before_the_window_ends(club, markets, no_bettor, window):
    market_id = club.three_bets(club.create(dispute_window=window))
    proposed_at = club.due_at + 777
    club.propose(market_id, YES, proposed_at)
    at(proposed_at + window)
    with boa.reverts("lmsr: dispute window is over"):
        markets.complain(market_id, NO, "x", sender=no_bettor)
    at(proposed_at + window - 1)
    markets.complain(market_id, NO, "x", sender=no_bettor)
    assert club.status(market_id) == Status.DISPUTED
    assert markets.tally(market_id).ends_at == now() + VOTING  # a whole day to vote


def test_reverts_for_who_has_not_bet_in_this_market(club, markets, refereed, outsider, referee, stranger):
    club.bet(club.create(), outsider, YES)
    club.propose(refereed, YES)
    for account in (outsider, referee, stranger):
        with boa.reverts("lmsr: not a bettor"):
            markets.complain(refereed, NO, "x", sender=account)


def test_reverts_when_the_reason_is_empty(markets, pending, no_bettor):
    with boa.reverts("lmsr: empty reason"):
        markets.complain(pending, NO, "", sender=no_bettor)


def test_a_reason_may_have_256_bytes(club, markets, pending, no_bettor):
    markets.complain(pending, NO, "ß" * 128, sender=no_bettor)
    assert events(markets)[0][2]["reason"] == "ß" * 128


def test_reverts_where_nothing_is_proposed(club, markets, market, no_bettor, creator):
    for time in (now(), club.closes_at, club.due_at + 8 * DAY):
        at(time)
        for account in (no_bettor, creator):
            with boa.reverts("lmsr: nothing to dispute"):
                markets.complain(market, NO, "x", sender=account)


@pytest.mark.parametrize("state", ["resolved", "void", "refused"], indirect=True)
def test_reverts_once_it_is_settled_or_refused(markets, state, no_bettor, third_bettor):
    for account in (no_bettor, third_bettor):
        with boa.reverts("lmsr: nothing to dispute"):
            markets.complain(state, NO, "x", sender=account)


def test_reverts_in_an_unknown_market(markets, pending, no_bettor):
    for market_id in (0, pending + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.complain(market_id, NO, "x", sender=no_bettor)


# Later complaints


def test_a_later_complaint_adds_a_reason_and_a_vote(club, markets, disputed, third_bettor):
    at(club.due_at + club.window)  # the window is over, voting is not
    before = markets.market(disputed)
    markets.complain(disputed, NO, "I was there", sender=third_bettor)
    assert [name for _, name, _ in events(markets)] == ["OutcomeDisputed", "VoteCast"]
    assert markets.market(disputed) == before  # not disputed anew
    assert markets.tally(disputed).heads == [1, 2, 0]


def test_a_later_complaint_of_the_same_person_changes_the_vote(markets, disputed, no_bettor):
    for outcome, heads in ((INVALID, [1, 0, 1]), (INVALID, [1, 0, 1]), (NO, [1, 1, 0])):
        markets.complain(disputed, outcome, "And another thing", sender=no_bettor)
        assert markets.tally(disputed).heads == heads


@pytest.mark.parametrize(("state", "duration"), [("disputed", VOTING), ("ruled", RULING)], indirect=["state"])
def test_later_complaints_are_possible_until_a_second_before_the_dispute_is_over(
    club, markets, state, no_bettor, duration
):
    at(club.due_at + duration)
    with boa.reverts("lmsr: dispute is over"):
        markets.complain(state, INVALID, "x", sender=no_bettor)
    at(club.due_at + duration - 1)
    markets.complain(state, INVALID, "x", sender=no_bettor)
    assert events(markets)[0][2]["reason"] == "x"


def test_a_later_complaint_reverts_for_the_proposer(markets, disputed, creator):
    with boa.reverts("lmsr: your own proposal"):
        markets.complain(disputed, NO, "x", sender=creator)


def test_a_later_complaint_extends_voting_like_a_vote(club, markets, disputed, yes_bettor, third_bettor):
    markets.vote(disputed, YES, sender=yes_bettor)  # stands: 2 of 3
    at(club.due_at + VOTING - 1)
    markets.complain(disputed, NO, "x", sender=third_bettor)  # doubt: 2 of 4
    tally = markets.tally(disputed)
    assert (tally.conclusion, tally.ends_at) == (INVALID, now() + ANSWER)
    assert tally.ends_at < club.due_at + LONGEST_VOTING
