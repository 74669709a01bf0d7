"""Expected loss, odds and what is shown with a quote, against enumerated golden values."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.model.loss.expected import PPM, Bet, LossError, disclosure, edge_of, expected_loss, margin_of, odds_of
from tests import loss_vectors

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors" / "loss.json").read_text())


def test_the_golden_values_are_what_their_script_writes():
    assert json.loads(json.dumps(loss_vectors.vectors())) == GOLDEN


@pytest.mark.parametrize("case", GOLDEN["expected_loss"], ids=lambda case: f"{len(case['bets'])} bets")
def test_expected_loss_is_the_mean_over_all_ends(case):
    expected = expected_loss(Bet(*bet) for bet in case["bets"])
    assert (expected.gross, expected.winnings) == (Fraction(case["gross"]), Fraction(case["winnings"]))
    assert expected.net == Fraction(case["net"])


@pytest.mark.parametrize("case", GOLDEN["odds"], ids=lambda case: f"{case['chance_ppm']}-{case['edge_ppm']}")
def test_odds_are_the_greatest_that_leave_the_edge(case):
    assert odds_of(case["chance_ppm"], case["edge_ppm"]) == case["odds"]
    assert edge_of(case["odds"], case["chance_ppm"]) == Fraction(case["edge"])


@pytest.mark.parametrize("case", GOLDEN["margin"], ids=lambda case: str(case["odds"]))
def test_the_margin_is_what_covering_every_choice_loses(case):
    assert margin_of(case["odds"]) == Fraction(case["margin"])


def test_even_odds_have_an_edge_where_losing_is_likelier_than_winning():
    assert edge_of(2_000, 450_000) == Fraction(1, 10)
    assert edge_of(2_000, 500_000) == 0
    assert edge_of(2_000, 550_000) == Fraction(-1, 10)


@given(st.integers(1, 900_000), st.integers(0, 90_000))
def test_no_odds_leave_less_than_the_edge(chance, edge):
    assert edge_of(odds_of(chance, edge), chance) >= Fraction(edge, PPM)


@pytest.mark.parametrize(("chance", "edge"), [(0, 0), (PPM, 0), (-1, 0), (1, -1), (1, PPM)])
def test_chances_and_edges_out_of_range_are_refused(chance, edge):
    with pytest.raises(LossError, match="parts per million"):
        odds_of(chance, edge)


def test_a_choice_that_is_almost_certain_has_no_odds():
    with pytest.raises(LossError, match="too likely"):
        odds_of(999_000, 10_000)


def test_a_disclosure_rounds_losses_up():
    shown = disclosure((1_899, 2_850), (500_000, 333_333))
    assert shown.loss_ppm == (50_500, 50_001)  # 0.0505, and 0.05000095 rounded up
    assert shown.gross_loss_ppm == (500_000, 666_667)
    assert shown.margin_ppm is None  # perhaps no choice wins
    shown = disclosure((1_899, 2_850), (600_000, 400_000))
    assert shown.margin_ppm == 1_000_000 - 1_899 * 2_850 * 1_000_000 // ((1_899 + 2_850) * 1_000)


def test_a_disclosure_needs_a_chance_for_each_choice():
    with pytest.raises(LossError, match="as many chances"):
        disclosure((1_900, 1_900), (500_000,))
    with pytest.raises(LossError, match="at most"):
        disclosure((1_900, 1_900), (500_000, 500_001))
