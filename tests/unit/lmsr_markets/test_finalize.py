"""finalize(market_id), and how votes and silence decide"""

import boa
import pytest

from tests.club import (
    ANSWER,
    DAY,
    INVALID,
    LONGEST_VOTING,
    NO,
    RULING,
    SEED,
    SILENCE,
    VOTING,
    WINS,
    YES,
    Status,
    at,
    now,
)
from tests.custody import EUR, Kind
from tests.logs import event, events

POT = SEED + 3 * EUR
RESIDUES = {YES: POT - WINS[0] - WINS[2], NO: POT - WINS[1], INVALID: SEED}
STATUS = {YES: Status.RESOLVED, NO: Status.RESOLVED, INVALID: Status.INVALID}
KINDS = {YES: Kind.RESIDUE, NO: Kind.RESIDUE, INVALID: Kind.REFUND}


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_settles_an_undisputed_proposal_and_pays_the_creator(club, markets, market, creator, stranger, outcome):
    club.propose(market, outcome)
    at(club.due_at + club.window)
    markets.finalize(market, sender=stranger)
    assert events(markets) == [
        event(
            markets,
            "MarketFinalized",
            market_id=market,
            outcome=outcome,
            creator_amount=RESIDUES[outcome],
            timestamp=now(),
        ),
        club.entry(market, creator, KINDS[outcome], RESIDUES[outcome], 40 * EUR + RESIDUES[outcome]),
    ]
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (STATUS[outcome], outcome)
    assert club.pot(market) == POT - RESIDUES[outcome]


@pytest.mark.parametrize("window", [3600, 12 * 3600, DAY])
def test_waits_until_the_dispute_window_is_over(club, markets, window):
    market_id = club.three_bets(club.create(dispute_window=window))
    proposed_at = club.due_at + 777
    club.propose(market_id, YES, proposed_at)
    for time in (proposed_at, proposed_at + window - 1):
        at(time)
        with boa.reverts("lmsr: too early to finalize"):
            markets.finalize(market_id)
    at(proposed_at + window)
    markets.finalize(market_id)
    assert club.status(market_id) == Status.RESOLVED


def test_waits_until_the_vote_is_over(club, markets, disputed):
    for time in (now(), club.due_at + club.window, club.due_at + VOTING - 1):
        at(time)
        with boa.reverts("lmsr: too early to finalize"):
            markets.finalize(disputed)
    at(club.due_at + VOTING)
    markets.finalize(disputed)
    assert club.status(disputed) == Status.INVALID


def test_waits_until_the_ruling_time_is_over(club, markets, ruled):
    for time in (now(), club.due_at + VOTING, club.due_at + RULING - 1):
        at(time)
        with boa.reverts("lmsr: too early to finalize"):
            markets.finalize(ruled)
    at(club.due_at + RULING)
    markets.finalize(ruled)
    assert club.status(ruled) == Status.INVALID


def test_waits_until_a_vote_that_was_extended_is_over(club, markets, disputed, yes_bettor):
    at(club.due_at + VOTING - 1)
    markets.vote(disputed, YES, sender=yes_bettor)
    at(now() + ANSWER - 1)
    with boa.reverts("lmsr: too early to finalize"):
        markets.finalize(disputed)
    at(now() + 1)
    markets.finalize(disputed)
    assert markets.market(disputed).outcome == YES


# YES was proposed, and counts one head: the votes besides, and the outcome. Five bettors staked a EUR each, and so
# a sixth who bet 4 EUR on NO: a quarter of everything is 2.25 EUR.
COUNTED = {
    "n": INVALID,  # a half is not more than half
    "i": INVALID,
    "ny": YES,
    "nn": INVALID,  # two thirds are not more than two thirds
    "nnn": NO,  # three of four, and 3 EUR
    "iii": INVALID,
    "nni": INVALID,
    "nny": INVALID,
    "nnyy": YES,
    "nnny": INVALID,
    "nnnny": INVALID,  # four of six
    "nnnnn": NO,
    "nnnni": INVALID,
    "inny": INVALID,
    "N": INVALID,
    "Nn": INVALID,
    "Nnn": NO,
    "Nnnyy": INVALID,
}


@pytest.mark.parametrize(("votes", "outcome"), COUNTED.items(), ids=COUNTED)
@pytest.mark.parametrize("mirrored", [False, True], ids=["as it is", "mirrored"])
def test_half_to_stand_two_thirds_to_flip_doubt_refunds(club, markets, members, mirrored, votes, outcome):
    sides = {"y": YES, "n": NO, "N": NO, "i": INVALID}
    swap = {YES: NO, NO: YES, INVALID: INVALID} if mirrored else {o: o for o in (YES, NO, INVALID)}
    market_id = club.create()
    bettors = [club.yes_bettor, club.no_bettor, club.third_bettor, *members[5:7]]
    for account in bettors:
        club.bet(market_id, account, YES)
    for _ in range(4):
        club.bet(market_id, members[7], NO)
    club.propose(market_id, swap[YES])
    lone = iter(bettors)
    for number, letter in enumerate(votes):
        account = members[7] if letter == "N" else next(lone)
        vote = swap[sides[letter]]
        if number == 0:
            markets.complain(market_id, vote, "No", sender=account)
        else:
            markets.vote(market_id, vote, sender=account)
    at(markets.tally(market_id).ends_at)
    markets.finalize(market_id)
    assert markets.market(market_id).outcome == swap[outcome]
    assert markets.market(market_id).status == STATUS[outcome]


@pytest.mark.parametrize(("more", "outcome"), [(8, NO), (9, INVALID)])
def test_a_flip_takes_more_than_a_quarter_of_everything_staked(club, markets, market, more, outcome, outsider):
    """Three people, 3 EUR: of 11 EUR it is more than a quarter, of 12 it is not. Heads alone were enough."""
    for _ in range(more):
        club.bet(market, outsider, YES)
    club.complain(club.propose(market, YES))
    club.vote(market, {club.yes_bettor: NO, club.third_bettor: NO})
    at(now() + VOTING)
    markets.finalize(market)
    assert markets.market(market).outcome == outcome


def test_what_was_staked_on_both_sides_alike_flips_nothing(club, markets, market, no_bettor, yes_bettor, third_bettor):
    for account, side in ((no_bettor, YES), (yes_bettor, NO), (third_bettor, NO)):
        club.bet(market, account, side)
    club.complain(club.propose(market, YES))
    club.vote(market, {yes_bettor: NO, third_bettor: NO})
    tally = markets.tally(market)
    assert (tally.heads, tally.stakes) == ([1, 3, 0], [0, 0, 0])
    at(now() + VOTING)
    markets.finalize(market)
    assert markets.market(market).outcome == INVALID


@pytest.mark.parametrize("proposed", [YES, NO])
def test_where_invalid_was_proposed_more_than_two_thirds_can_still_say_what_happened(club, markets, market, proposed):
    club.complain(club.propose(market, INVALID), proposed)
    club.vote(market, {club.yes_bettor: proposed})
    assert markets.tally(market).conclusion == INVALID
    club.vote(market, {club.third_bettor: proposed})
    at(now() + VOTING)
    markets.finalize(market)
    assert markets.market(market).outcome == proposed


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
@pytest.mark.parametrize("proposer", ["creator", "no_bettor"])
def test_a_silent_referee_means_that_everybody_is_paid_back(
    request, club, markets, refereed, yes_bettor, proposer, outcome
):
    account = request.getfixturevalue(proposer)
    club.propose(refereed, outcome, club.due_at + DAY, sender=account)
    club.complain(refereed, YES if outcome == NO else NO, sender=yes_bettor)
    at(now() + RULING)
    markets.finalize(refereed)
    assert club.status(refereed) == Status.INVALID
    assert markets.claim_many(refereed, [club.yes_bettor, club.no_bettor, club.third_bettor]) == 3
    assert club.pot(refereed) == 0


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_a_silent_referee_refuses_an_early_proposal(club, markets, refereed, outcome):
    club.complain(club.propose(refereed, outcome, club.due_at - 1), YES if outcome == NO else NO)
    at(now() + RULING)
    markets.finalize(refereed)
    stored = markets.market(refereed)
    assert (stored.status, stored.outcome, stored.early_refused) == (Status.CLOSED, 0, True)
    assert stored.expected_result_at == now()


# Early proposals


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_an_early_proposal_that_nobody_disputes_stands(club, markets, market, outcome):
    club.propose(market, outcome, now() + 1)
    ends_at = markets.market(market).window_ends_at
    at(ends_at - 1)
    with boa.reverts("lmsr: too early to finalize"):
        markets.finalize(market)
    at(ends_at)
    markets.finalize(market)
    assert markets.market(market).outcome == outcome


@pytest.mark.parametrize(
    ("votes", "accepted"),
    [([], False), ([YES], True), ([NO], False), ([NO, NO], False), ([YES, NO], False), ([YES, INVALID], False),
     ([YES, YES], True), ([INVALID, INVALID], False)],
)  # fmt: skip
def test_an_early_proposal_is_accepted_by_more_than_half_of_all_heads_or_refused(
    club, markets, early, yes_bettor, third_bettor, votes, accepted
):
    club.vote(early, dict(zip((yes_bettor, third_bettor), votes, strict=False)))
    at(now() + VOTING)
    markets.finalize(early)
    stored = markets.market(early)
    assert (stored.status, stored.outcome) == ((Status.RESOLVED, YES) if accepted else (Status.CLOSED, 0))


def test_a_refused_early_proposal_closes_the_market_again(club, markets, early, creator):
    at(now() + VOTING)
    markets.finalize(early)
    assert events(markets) == [
        event(
            markets,
            "MarketReopened",
            market_id=early,
            expected_result_at=club.due_at,
            timestamp=now(),
        )
    ]
    stored = markets.market(early)
    assert (stored.status, stored.outcome, stored.early_refused) == (Status.CLOSED, 0, True)
    assert (stored.expected_result_at, stored.dispute_window) == (club.due_at, club.window)
    assert (int(stored.proposer, 16), stored.proposed_at, stored.window_ends_at) == (0, 0, 0)
    assert (stored.replaced, stored.disputed_at) == (False, 0)
    assert club.pot(early) == POT
    # Betting has ended for good, and the days to propose are what they were.
    with boa.reverts("lmsr: market not open"):
        markets.bet(early, YES, 1, sender=club.yes_bettor)
    club.propose(early, YES)


@pytest.mark.parametrize("refused_at", [0, 1, 5 * DAY])
def test_the_days_to_propose_are_counted_anew_where_the_result_time_has_passed_meanwhile(
    club, markets, market, creator, yes_bettor, refused_at
):
    """Else the time that a refused proposal took could make INVALID win by `expire`."""
    club.complain(club.propose(market, INVALID, club.due_at - VOTING), NO)
    reopened_at = club.due_at + refused_at
    at(reopened_at)
    markets.finalize(market)
    assert events(markets) == [
        event(
            markets,
            "MarketReopened",
            market_id=market,
            expected_result_at=reopened_at,
            timestamp=reopened_at,
        )
    ]
    assert markets.market(market).expected_result_at == reopened_at

    at(reopened_at + DAY - 1)
    with boa.reverts("lmsr: creator's day to propose"):
        markets.propose(market, YES, sender=yes_bettor)
    at(reopened_at + SILENCE - 1)
    with boa.reverts("lmsr: still time to propose"):
        markets.expire(market)
    markets.propose(market, YES, sender=creator)
    assert club.status(market) == Status.PENDING


def test_a_proposal_after_reopening_is_early_no_more(club, markets, market, yes_bettor, third_bettor):
    """There is one refusal in a market's life: no endless round."""
    club.complain(club.propose(market, INVALID, club.due_at - 1), NO)
    at(now() + VOTING)
    markets.finalize(market)
    club.propose(market, INVALID, now())  # in the same second
    club.complain(market, YES)
    club.vote(market, {yes_bettor: YES, third_bettor: YES})
    at(now() + VOTING)
    markets.finalize(market)
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (Status.RESOLVED, YES)


@pytest.mark.parametrize(("early", "status"), [(1, Status.CLOSED), (0, Status.INVALID)])
def test_early_is_a_second_before_the_expected_result_time(club, markets, market, early, status):
    club.complain(club.propose(market, YES, club.due_at - early))
    at(now() + VOTING)
    markets.finalize(market)
    assert club.status(market) == status


def test_whoever_moves_a_market_on_at_once_settles_it_within_14_days_of_the_result_time(
    club, markets, market, creator, yes_bettor, no_bettor
):
    """The longest way: an early proposal in the last second, refused as late as can be, and another one likewise."""

    def as_late_as_possible(end, sender, *arguments, call):
        at(end - 1)
        call(market, *arguments, sender=sender)

    club.propose(market, YES, club.due_at - 2)
    club.propose(market, NO, club.due_at - 1)
    as_late_as_possible(markets.market(market).window_ends_at, no_bettor, INVALID, "x", call=markets.complain)
    latest = now() + LONGEST_VOTING
    while (ends_at := markets.tally(market).ends_at) < latest:
        at(ends_at - 1)
        vote = YES if markets.vote_of(market, yes_bettor) == NO else NO
        if now() >= latest - ANSWER and vote == NO:
            break
        markets.vote(market, vote, sender=yes_bettor)
    at(ends_at)
    markets.finalize(market)
    assert markets.market(market).early_refused

    due_at = markets.market(market).expected_result_at
    as_late_as_possible(due_at + SILENCE, creator, YES, call=markets.propose)
    as_late_as_possible(markets.market(market).window_ends_at, creator, NO, call=markets.propose)
    as_late_as_possible(markets.market(market).window_ends_at, no_bettor, YES, "x", call=markets.complain)
    at(now() + LONGEST_VOTING)
    markets.finalize(market)
    assert club.due_at + 13 * DAY < now() <= club.due_at + 14 * DAY


@pytest.mark.parametrize("state", ["market", "resolved", "void"], indirect=True)
def test_reverts_where_nothing_is_proposed_or_all_is_settled(club, markets, state):
    for time in (now(), club.due_at, club.due_at + 9 * DAY):
        at(max(now(), time))
        with boa.reverts("lmsr: nothing to finalize"):
            markets.finalize(state)


def test_reverts_on_a_market_closed_again_and_on_one_without_a_referee_yet(markets, refused, awaiting):
    for market_id in (refused, awaiting):
        with boa.reverts("lmsr: nothing to finalize"):
            markets.finalize(market_id)


def test_reverts_in_an_unknown_market(markets, pending):
    at(now() + DAY)
    for market_id in (0, pending + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.finalize(market_id)


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_a_market_without_bets_gives_the_seed_back(club, markets, escrow, creator, outcome):
    market_id = club.settle(club.create(), outcome)
    assert events(markets)[1:] == [club.entry(market_id, creator, KINDS[outcome], SEED, 50 * EUR)]
    assert club.pot(market_id) == 0


@pytest.mark.parametrize(("bet_on", "outcome"), [(YES, NO), (NO, YES)])
def test_where_no_bet_won_the_creator_gets_the_whole_pot(club, markets, yes_bettor, creator, bet_on, outcome):
    market_id = club.create()
    for _ in range(5):
        club.bet(market_id, yes_bettor, bet_on)
    club.settle(market_id, outcome)
    assert events(markets)[1:] == [club.entry(market_id, creator, Kind.RESIDUE, SEED + 5 * EUR, 55 * EUR)]
    assert club.pot(market_id) == 0


def test_the_creator_is_paid_without_consent(club, markets, escrow, market, creator):
    escrow.set_consent(0, sender=creator)
    club.settle(market, NO)
    assert escrow.balance_of(creator) == 40 * EUR + RESIDUES[NO]
