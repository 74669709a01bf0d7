"""position(market_id, account)"""

import boa
import pytest

from tests.club import NO, YES
from tests.custody import EUR


def test_is_what_was_bought_and_staked_on_each_side(club, markets, yes_bettor, no_bettor):
    market_id = club.create()
    bought = {YES: 0, NO: 0}
    for side in (YES, NO, YES, YES):
        bought[side] += club.bet(market_id, yes_bettor, side)
    assert markets.position(market_id, yes_bettor) == (bought[YES], 3 * EUR, bought[NO], EUR)
    assert markets.position(market_id, no_bettor) == (0, 0, 0, 0)


def test_markets_are_apart(club, markets, market, yes_bettor):
    other = club.create()
    assert markets.position(other, yes_bettor) == (0, 0, 0, 0)
    assert markets.position(market, yes_bettor)[1] == EUR


def test_a_claim_empties_what_was_paid(club, markets, yes_bettor):
    market_id = club.create()
    club.bet(market_id, yes_bettor, YES)
    shares = club.bet(market_id, yes_bettor, NO)
    club.settle(market_id, YES)
    markets.claim(market_id, sender=yes_bettor)
    assert markets.position(market_id, yes_bettor) == (0, 0, shares, EUR)


def test_a_claim_after_invalid_empties_both_sides(club, markets, void, yes_bettor):
    markets.claim(void, sender=yes_bettor)
    assert markets.position(void, yes_bettor) == (0, 0, 0, 0)


@pytest.mark.parametrize("beyond", [1, 2**95, 2**255])
def test_reverts_in_an_unknown_market(markets, market, yes_bettor, beyond):
    for market_id in (0, market + beyond):
        with boa.reverts("lmsr: unknown market"):
            markets.position(market_id, yes_bettor)
