"""tally(market_id): votes so far, and what would be settled if nothing else happened"""

import boa
import pytest

from tests.club import ANSWER, DAY, INVALID, LONGEST_VOTING, RULING, VOTING, YES, at, now
from tests.custody import EUR

NOTHING = [0, 0, 0]


@pytest.mark.parametrize("state", ["market", "awaiting", "refused"], indirect=True)
def test_shows_nothing_where_nothing_is_proposed(markets, state):
    tally = markets.tally(state)
    assert (tally.heads, tally.stakes) == (NOTHING, NOTHING)
    assert (tally.early, tally.conclusion, tally.ends_at, tally.doubt_only_from) == (False, 0, 0, 0)


def test_shows_that_a_proposal_will_stand_and_when(club, markets, pending):
    tally = markets.tally(pending)
    assert (tally.heads, tally.stakes, tally.staked) == (NOTHING, NOTHING, 3 * EUR)
    assert (tally.early, tally.conclusion) == (False, YES)
    assert (tally.ends_at, tally.doubt_only_from) == (club.due_at + club.window, 0)


def test_shows_a_dispute(club, markets, disputed):
    tally = markets.tally(disputed)
    assert (tally.heads, tally.stakes, tally.staked) == ([1, 1, 0], [0, EUR, 0], 3 * EUR)
    assert (tally.early, tally.conclusion, tally.ends_at) == (False, INVALID, now() + VOTING)
    assert tally.doubt_only_from == now() + LONGEST_VOTING - ANSWER


def test_shows_that_a_silent_referee_means_doubt(club, markets, ruled, refereed):
    tally = markets.tally(ruled)
    assert (tally.heads, tally.conclusion, tally.ends_at) == (NOTHING, INVALID, now() + RULING)


def test_shows_that_an_early_proposal_would_be_refused(club, markets, market, yes_bettor):
    club.propose(market, YES, club.due_at - 1)
    tally = markets.tally(market)
    assert (tally.early, tally.conclusion, tally.ends_at) == (True, YES, now() + DAY)
    club.complain(market)
    tally = markets.tally(market)
    assert (tally.early, tally.conclusion, tally.ends_at) == (True, 0, now() + VOTING)
    markets.vote(market, YES, sender=yes_bettor)
    assert markets.tally(market).conclusion == YES


@pytest.mark.parametrize(("state", "outcome"), [("resolved", YES), ("void", INVALID)], indirect=["state"])
def test_shows_what_was_settled(markets, state, outcome):
    tally = markets.tally(state)
    assert (tally.conclusion, tally.ends_at) == (outcome, 0)


def test_keeps_the_votes_of_a_settled_dispute(club, markets, disputed, yes_bettor):
    markets.vote(disputed, YES, sender=yes_bettor)
    before = markets.tally(disputed)
    at(before.ends_at)
    markets.finalize(disputed)
    assert markets.tally(disputed) == before._replace(ends_at=0)
    assert markets.vote_of(disputed, yes_bettor) == YES


@pytest.mark.parametrize("who", ["creator", "stranger"])
def test_there_is_no_vote_of_who_did_not_vote(request, markets, disputed, who):
    assert markets.vote_of(disputed, request.getfixturevalue(who)) == 0


def test_reverts_in_an_unknown_market(markets, disputed):
    for market_id in (0, disputed + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.tally(market_id)
