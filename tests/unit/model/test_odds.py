"""The model of fixed odds: the greatest vector against golden values and a linear programme, and in whole units."""

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tessera.model.odds import Book, covers, greatest, greatest_in_units, margin

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "odds.json").read_text())["cases"]


@st.composite
def markets(draw, most_stake=10**7):
    """Profits in tenths of a percent, commission in basis points, bankroll and stakes, for 2 to 16 outcomes."""
    count = draw(st.integers(2, 16))
    # Odds near the fair ones of so many outcomes, where the sum of what is covered hangs together, and any other.
    near = st.integers(max(1, (count - 1) * 1_000 - 40), (count - 1) * 1_000 + 40)
    profit = draw(st.sampled_from([near, st.integers(1, 65_535), st.integers(1, 3_000)]))
    profits = draw(st.lists(profit, min_size=count, max_size=count))
    stakes = draw(st.lists(st.integers(0, most_stake), min_size=count, max_size=count))
    bankroll = draw(st.one_of(st.just(0), st.integers(0, most_stake)))
    return profits, draw(st.sampled_from([0, 100, draw(st.integers(0, 1_000))])), bankroll, stakes


@pytest.mark.parametrize("case", CASES)
def test_golden_values(case):
    solution = greatest(
        [Fraction(profit) for profit in case["profit"]], Fraction(case["fee"]), case["bankroll"], case["pending"]
    )
    # The golden values are printed to 12 digits.
    assert [float(x) for x in solution] == pytest.approx([float(x) for x in case["greatest"]], abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(markets())
def test_greatest_is_what_a_linear_programme_finds(market):
    """The largest sum under the inequalities. Floats of HiGHS: its tolerance of 1e-7, relative to the stakes."""
    profits, bps, bankroll, stakes = market
    fee = bps / 10_000
    count, scale = len(profits), max([1, bankroll, *stakes])
    rows = [[(1 + p / 1_000) * (j == k) + fee - 1 for j in range(count)] for k, p in enumerate(profits)]
    solution = linprog(
        [-1.0] * count, A_ub=rows, b_ub=[bankroll / scale] * count, bounds=[(0, s / scale) for s in stakes]
    )
    assert solution.success
    exact = greatest([Fraction(p, 1_000) for p in profits], Fraction(bps, 10_000), bankroll, stakes)
    for k, x in enumerate(exact):
        # Exactly feasible, and no less than the programme's.
        assert 0 <= x <= stakes[k]
        assert x * (1 + Fraction(profits[k], 1_000)) <= sum(exact) * (1 - Fraction(bps, 10_000)) + bankroll
    # Near fair odds the tolerance of a row is a hundred thousand times that of the sum.
    assert float(sum(exact)) / scale >= -solution.fun - 1e-3 * count


@settings(max_examples=150, deadline=None)
@given(markets(most_stake=6).filter(lambda market: len(market[0]) <= 4))
def test_greatest_in_units_is_the_greatest_of_all(market):
    """All vectors of small stakes are tried: each that is covered is nowhere greater."""
    profits, bps, bankroll, stakes = market
    solution = greatest_in_units(profits, bps, bankroll, stakes)
    assert covers(profits, bps, bankroll, solution)
    for other in product(*(range(stake + 1) for stake in stakes)):
        if covers(profits, bps, bankroll, other):
            assert all(x <= y for x, y in zip(other, solution, strict=True))


@settings(max_examples=150, deadline=None)
@given(markets())
def test_greatest_in_units_is_covered_and_near_the_exact(market):
    profits, bps, bankroll, stakes = market
    solution = greatest_in_units(profits, bps, bankroll, stakes)
    assert covers(profits, bps, bankroll, solution)
    exact = greatest([Fraction(p, 1_000) for p in profits], Fraction(bps, 10_000), bankroll, stakes)
    assert all(x <= y for x, y in zip(solution, exact, strict=True))


def test_a_bet_from_start_to_end():
    """80 % and 110 %, 100 staked on each, a bankroll of 100: the second needs 110 of winnings, so 10 more."""
    book = Book([800, 1_100], 0)
    book.bankroll = 100
    assert book.place("a", 0, 100) == (100, None)
    assert book.place("b", 1, 200) == (181, 0)
    assert book.stakes == [100, 181]
    settled = book.settle(1, 3)
    assert settled.positions == {("a", 0): 0, ("b", 1): 380}
    assert settled.tickets == {(1, 0): 19}
    assert (settled.host, settled.member, settled.residue) == (0, 0, 1)


@given(st.lists(st.integers(1, 65_535), min_size=2, max_size=16))
def test_every_stake_loses_the_margin_on_average_where_its_odds_say_how_likely_it_is(profits):
    """By hand: probabilities in proportion to 1 / (1 + p), times what comes back."""
    returns = [1 + Fraction(profit, 1_000) for profit in profits]
    weights = [1 / one for one in returns]
    for weight, back in zip(weights, returns, strict=True):
        assert 1 - weight / sum(weights) * back == margin(profits)


def test_the_margin_of_80_and_110_percent():
    assert margin([800, 1_100]) == Fraction(12, 390)
    assert margin([1_000, 1_000]) == 0
    assert margin([1_100, 1_000]) < 0
