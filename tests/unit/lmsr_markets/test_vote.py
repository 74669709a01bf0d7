"""vote(market_id, outcome). How votes are counted is in test_finalize.py."""

import boa
import pytest

from tests.club import DAY, INVALID, NO, NOT_ONE_OUTCOME, VOTING, YES, Status, at, now
from tests.logs import event, events


@pytest.mark.parametrize(("outcome", "votes"), [(YES, [1, 0, 0]), (NO, [0, 1, 0]), (INVALID, [0, 0, 1])])
def test_counts_a_bettors_vote(markets, disputed, yes_bettor, outcome, votes):
    before = markets.market(disputed)
    markets.vote(disputed, outcome, sender=yes_bettor)
    assert events(markets) == [
        event(markets, "VoteCast", market_id=disputed, account=yes_bettor, outcome=outcome, timestamp=now())
    ]
    assert markets.market(disputed) == before._replace(votes=votes)


def test_each_bettor_has_one_vote_whatever_was_bet(club, markets, market, yes_bettor, no_bettor, third_bettor):
    club.bet(market, yes_bettor, NO)
    club.bet(market, yes_bettor, YES)
    club.complain(club.propose(market, YES))
    for account, outcome in ((yes_bettor, NO), (no_bettor, YES), (third_bettor, NO)):
        markets.vote(market, outcome, sender=account)
    assert markets.market(market).votes == [1, 2, 0]


def test_reverts_the_second_time(markets, disputed, yes_bettor):
    markets.vote(disputed, YES, sender=yes_bettor)
    for outcome in (YES, NO, INVALID):
        with boa.reverts("lmsr: already voted"):
            markets.vote(disputed, outcome, sender=yes_bettor)
    assert markets.market(disputed).votes == [1, 0, 0]


def test_is_possible_for_a_day_from_the_complaint(club, markets, disputed, yes_bettor):
    at(club.due_at + VOTING)  # the complaint came at once
    with boa.reverts("lmsr: voting is over"):
        markets.vote(disputed, YES, sender=yes_bettor)
    at(club.due_at + VOTING - 1)
    markets.vote(disputed, YES, sender=yes_bettor)
    assert markets.market(disputed).votes == [1, 0, 0]


def test_a_complaint_in_the_last_second_leaves_a_whole_day_to_vote(club, markets, pending, yes_bettor):
    complained_at = club.due_at + club.window - 1
    at(complained_at)
    club.complain(pending)
    at(complained_at + VOTING - 1)
    markets.vote(pending, NO, sender=yes_bettor)
    assert markets.market(pending).votes == [0, 1, 0]


def test_reverts_for_who_has_not_bet_in_this_market(club, markets, disputed, creator, outsider, stranger):
    club.bet(club.create(closes_at=0, expected_result_at=now() + 1), outsider, YES)
    for account in (creator, outsider, stranger):
        with boa.reverts("lmsr: not a bettor"):
            markets.vote(disputed, YES, sender=account)


def test_reverts_where_a_referee_decides(markets, ruled, yes_bettor, referee):
    for account in (yes_bettor, referee):
        with boa.reverts("lmsr: the referee decides"):
            markets.vote(ruled, YES, sender=account)


@pytest.mark.parametrize("outcome", NOT_ONE_OUTCOME)
def test_reverts_on_an_outcome_of_none_or_several_flags(markets, disputed, yes_bettor, outcome):
    with boa.reverts("lmsr: not one outcome"):
        markets.vote(disputed, outcome, sender=yes_bettor)
    markets.vote(disputed, YES, sender=yes_bettor)  # the vote was not used up


@pytest.mark.parametrize("state", ["market", "pending", "resolved", "void"], indirect=True)
def test_reverts_where_nothing_is_disputed(markets, state, yes_bettor):
    with boa.reverts("lmsr: not disputed"):
        markets.vote(state, YES, sender=yes_bettor)


def test_reverts_in_an_unknown_market(markets, disputed, yes_bettor):
    for market_id in (0, disputed + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.vote(market_id, YES, sender=yes_bettor)


def test_a_second_dispute_counts_anew_and_everybody_may_vote_again(
    club, markets, early_invalid, yes_bettor, no_bettor, third_bettor
):
    bettors = yes_bettor, no_bettor, third_bettor
    for account in bettors:
        markets.vote(early_invalid, YES, sender=account)
    at(now() + VOTING)
    markets.finalize(early_invalid)
    assert markets.market(early_invalid).votes == [0, 0, 0]

    club.complain(club.propose(early_invalid, INVALID, now() + 1))
    assert markets.market(early_invalid).votes == [0, 0, 0]
    markets.vote(early_invalid, NO, sender=no_bettor)
    with boa.reverts("lmsr: already voted"):
        markets.vote(early_invalid, NO, sender=no_bettor)
    for account in (yes_bettor, third_bettor):
        markets.vote(early_invalid, INVALID, sender=account)
    assert markets.market(early_invalid).votes == [0, 1, 2]
    at(now() + VOTING)
    markets.finalize(early_invalid)
    assert club.status(early_invalid) == Status.INVALID


def test_a_vote_in_one_market_is_no_vote_in_another(club, markets, yes_bettor, no_bettor):
    one, two = (club.three_bets(club.create()) for _ in range(2))
    for market_id in (one, two):
        club.complain(club.propose(market_id, YES))  # both at the same second
    markets.vote(one, NO, sender=yes_bettor)
    markets.vote(two, YES, sender=yes_bettor)
    assert (markets.market(one).votes, markets.market(two).votes) == ([0, 1, 0], [1, 0, 0])
    at(club.due_at + DAY - 1)
    markets.vote(one, NO, sender=no_bettor)
    assert (markets.market(one).votes, markets.market(two).votes) == ([0, 2, 0], [1, 0, 0])
