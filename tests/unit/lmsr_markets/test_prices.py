"""prices(market_id)"""

import boa
import pytest

from tessera.model.lmsr import WAD, exact, price
from tests.club import NO, YES, at, now


@pytest.mark.parametrize("p0", [WAD // 100, WAD * 4 // 10, WAD // 2, WAD * 99 // 100])
def test_add_up_to_one_whatever_is_bet(club, markets, yes_bettor, p0):
    market_id = club.create(p0=p0)
    for side in (YES, NO, NO, YES, NO, YES, YES, YES):
        yes, no = markets.prices(market_id)
        assert yes + no == WAD
        assert 0 < yes < WAD
        club.bet(market_id, yes_bettor, side)


def test_follow_the_shares_sold(club, markets, market, yes_bettor, no_bettor, third_bettor):
    sold = [sum(markets.position(market, a)[i] for a in (yes_bettor, no_bettor, third_bettor)) for i in (0, 2)]
    stored = markets.market(market)
    wanted = price(stored.b, exact.mpf(sold[1] - sold[0])) * WAD  # at even odds nobody has a head start
    assert abs(markets.prices(market)[0] - wanted) <= 2  # 1.3e-18 is the stated error


def test_a_bet_raises_the_price_of_its_side(club, markets, yes_bettor):
    market_id = club.create()
    assert markets.prices(market_id) == (WAD // 2, WAD // 2)
    club.bet(market_id, yes_bettor, YES)
    assert markets.prices(market_id)[0] > WAD // 2
    club.bet(market_id, yes_bettor, NO)
    club.bet(market_id, yes_bettor, NO)
    assert markets.prices(market_id)[0] < WAD // 2


def test_saturate_without_failing(club, markets, members, yes_bettor, no_bettor):
    """After a hundred bets on a near-certain side its price is 1 to the last digit; the other side still sells."""
    market_id = club.create(p0=WAD * 99 // 100)
    for account in (yes_bettor, no_bettor):
        for _ in range(49):
            club.bet(market_id, account, YES)
    assert markets.prices(market_id) == (WAD, 0)
    assert club.bet(market_id, club.third_bettor, NO) > 90 * WAD


def test_stay_what_they_were_after_betting_has_ended(club, markets, market):
    last = markets.prices(market)
    club.settle(market, NO)
    assert markets.prices(market) == last
    at(now() + 10**8)
    assert markets.prices(market) == last


def test_reverts_in_an_unknown_market(markets, market):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.prices(market_id)
