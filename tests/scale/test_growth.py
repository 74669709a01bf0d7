"""Gas does not grow with people and events, and not beyond the stated slope with what a person or a week has more of.

Every figure is of a transaction alone in its block, after real transactions (`benchmarks/growth.py`, which `make bench`
draws). Few people and events fit the embedded chain; tens of thousands come on anvil.
"""

import pytest

from benchmarks.chains import Anvil, Embedded
from benchmarks.growth import SERIES

FLAT = 1.02  # dearest to cheapest, where the cost is to be the same


def measured(kind, key: str, counts: tuple[int, ...]):
    """Gas by count; checked against the most that each count may cost."""
    series, chain = SERIES[key], kind()
    try:
        points = series.measure(chain, counts)
    finally:
        chain.close()
    assert tuple(points) == counts
    for count, gas in points.items():
        assert gas <= series.most(points, count), (key, points)
    return points


@pytest.mark.parametrize(
    ("key", "counts"),
    [("close_by_live_events", (1, 10, 100)), ("settle_by_predictors", (10, 60))],
)
def test_costs_the_same_for_few_and_many(key, counts):
    points = measured(Embedded, key, counts).values()
    assert max(points) <= FLAT * min(points)


@pytest.mark.anvil
def test_closing_costs_the_same_for_1_and_100_and_10_000_live_events():
    points = measured(Anvil, "close_by_live_events", (1, 100, 10_000)).values()
    assert max(points) <= FLAT * min(points)


@pytest.mark.campaign
def test_settling_costs_the_same_for_10_and_10_000_predictors():
    points = measured(Anvil, "settle_by_predictors", (10, 10_000)).values()
    assert max(points) <= FLAT * min(points)


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        # At most 25,000 a week; that no unit is lost is checked where it is measured.
        ("close_by_missed_weeks", (0, 1, 2, 25, 53)),
        # At most 16,000 a prediction.
        ("stake_by_open_predictions", (0, 1, 8, 64)),
        ("stake_by_ended_predictions", (0, 64)),
    ],
)
def test_costs_at_most_so_much_more_for_each(key, counts):
    points = measured(Embedded, key, counts)
    assert points[counts[-1]] > points[0]


def test_looking_up_history_grows_by_two_words_a_doubling():
    points = measured(Embedded, "history_by_checkpoints", (16, 64))
    # Two searches, each of two more steps: a cold word (2,100) and at most 400 of arithmetic.
    assert points[64] - points[16] <= 2 * 2 * 2_500
