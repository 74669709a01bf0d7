"""The constructor."""

import boa
import pytest

from tests.club import DAY, HOUR
from tests.refusals import refused_without_a_text


def test_keeps_what_it_is_deployed_with(markets, escrow):
    assert markets.ESCROW() == escrow.address
    assert markets.FRIENDS() is True
    assert markets.SHORTEST_WINDOW() == HOUR
    assert markets.market_count() == 0


@pytest.mark.parametrize("among_friends", [True, False])
def test_takes_any_window_between_half_a_day_and_a_day_on_any_chain(load, escrow, evm, among_friends):
    evm.patch.chain_id = 1
    for window in (12 * HOUR, DAY):
        markets = load("LmsrMarkets").deploy(escrow, among_friends, window)
        assert (markets.FRIENDS(), markets.SHORTEST_WINDOW()) == (among_friends, window)


@pytest.mark.parametrize("chain_id", [1337, 31_337])
def test_takes_a_second_as_window_on_a_local_chain(load, escrow, evm, chain_id):
    evm.patch.chain_id = chain_id
    assert load("LmsrMarkets").deploy(escrow, True, 1).SHORTEST_WINDOW() == 1


@pytest.mark.parametrize(
    ("chain_id", "window"),
    [
        (1, 12 * HOUR - 1),
        (1, DAY + 1),
        (1336, 12 * HOUR - 1),
        (1338, 12 * HOUR - 1),
        (31_336, 12 * HOUR - 1),
        (31_338, 12 * HOUR - 1),
        (1337, 0),
        (31_337, 0),
        (31_337, DAY + 1),
    ],
)
def test_reverts_when_the_shortest_window_is_out_of_range(load, escrow, evm, chain_id, window):
    evm.patch.chain_id = chain_id
    with boa.reverts("lmsr: bad shortest window"):
        load("LmsrMarkets").deploy(escrow, True, window)


@pytest.mark.parametrize("decimals", [0, 5, 7, 18])
def test_reverts_when_the_token_has_not_six_decimals(load, decimals):
    escrow = load("Escrow").deploy(load("Token").deploy(decimals), False)
    with boa.reverts("lmsr: token not of 6 decimals"):
        load("LmsrMarkets").deploy(escrow, False, DAY)


def test_reverts_when_there_is_no_escrow(load, stranger):
    with refused_without_a_text():
        load("LmsrMarkets").deploy(stranger, True, DAY)
