"""depth(market_id, outcome, bets)"""

from itertools import pairwise

import boa
import pytest

from tessera.model.lmsr import WAD
from tests.club import INVALID, NO, NOT_ONE_OUTCOME, YES, at


@pytest.mark.parametrize("side", [YES, NO])
def test_of_one_bet_is_the_quote(markets, market, side):
    assert markets.depth(market, side, 1) == markets.quote(market, side)


@pytest.mark.parametrize("p0", [WAD // 100, WAD // 2, WAD * 97 // 100])
@pytest.mark.parametrize("side", [YES, NO])
def test_of_many_bets_is_what_they_get_in_a_row(club, markets, yes_bettor, p0, side):
    market_id = club.create(p0=p0)
    bets = 30
    expected, price_expected = markets.depth(market_id, side, bets)
    shares = sum(club.bet(market_id, yes_bettor, side) for _ in range(bets))
    # Each rounding down takes at most 1e-15 of what is bought, and leaves the next bet that much better a price: both
    # ways of buying are at most that far below what is exact for all the bets at once.
    assert abs(shares - expected) <= bets * expected // 10**15
    assert abs(markets.prices(market_id)[side >> 1] - price_expected) <= 1000  # 1e-15


def test_grows_with_the_bets_and_each_costs_more_than_the_one_before(markets, market):
    shares, prices = zip(*(markets.depth(market, YES, n) for n in range(1, 101)), strict=True)
    bought = [shares[0], *(after - before for before, after in pairwise(shares))]
    assert bought == sorted(bought, reverse=True)
    assert bought[-1] >= WAD - 1000  # no share costs more than 1 EUR; the roundings of two differences
    assert list(prices) == sorted(prices)


@pytest.mark.parametrize("bets", [0, 101, 2**256 - 1])
def test_reverts_on_a_number_out_of_range(markets, market, bets):
    with boa.reverts("lmsr: 1 to 100 bets"):
        markets.depth(market, YES, bets)


@pytest.mark.parametrize("outcome", [INVALID, *NOT_ONE_OUTCOME])
def test_reverts_on_anything_but_yes_or_no(markets, market, outcome):
    with boa.reverts("lmsr: not YES or NO"):
        markets.depth(market, outcome, 1)


def test_reverts_where_nobody_can_bet(club, markets, market):
    at(club.closes_at)
    with boa.reverts("lmsr: market not open"):
        markets.depth(market, YES, 1)


def test_reverts_in_an_unknown_market(markets, market):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.depth(market_id, YES, 1)
