"""Yield figures by hand, and the assumption behind the factor 1.6 played out."""

from fractions import Fraction

import pytest

from tessera.model.apy import ASSUMPTIONS, expected_prize, figures, lending_apy

ASSETS = [(300, Fraction(4, 100)), (100, Fraction(8, 100))]


def test_lending_yield_is_weighted_by_value():
    assert lending_apy(ASSETS) == Fraction(5, 100)
    assert lending_apy([(0, Fraction(9, 100))]) == 0


def test_figures():
    shown = figures(ASSETS, bet_per_block=2, bet_price=Fraction(1, 100), blocks_per_year=100)
    assert shown.apy1 == Fraction(8, 100)
    assert shown.apy1_net == Fraction(8, 100) * Fraction(90, 93)
    assert shown.apy2 == Fraction(2, 400)
    assert shown.apy == shown.apy1 + shown.apy2


def test_factor_is_what_the_assumptions_say():
    # Ten events of equal prize; the person is right in eight, and half of all tickets are right in each.
    stake, total, pool, events = 25, 1_000, 900, 10
    won = sum(Fraction(pool, events) * Fraction(stake, total // 2) for _ in range(8))
    assert expected_prize(stake, total, pool) == won


def test_refuses_where_nothing_is_staked():
    with pytest.raises(ValueError, match="nothing is staked"):
        figures([], 1, 1, 1)


def test_assumptions_are_told():
    assert "half of the tickets are right" in ASSUMPTIONS
