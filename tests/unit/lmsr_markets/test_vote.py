"""vote(market_id, outcome), vote_of(market_id, account) and how late votes extend voting"""

import boa
import pytest

from tests.club import (
    ANSWER,
    DAY,
    HOUR,
    INVALID,
    LONGEST_VOTING,
    NO,
    NOT_ONE_OUTCOME,
    VOTING,
    YES,
    at,
    now,
)
from tests.custody import EUR
from tests.logs import event, events


@pytest.mark.parametrize(
    ("outcome", "heads", "conclusion"), [(YES, [2, 1, 0], YES), (NO, [1, 2, 0], INVALID), (INVALID, [1, 1, 1], INVALID)]
)
def test_counts_a_bettors_vote(markets, disputed, yes_bettor, outcome, heads, conclusion):
    before = markets.market(disputed)
    markets.vote(disputed, outcome, sender=yes_bettor)
    assert events(markets) == [
        event(
            markets,
            "VoteCast",
            market_id=disputed,
            account=yes_bettor,
            outcome=outcome,
            stake=EUR,
            conclusion=conclusion,
            ends_at=now() + VOTING,
            timestamp=now(),
        )
    ]
    tally = markets.tally(disputed)
    assert (tally.heads, tally.conclusion) == (heads, conclusion)
    assert markets.market(disputed) == before
    assert markets.vote_of(disputed, yes_bettor) == outcome


def test_a_head_is_a_person_and_a_stake_what_is_staked_on_one_side_more_than_on_the_other(
    club, markets, market, yes_bettor, no_bettor, third_bettor, outsider
):
    for account, side in (
        (yes_bettor, YES),
        (yes_bettor, YES),
        (yes_bettor, NO),
        (third_bettor, NO),
        (outsider, NO),
        (outsider, NO),
    ):
        club.bet(market, account, side)
    club.propose(market, YES)
    club.complain(market, INVALID)
    # 3 YES 1 NO; 1 and 1; 2 NO; the complainer 1 NO; the creator nothing.
    club.vote(market, {yes_bettor: NO, third_bettor: NO, outsider: YES})
    tally = markets.tally(market)
    assert tally.heads == [2, 2, 1]
    assert tally.stakes == [2 * EUR, 2 * EUR, 1 * EUR]
    assert tally.staked == 9 * EUR


def test_can_be_changed(markets, disputed, yes_bettor):
    for outcome, heads in ((YES, [2, 1, 0]), (NO, [1, 2, 0]), (NO, [1, 2, 0]), (INVALID, [1, 1, 1]), (YES, [2, 1, 0])):
        markets.vote(disputed, outcome, sender=yes_bettor)
        tally = markets.tally(disputed)
        assert (tally.heads, tally.stakes) == (
            heads,
            [0 if n == 0 else EUR * (n - (i == 0)) for i, n in enumerate(heads)],
        )
        assert markets.vote_of(disputed, yes_bettor) == outcome


def test_who_complained_can_vote_for_what_was_proposed(club, markets, disputed, no_bettor):
    markets.vote(disputed, YES, sender=no_bettor)
    tally = markets.tally(disputed)
    assert (tally.heads, tally.conclusion) == ([2, 0, 0], YES)


def test_the_creator_votes_on_a_bettors_proposal_without_stake(club, markets, market, creator, yes_bettor, no_bettor):
    club.propose(market, NO, club.due_at + DAY, sender=no_bettor)
    club.complain(market, YES, sender=yes_bettor)
    markets.vote(market, YES, sender=creator)
    tally = markets.tally(market)
    assert (tally.heads, tally.stakes, tally.conclusion) == ([2, 1, 0], [EUR, EUR, 0], INVALID)


def test_reverts_for_the_proposer(club, markets, market, disputed, creator, no_bettor):
    with boa.reverts("lmsr: your own proposal"):
        markets.vote(disputed, YES, sender=creator)


def test_reverts_for_a_bettor_who_proposed(club, markets, market, creator, no_bettor):
    club.propose(market, NO, club.due_at + DAY, sender=no_bettor)
    club.complain(market, YES, sender=creator)
    with boa.reverts("lmsr: your own proposal"):
        markets.vote(market, NO, sender=no_bettor)


def test_is_possible_for_a_day_from_the_complaint(club, markets, disputed, yes_bettor):
    at(club.due_at + VOTING)  # the complaint came at once
    with boa.reverts("lmsr: dispute is over"):
        markets.vote(disputed, NO, sender=yes_bettor)
    at(club.due_at + VOTING - 1)
    markets.vote(disputed, NO, sender=yes_bettor)
    assert markets.tally(disputed).heads == [1, 2, 0]


def test_reverts_for_who_has_not_bet_in_this_market(club, markets, disputed, outsider, referee, stranger):
    club.bet(club.create(closes_at=0, expected_result_at=now() + 1), outsider, YES)
    for account in (outsider, referee, stranger):
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
    assert markets.vote_of(disputed, yes_bettor) == 0


@pytest.mark.parametrize("state", ["market", "awaiting", "pending", "refused", "resolved", "void"], indirect=True)
def test_reverts_where_nothing_is_disputed(markets, state, yes_bettor):
    with boa.reverts("lmsr: not disputed"):
        markets.vote(state, YES, sender=yes_bettor)


def test_reverts_in_an_unknown_market(markets, disputed, yes_bettor):
    for market_id in (0, disputed + 1, disputed + 2**95):
        with boa.reverts("lmsr: unknown market"):
            markets.vote(market_id, YES, sender=yes_bettor)
        with boa.reverts("lmsr: unknown market"):
            markets.vote_of(market_id, yes_bettor)


def test_a_second_dispute_counts_anew_and_everybody_may_vote_again(
    club, markets, market, yes_bettor, no_bettor, third_bettor
):
    club.complain(club.propose(market, YES, club.due_at - 1))
    club.vote(market, {yes_bettor: NO, third_bettor: YES})
    at(now() + VOTING)
    markets.finalize(market)
    assert markets.tally(market).heads == [0, 0, 0]

    club.propose(market, NO, now() + 1)
    club.complain(market, YES, sender=yes_bettor)
    assert markets.tally(market).heads == [1, 1, 0]
    assert [markets.vote_of(market, account) for account in (yes_bettor, no_bettor, third_bettor)] == [YES, 0, 0]
    markets.vote(market, INVALID, sender=third_bettor)
    assert markets.tally(market).heads == [1, 1, 1]


def test_a_vote_in_one_market_is_no_vote_in_another(club, markets, yes_bettor, no_bettor):
    first, second = (club.three_bets(club.create()) for _ in range(2))
    for market_id in (first, second):
        club.complain(club.propose(market_id, YES))  # both at the same second
    markets.vote(first, NO, sender=yes_bettor)
    markets.vote(second, YES, sender=yes_bettor)
    assert (markets.tally(first).heads, markets.tally(second).heads) == ([1, 2, 0], [2, 1, 0])


# Late votes


def test_a_vote_that_changes_the_conclusion_leaves_three_hours_to_answer(
    club, markets, disputed, yes_bettor, third_bettor
):
    at(club.due_at + VOTING - ANSWER)
    markets.vote(disputed, YES, sender=yes_bettor)  # stands, 2 of 3
    assert markets.tally(disputed).ends_at == club.due_at + VOTING  # there are three hours
    at(club.due_at + VOTING - 1)
    markets.vote(disputed, INVALID, sender=third_bettor)  # doubt, 2 of 4
    assert events(markets)[0][2]["ends_at"] == markets.tally(disputed).ends_at == now() + ANSWER


def test_a_vote_that_changes_nothing_leaves_voting_as_long_as_it_is(club, markets, disputed, yes_bettor):
    at(club.due_at + VOTING - 1)
    markets.vote(disputed, NO, sender=yes_bettor)  # doubt as before
    assert markets.tally(disputed).ends_at == club.due_at + VOTING


def go_on_until(club, markets, market_id, person, end):
    """Turns the conclusion back and forth as late as possible until voting lasts until `end`; YES stands then."""
    markets.vote(market_id, YES, sender=person)
    while (ends_at := markets.tally(market_id).ends_at) < end:
        at(min(ends_at - 1, end - ANSWER - 1))
        vote = NO if markets.vote_of(market_id, person) == YES else YES
        markets.vote(market_id, vote, sender=person)
        assert markets.tally(market_id).ends_at == min(now() + ANSWER, end)
        if ends_at == markets.tally(market_id).ends_at:
            break
    at(end - ANSWER - 1)
    markets.vote(market_id, YES, sender=person)
    at(end - ANSWER)


@pytest.fixture
def at_the_end(club, markets, disputed, yes_bettor):
    """A dispute that votes have extended to its last three hours. YES would stand: two of three heads."""
    go_on_until(club, markets, disputed, yes_bettor, club.due_at + LONGEST_VOTING)
    tally = markets.tally(disputed)
    assert (tally.heads, tally.conclusion) == ([2, 1, 0], YES)
    assert now() == tally.doubt_only_from == club.due_at + LONGEST_VOTING - ANSWER
    assert now() < tally.ends_at <= club.due_at + LONGEST_VOTING
    return disputed


def test_in_the_last_three_hours_a_vote_can_lead_to_doubt(club, markets, at_the_end, third_bettor):
    markets.vote(at_the_end, NO, sender=third_bettor)
    tally = markets.tally(at_the_end)
    assert (tally.heads, tally.conclusion) == ([2, 2, 0], INVALID)
    assert tally.ends_at == club.due_at + LONGEST_VOTING


def test_in_the_last_three_hours_no_vote_leads_away_from_doubt(club, markets, at_the_end, yes_bettor, third_bettor):
    markets.vote(at_the_end, INVALID, sender=yes_bettor)  # doubt
    before = markets.tally(at_the_end)
    for time in (now(), club.due_at + LONGEST_VOTING - 1):
        at(time)
        with boa.reverts("lmsr: too late to turn the vote"):
            markets.vote(at_the_end, YES, sender=yes_bettor)
        assert markets.tally(at_the_end) == before
        assert markets.vote_of(at_the_end, yes_bettor) == INVALID
    markets.vote(at_the_end, YES, sender=third_bettor)  # two of four: changes nothing
    at(club.due_at + LONGEST_VOTING)
    with boa.reverts("lmsr: dispute is over"):
        markets.vote(at_the_end, NO, sender=yes_bettor)


def test_a_second_before_the_last_three_hours_a_vote_can_still_turn_the_conclusion(
    club, markets, at_the_end, yes_bettor
):
    at(now() - 1)
    markets.vote(at_the_end, INVALID, sender=yes_bettor)
    markets.vote(at_the_end, YES, sender=yes_bettor)
    assert markets.tally(at_the_end).conclusion == YES


def test_in_the_last_three_hours_an_early_proposal_can_only_be_refused(club, markets, market, yes_bettor, third_bettor):
    club.complain(club.propose(market, YES, club.due_at - 2 * DAY))
    began_at = now()
    go_on_until(club, markets, market, yes_bettor, began_at + LONGEST_VOTING)
    assert markets.tally(market).conclusion == YES
    markets.vote(market, NO, sender=third_bettor)
    assert markets.tally(market).conclusion == 0
    with boa.reverts("lmsr: too late to turn the vote"):
        markets.vote(market, YES, sender=third_bettor)


def test_voting_never_lasts_longer_than_two_days(club, markets, disputed, yes_bettor):
    """Somebody who changes the conclusion again and again cannot keep a market open."""
    turns = 0
    while now() < markets.tally(disputed).ends_at:
        try:
            markets.vote(disputed, NO if turns % 2 else YES, sender=yes_bettor)
        except boa.BoaError:
            break
        turns += 1
        at(now() + HOUR)
    assert turns >= 40
    assert markets.tally(disputed).ends_at <= club.due_at + LONGEST_VOTING
    at(club.due_at + LONGEST_VOTING)
    markets.finalize(disputed)
