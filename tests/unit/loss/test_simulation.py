"""The simulation: exact means, the phase table, and the picture of it."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from scripts import loss_picture
from tessera.model.loss.simulation import EXPECTED, PHASES, Phase, bet_times, expected_balance, simulate
from tessera.model.loss.velocity import Play

ROOT = Path(__file__).parents[3]
GOLDEN = json.loads((ROOT / "tests" / "vectors" / "loss.json").read_text())
SESSIONS = 100_000


@pytest.fixture(scope="module")
def progress():
    return simulate(SESSIONS, seed=7)


@pytest.mark.parametrize("case", GOLDEN["mean_balance"], ids=lambda case: f"{case['bets']} bets")
def test_means_are_those_of_the_whole_distribution(case):
    play = Play(Fraction(60, case["bets"]), Fraction(1), Fraction(case["stake_share"]), Fraction(case["chance"]), 2)
    phases = [Phase(1, play)]
    assert len(bet_times(phases)) == case["bets"]
    assert expected_balance(phases, 1) == Fraction(case["mean"])
    simulated = simulate(SESSIONS, 7, phases, least_stake=0)
    error = simulated.balances[1].std() / SESSIONS**0.5
    assert abs(simulated.mean()[1] - float(Fraction(case["mean"]))) < 5 * error  # once in 1.7 million seeds


@pytest.mark.parametrize(("minute", "bounds"), EXPECTED.items())
def test_the_phase_table_is_reproduced(progress, minute, bounds):
    least, most = bounds
    assert least <= 100 * progress.mean()[minute] <= most
    assert least <= 100 * expected_balance(PHASES, minute) <= most


def test_what_is_lost_is_gross_loss_less_winnings(progress):
    assert 1 - progress.mean()[-1] == pytest.approx(progress.gross_loss - progress.winnings, abs=1e-5)  # of float32


def test_balances_neither_appear_nor_fall_below_nothing(progress):
    assert progress.balances.min() >= 0
    assert (progress.balances[0] == 1).all()


def test_a_seed_gives_the_same_sessions():
    assert np.array_equal(simulate(1_000, 3).balances, simulate(1_000, 3).balances)
    assert not np.array_equal(simulate(1_000, 3).balances, simulate(1_000, 4).balances)


def test_a_limit_bounds_every_session():
    limited = simulate(10_000, 5, loss_limit=0.25)
    assert limited.balances.min() >= np.float32(0.75)
    assert limited.mean()[-1] > 0.75


def test_the_picture_is_as_its_script_draws_it():
    assert loss_picture.PICTURE.read_text() == loss_picture.picture()
