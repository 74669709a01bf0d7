"""complain(market_id, reason)"""

import boa
import pytest

from tests.club import DAY, INVALID, YES, Status, at, now
from tests.logs import event, events


def test_a_bettor_disputes_the_creators_proposal(club, markets, pending, no_bettor):
    at(club.due_at + 60)
    markets.complain(pending, "It was a draw", sender=no_bettor)
    assert events(markets) == [
        event(
            markets,
            "OutcomeDisputed",
            market_id=pending,
            account=no_bettor,
            reason="It was a draw",
            timestamp=now(),
        )
    ]
    stored = markets.market(pending)
    assert (stored.status, stored.outcome) == (Status.DISPUTED, YES)
    assert (stored.proposed_at, stored.disputed_at) == (club.due_at, club.due_at + 60)


def test_changes_nothing_but_the_dispute(markets, pending, no_bettor):
    before = markets.market(pending)
    markets.complain(pending, "x", sender=no_bettor)
    assert markets.market(pending) == before._replace(status=Status.DISPUTED, disputed_at=now())


def test_the_creator_disputes_a_bettors_proposal(club, markets, market, creator, no_bettor):
    club.propose(market, YES, club.due_at + DAY, sender=no_bettor)
    markets.complain(market, "Look again", sender=creator)
    assert club.status(market) == Status.DISPUTED


def test_reverts_for_the_creator_on_the_creators_proposal(markets, pending, creator):
    with boa.reverts("lmsr: your own proposal"):
        markets.complain(pending, "I was wrong", sender=creator)


def test_a_bettor_may_dispute_a_bettors_proposal_even_the_own(club, markets, market, yes_bettor, no_bettor):
    club.propose(market, YES, club.due_at + DAY, sender=no_bettor)
    for account in (yes_bettor, no_bettor):
        with boa.env.anchor():
            markets.complain(market, "I looked again", sender=account)
            assert club.status(market) == Status.DISPUTED


@pytest.mark.parametrize("window", [3600, 12 * 3600, DAY])
def test_is_possible_until_a_second_before_the_window_ends(club, markets, no_bettor, window):
    market_id = club.three_bets(club.create(dispute_window=window))
    proposed_at = club.due_at + 777
    club.propose(market_id, YES, proposed_at)
    at(proposed_at + window)
    with boa.reverts("lmsr: dispute window is over"):
        markets.complain(market_id, "x", sender=no_bettor)
    at(proposed_at + window - 1)
    markets.complain(market_id, "x", sender=no_bettor)
    assert club.status(market_id) == Status.DISPUTED


def test_reverts_for_who_has_not_bet_in_this_market(club, markets, refereed, outsider, referee, stranger):
    club.bet(club.create(), outsider, YES)
    club.propose(refereed, YES)
    for account in (outsider, referee, stranger):
        with boa.reverts("lmsr: not a bettor"):
            markets.complain(refereed, "x", sender=account)


def test_reverts_when_the_reason_is_empty(markets, pending, no_bettor):
    with boa.reverts("lmsr: empty reason"):
        markets.complain(pending, "", sender=no_bettor)


def test_a_reason_may_have_256_bytes(club, markets, pending, no_bettor):
    markets.complain(pending, "ß" * 128, sender=no_bettor)
    assert events(markets)[0][2]["reason"] == "ß" * 128


def test_reverts_where_nothing_is_proposed(club, markets, market, no_bettor, creator):
    for time in (now(), club.closes_at, club.due_at + 8 * DAY):
        at(time)
        for account in (no_bettor, creator):
            with boa.reverts("lmsr: nothing to dispute"):
                markets.complain(market, "x", sender=account)


@pytest.mark.parametrize("state", ["disputed", "ruled", "resolved", "void"], indirect=True)
def test_reverts_once_disputed_or_settled(markets, state, no_bettor, third_bettor):
    for account in (no_bettor, third_bettor):
        with boa.reverts("lmsr: nothing to dispute"):
            markets.complain(state, "x", sender=account)


def test_reverts_in_an_unknown_market(markets, pending, no_bettor):
    for market_id in (0, pending + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.complain(market_id, "x", sender=no_bettor)


def test_the_window_of_a_second_proposal_is_counted_from_it(club, markets, early_invalid, creator, no_bettor):
    """After an early INVALID was refused the first window is long over."""
    for account in (no_bettor, club.yes_bettor):
        markets.vote(early_invalid, YES, sender=account)
    at(now() + DAY)
    markets.finalize(early_invalid)
    club.propose(early_invalid, INVALID, now() + DAY)
    at(now() + club.window - 1)
    markets.complain(early_invalid, "Again", sender=no_bettor)
    assert club.status(early_invalid) == Status.DISPUTED
