"""exposure(market_id)"""

import boa
import pytest

from tessera.model.lmsr import WAD
from tests.club import INVALID, NO, SEED, WINS, YES
from tests.custody import EUR


def test_is_nothing_before_the_first_bet(club, markets):
    assert markets.exposure(club.create()) == (0, 0)


def test_is_the_stakes_less_what_winners_would_be_paid(markets, market):
    assert markets.exposure(market) == (3 * EUR - WINS[0] - WINS[2], 3 * EUR - WINS[1])


@pytest.mark.parametrize(("outcome", "index"), [(YES, 0), (NO, 1)])
def test_is_what_the_creator_then_gains(club, markets, escrow, market, creator, outcome, index):
    gain = markets.exposure(market)[index]
    club.settle(market, outcome)
    assert escrow.balance_of(creator) == 50 * EUR + gain


def test_an_invalid_market_gains_and_costs_the_creator_nothing(club, escrow, market, creator):
    club.settle(market, INVALID)
    assert escrow.balance_of(creator) == 50 * EUR


@pytest.mark.parametrize(("side", "p0"), [(YES, WAD // 20), (NO, WAD * 19 // 20)])
def test_comes_close_to_the_seed_and_never_reaches_it(club, markets, yes_bettor, side, p0):
    market_id = club.create(p0=p0)
    losses = []
    for _ in range(50):
        club.bet(market_id, yes_bettor, side)
        losses.append(-markets.exposure(market_id)[side >> 1])
    assert losses == sorted(losses)
    assert SEED - 100 < losses[-1] < SEED  # within a hundredth of a cent of all that can be lost
    assert markets.max_loss(market_id) == SEED


def test_reverts_in_an_unknown_market(markets, market):
    for market_id in (0, market + 1):
        with boa.reverts("lmsr: unknown market"):
            markets.exposure(market_id)
