"""The exact prize model against the golden values and the rules it was written from."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tessera.model.prizes import PrizeWeeks, period_of, start_of

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "prizes.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=["three events", "a week without events"])
def test_golden_values(case):
    weeks = PrizeWeeks(0)
    for expected in case["periods"]:
        period = expected["period"]
        for number, event in enumerate(case["events"]):
            if event["first"] == period:
                weeks.open_event(number, event["weight"], event["last"])
        weeks.add_revenue(expected["revenue"])
        weeks.close(period + 1)
        assert weeks.closed[-1] == tuple(
            Fraction(expected[name]) for name in ("period", "revenue", "pool", "to_events", "buyback", "carried")
        )
    prizes = [weeks.prize(number) for number in range(len(case["events"]))]
    assert prizes == [Fraction(prize) for prize in case["event_prizes"]]
    assert sum(prizes) + weeks.bucket + weeks.carried == sum(p["revenue"] for p in case["periods"])


def test_late_periods_share_what_waits():
    weeks = PrizeWeeks(0)
    weeks.open_event("long", 1, 9)
    weeks.add_revenue(300)
    weeks.close(3)
    assert [closed.revenue for closed in weeks.closed] == [100, 100, 100]
    assert weeks.waiting == 0


def test_closing_in_two_calls_is_closing_in_one():
    once, twice = PrizeWeeks(0), PrizeWeeks(0)
    for weeks in (once, twice):
        weeks.open_event("long", 1, 9)
        weeks.add_revenue(1_000)
    once.close(5)
    twice.close(5, most=2)
    twice.close(5)
    assert once.closed == twice.closed


def test_closing_again_changes_nothing():
    weeks = PrizeWeeks(0)
    weeks.close(2)
    weeks.add_revenue(10)
    weeks.close(2)
    assert len(weeks.closed) == 2
    assert weeks.waiting == 10


def test_refuses_an_event_whose_last_period_is_closed():
    weeks = PrizeWeeks(5)
    with pytest.raises(ValueError, match="period 4 is closed"):
        weeks.open_event("late", 1, 4)


def test_weeks_begin_on_friday_midnight():
    # 2026-11-20 00:00:00 UTC, a Friday.
    friday = 1_795_132_800
    assert period_of(friday) == period_of(friday - 1) + 1 == period_of(friday + 604_799)
    assert start_of(period_of(friday)) == friday


def test_a_new_split_counts_from_the_next_week():
    weeks = PrizeWeeks(10)
    weeks.open_event("a", 1, 12)
    weeks.set_split(10, Fraction(80, 100), Fraction(5, 100))
    weeks.add_revenue(200)
    weeks.close(12)
    assert [(each.to_events, each.buyback) for each in weeks.closed] == [
        (90, 3),
        (Fraction(107 * 80, 100), Fraction(107 * 5, 100)),
    ]
