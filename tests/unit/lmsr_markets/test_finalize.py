"""finalize(market_id), and how votes and silence decide"""

import boa
import pytest

from tests.club import DAY, INVALID, NO, RULING, SEED, SILENCE, VOTING, WINS, YES, Status, at, now
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
        with boa.reverts("lmsr: dispute window is open"):
            markets.finalize(market_id)
    at(proposed_at + window)
    markets.finalize(market_id)
    assert club.status(market_id) == Status.RESOLVED


def test_waits_until_the_vote_is_over(club, markets, disputed):
    for time in (now(), club.due_at + club.window, club.due_at + VOTING - 1):
        at(time)
        with boa.reverts("lmsr: voting is open"):
            markets.finalize(disputed)
    at(club.due_at + VOTING)
    markets.finalize(disputed)
    assert club.status(disputed) == Status.RESOLVED


def test_waits_until_the_ruling_time_is_over(club, markets, ruled):
    for time in (now(), club.due_at + VOTING, club.due_at + RULING - 1):
        at(time)
        with boa.reverts("lmsr: ruling is open"):
            markets.finalize(ruled)
    at(club.due_at + RULING)
    markets.finalize(ruled)
    assert club.status(ruled) == Status.RESOLVED


@pytest.mark.parametrize("proposed", [YES, NO, INVALID])
@pytest.mark.parametrize(
    ("votes", "outcome"),
    [
        ([], None),  # no vote: the proposal stands
        ([YES], YES),
        ([NO], NO),
        ([INVALID], INVALID),
        ([YES, YES, NO], YES),
        ([NO, YES, NO], NO),
        ([INVALID, YES, INVALID], INVALID),
        ([YES, NO], INVALID),  # a half is no majority
        ([YES, INVALID], INVALID),
        ([NO, INVALID], INVALID),
        ([YES, NO, INVALID], INVALID),
        ([YES, YES, NO, NO], INVALID),
        ([YES, YES, NO, INVALID], INVALID),
        ([NO, NO, YES, INVALID], INVALID),
        ([YES, YES, YES, NO, INVALID], YES),
        ([NO, NO, NO, YES, INVALID], NO),
        ([YES, YES, NO, NO, INVALID], INVALID),
    ],
    ids=lambda value: "".join(vote.name[0] for vote in value) or "none" if isinstance(value, list) else None,
)
def test_a_strict_majority_of_the_votes_cast_decides(club, markets, market, members, proposed, votes, outcome):
    voters = [club.yes_bettor, club.no_bettor, club.third_bettor, *members[5:7]]
    for account in voters[3:]:
        club.bet(market, account, YES)
    club.complain(club.propose(market, proposed))
    for account, vote in zip(voters, votes, strict=False):
        markets.vote(market, vote, sender=account)
    at(club.due_at + VOTING)
    markets.finalize(market)
    stored = markets.market(market)
    assert stored.outcome == (proposed if outcome is None else outcome)
    assert stored.status == STATUS[stored.outcome]


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
def test_a_creators_proposal_stands_when_the_referee_is_silent(club, markets, refereed, outcome):
    club.complain(club.propose(refereed, outcome))
    at(club.due_at + RULING)
    markets.finalize(refereed)
    assert markets.market(refereed).outcome == outcome


@pytest.mark.parametrize("outcome", [YES, NO, INVALID])
@pytest.mark.parametrize("by_creator", [True, False])
def test_a_bettors_proposal_becomes_invalid_when_the_referee_is_silent(
    club, markets, refereed, creator, yes_bettor, no_bettor, outcome, by_creator
):
    club.propose(refereed, outcome, club.due_at + DAY, sender=no_bettor)
    club.complain(refereed, sender=creator if by_creator else yes_bettor)
    at(now() + RULING)
    markets.finalize(refereed)
    assert markets.market(refereed).outcome == INVALID
    assert club.status(refereed) == Status.INVALID


def test_a_creators_early_invalid_stands_when_the_referee_is_silent(club, markets, refereed):
    club.complain(club.propose(refereed, INVALID, club.due_at - 1))
    at(now() + RULING)
    markets.finalize(refereed)
    assert club.status(refereed) == Status.INVALID


def test_an_early_invalid_that_nobody_disputes_stands(club, markets, market):
    proposed_at = now() + 1
    club.propose(market, INVALID, proposed_at)
    at(proposed_at + club.window)
    markets.finalize(market)
    assert club.status(market) == Status.INVALID


@pytest.mark.parametrize("votes", [[YES], [NO, NO], [YES, NO], [YES, NO, INVALID], [YES, YES, INVALID]])
def test_an_early_invalid_that_is_voted_down_closes_the_market_again(club, markets, early_invalid, creator, votes):
    """Voting for YES and voting for NO both refuse it: people who bet on different sides must not split their votes."""
    for account, vote in zip((club.yes_bettor, club.no_bettor, club.third_bettor), votes, strict=False):
        markets.vote(early_invalid, vote, sender=account)
    at(now() + VOTING)
    markets.finalize(early_invalid)
    assert events(markets) == [
        event(
            markets,
            "MarketReopened",
            market_id=early_invalid,
            expected_result_at=club.due_at,
            timestamp=now(),
        )
    ]
    stored = markets.market(early_invalid)
    assert (stored.status, stored.outcome) == (Status.CLOSED, 0)
    assert (stored.expected_result_at, stored.dispute_window) == (club.due_at, club.window)
    assert (int(stored.proposer, 16), stored.proposed_at, stored.disputed_at, stored.votes) == (0, 0, 0, [0, 0, 0])
    assert club.pot(early_invalid) == POT
    # Betting has ended for good, and the days to propose are what they were.
    with boa.reverts("lmsr: market not open"):
        markets.bet(early_invalid, YES, 1, sender=club.yes_bettor)
    at(club.due_at - 1)
    with boa.reverts("lmsr: result not due yet"):
        markets.propose(early_invalid, YES, sender=creator)
    at(club.due_at)
    markets.propose(early_invalid, YES, sender=creator)


@pytest.mark.parametrize("votes", [[], [INVALID], [YES, INVALID], [NO, INVALID], [YES, INVALID, INVALID]])
def test_an_early_invalid_stands_unless_a_strict_majority_refuses_it(club, markets, early_invalid, votes):
    for account, vote in zip((club.yes_bettor, club.no_bettor, club.third_bettor), votes, strict=False):
        markets.vote(early_invalid, vote, sender=account)
    at(now() + VOTING)
    markets.finalize(early_invalid)
    assert club.status(early_invalid) == Status.INVALID


@pytest.mark.parametrize("refused_at", [0, 1, 5 * DAY])
def test_the_days_to_propose_are_counted_anew_where_the_result_time_has_passed_meanwhile(
    club, markets, market, creator, yes_bettor, no_bettor, refused_at
):
    """Else the time that a refused INVALID took could make INVALID win by `expire`."""
    club.complain(club.propose(market, INVALID, club.due_at - VOTING))
    for account in (yes_bettor, no_bettor):
        markets.vote(market, YES, sender=account)
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


def test_an_invalid_proposed_after_reopening_at_the_result_time_is_early_no_more(
    club, markets, market, yes_bettor, no_bettor
):
    """Each market is reopened by a proposal before its result time: there is no endless round."""
    club.complain(club.propose(market, INVALID, club.due_at - 1))
    for account in (yes_bettor, no_bettor):
        markets.vote(market, YES, sender=account)
    at(now() + VOTING)
    markets.finalize(market)
    club.complain(club.propose(market, INVALID, now()))  # in the same second
    for account in (yes_bettor, no_bettor):
        markets.vote(market, YES, sender=account)
    at(now() + VOTING)
    markets.finalize(market)
    stored = markets.market(market)
    assert (stored.status, stored.outcome) == (Status.RESOLVED, YES)


@pytest.mark.parametrize(("early", "status"), [(1, Status.CLOSED), (0, Status.RESOLVED)])
def test_early_is_a_second_before_the_expected_result_time(club, markets, market, yes_bettor, no_bettor, early, status):
    club.complain(club.propose(market, INVALID, club.due_at - early))
    for account in (yes_bettor, no_bettor):
        markets.vote(market, NO, sender=account)
    at(now() + VOTING)
    markets.finalize(market)
    assert club.status(market) == status


@pytest.mark.parametrize("state", ["market", "resolved", "void"], indirect=True)
def test_reverts_where_nothing_is_proposed_or_all_is_settled(club, markets, state):
    for time in (now(), club.due_at, club.due_at + 9 * DAY):
        at(max(now(), time))
        with boa.reverts("lmsr: nothing to finalize"):
            markets.finalize(state)


def test_reverts_on_a_market_closed_again(markets, early_invalid, yes_bettor):
    markets.vote(early_invalid, YES, sender=yes_bettor)
    at(now() + VOTING)
    markets.finalize(early_invalid)
    with boa.reverts("lmsr: nothing to finalize"):
        markets.finalize(early_invalid)


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
