"""max_loss(market_id)"""

import boa
import pytest

from tessera.model.lmsr import WAD
from tests.club import SEED


@pytest.mark.parametrize("p0", [WAD // 100, WAD // 2, WAD * 99 // 100])
def test_is_the_seed(club, markets, yes_bettor, p0):
    market_id = club.create(p0=p0)
    assert markets.max_loss(market_id) == SEED == 10_000_000
    club.three_bets(market_id)
    assert markets.max_loss(market_id) == SEED


def test_reverts_in_an_unknown_market(markets, market):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.max_loss(market_id)
