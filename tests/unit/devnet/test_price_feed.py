"""PriceFeed: Chainlink's AggregatorV3 interface with a price that anybody sets."""

import boa
import pytest

from tests.unit.conftest import NOW


def test_is_fresh_until_a_round_is_set(feed, stranger):
    assert (feed.decimals(), feed.description(), feed.version()) == (8, "TUSD / USD", 4)
    assert feed.latestRoundData() == (1, 10**8, NOW, NOW, 1)
    boa.env.timestamp = NOW + 1000
    assert feed.latestRoundData() == feed.getRoundData(1) == (1, 10**8, NOW, NOW + 1000, 1)
    with boa.env.prank(stranger):
        feed.set_round(9, 5, NOW - 3, NOW - 2, 8)
    assert feed.latestRoundData() == feed.getRoundData(9) == (9, 5, NOW - 3, NOW - 2, 8)
    assert feed.getRoundData(1) == (1, 10**8, NOW, NOW, 1)
    assert feed.getRoundData(2) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("price", [97_000_000, 0, -1])
def test_any_price_can_be_set(feed, stranger, price):
    boa.env.timestamp = NOW + 5
    feed.set_price(price, sender=stranger)
    boa.env.timestamp = NOW + 9
    assert feed.latestRoundData() == (2, price, NOW + 5, NOW + 9, 2)


def test_set_price_makes_it_fresh_again(feed):
    feed.set_round(4, 5, 1, 2, 3)
    feed.set_price(6)
    assert feed.latestRoundData() == (5, 6, NOW, NOW, 5)


@pytest.mark.parametrize("times", [(2**64, 0), (0, 2**64)], ids=["started", "updated"])
def test_reverts_when_a_time_does_not_fit(feed, times):
    with boa.reverts("feed: time out of range"):
        feed.set_round(4, 5, *times, 3)
    assert feed.latestRoundData() == (1, 10**8, NOW, NOW, 1)
    feed.set_round(4, 5, 2**64 - 1, 2**64 - 1, 3)
    assert feed.latestRoundData() == (4, 5, 2**64 - 1, 2**64 - 1, 3)
