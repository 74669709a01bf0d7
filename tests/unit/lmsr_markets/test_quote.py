"""quote(market_id, outcome)"""

import boa
import pytest

from tessera.model.lmsr import WAD
from tests.club import BET_INTERVAL, INVALID, NO, NOT_ONE_OUTCOME, YES, at, now


@pytest.mark.parametrize("p0", [WAD // 100, WAD * 3 // 10, WAD // 2, WAD * 99 // 100])
def test_a_bet_gets_what_was_quoted_to_the_unit(club, markets, yes_bettor, p0):
    market_id = club.create(p0=p0)
    for side in (YES, NO, NO, YES, NO, YES, YES, YES, YES, YES):
        shares, price_after = markets.quote(market_id, side)
        at(now() + BET_INTERVAL)
        assert markets.bet(market_id, side, shares, sender=yes_bettor) == shares
        # One comes from the gap and one from what the other side keeps: docs/lmsr-error-bound.md.
        assert -1 <= price_after - markets.prices(market_id)[side >> 1] <= 4


def test_is_the_same_for_everybody_and_between_two_bets(markets, market, creator, stranger):
    """The 5 s between two bets and who asks do not matter; only what a bet would do."""
    quoted = markets.quote(market, YES)
    assert markets.quote(market, YES, sender=creator) == markets.quote(market, YES, sender=stranger) == quoted
    at(now() + BET_INTERVAL)
    assert markets.quote(market, YES) == quoted


@pytest.mark.parametrize("outcome", [INVALID, *NOT_ONE_OUTCOME])
def test_reverts_on_anything_but_yes_or_no(markets, market, outcome):
    with boa.reverts("lmsr: not YES or NO"):
        markets.quote(market, outcome)


def test_reverts_where_nobody_can_bet(club, markets, market):
    at(club.closes_at)
    with boa.reverts("lmsr: market not open"):
        markets.quote(market, YES)


def test_reverts_after_a_proposal(markets, past_proposal):
    with boa.reverts("lmsr: market not open"):
        markets.quote(past_proposal, YES)


def test_reverts_in_an_unknown_market(markets, market):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.quote(market_id, YES)
