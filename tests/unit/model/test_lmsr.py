"""The exact LMSR: golden values and the identities that define it."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.model.lmsr import (
    WAD,
    Market,
    Outcome,
    brier,
    cost,
    exact,
    mpf,
    odds,
    odds_text,
    opening,
    price,
    shares,
)

YES, NO, INVALID = Outcome
CASES = json.loads((Path(__file__).parents[2] / "vectors" / "lmsr.json").read_text())["cases"]
TINY = mpf(10) ** -50  # of 60 digits, what a few hundred roundings and cancellations may take

first_prices = st.integers(WAD // 100, 99 * WAD // 100).map(lambda p0: mpf(p0) / WAD)
bets = st.lists(st.tuples(st.sampled_from([YES, NO]), st.integers(1, 100)), max_size=30)


def printed(value) -> Decimal:
    return Decimal(exact.nstr(value, 30))  # the vectors print 30 significant digits


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"p0={case['p0']}")
def test_replays_the_golden_values_to_their_last_digit(case):
    market = Market(case["p0"], case["seed"])
    assert printed(market.b) == Decimal(case["b"])
    for step in case["steps"]:
        bought = market.bet(Outcome[step["side"]], mpf(case["stake"]))
        assert printed(bought) == Decimal(step["shares"])
        assert printed(market.price(YES)) == Decimal(step["p_yes_after"])
        assert printed(market.gain(YES)) == Decimal(step["creator_if_yes"])
        assert printed(market.gain(NO)) == Decimal(step["creator_if_no"])


@given(first_prices)
def test_the_start_costs_the_seed_and_has_the_first_price(p0):
    market = Market(p0)
    assert abs(market.cost() - 10) < TINY
    assert abs(market.price(YES) - p0) < TINY
    assert min(market.start.values()) == 0


@given(first_prices, bets)
def test_the_cost_is_the_seed_and_every_stake(p0, placed):
    market = Market(p0)
    for side, stake in placed:
        market.bet(side, stake)
    assert abs(market.cost() - market.seed - market.staked) < TINY * market.staked + TINY


@given(first_prices, bets, st.integers(1, 10))
def test_one_large_bet_buys_what_small_ones_in_a_row_do(p0, placed, stake):
    market = Market(p0)
    for side, amount in placed:
        market.bet(side, amount)
    at_once = market.quote(YES, stake)
    assert abs(sum(market.bet(YES) for _ in range(stake)) - at_once.shares) < TINY * at_once.shares
    assert abs(market.price(YES) - at_once.price_after) < TINY


@given(first_prices, bets)
def test_the_prices_of_both_sides_add_up_to_one(p0, placed):
    market = Market(p0)
    for side, stake in placed:
        market.bet(side, stake)
    assert abs(market.price(YES) + market.price(NO) - 1) < TINY


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 100))
def test_shares_raise_the_cost_by_the_stake(b, yes, no, stake):
    bought = shares(b, no - yes, stake)
    assert bought > stake * (1 - TINY)  # no share costs more than 1
    assert abs(cost(b, yes + bought, no) - cost(b, yes, no) - stake) < TINY * bought


def test_the_price_is_the_slope_of_the_cost():
    step = mpf(10) ** -20
    slope = (cost(5, 7 + step, 4) - cost(5, 7 - step, 4)) / (2 * step)
    assert abs(slope - price(5, 4 - 7)) < step**2 * 10  # the error of a central difference is of the second order


def test_amounts_may_be_in_any_one_unit():
    b, _ = opening("0.3", 10)
    b_wad, _ = opening("0.3", 10 * WAD)
    assert abs(b_wad - b * WAD) < TINY * b_wad
    assert abs(shares(b_wad, -3 * WAD, WAD) - shares(b, -3, 1) * WAD) < TINY * WAD
    assert price(b_wad, 0) == price(b, 0) == mpf("0.5")


def test_a_saturated_market_sells_shares_at_one_and_the_other_side_for_almost_nothing():
    assert abs(shares(10, -(10**7), 1) - 1) < TINY
    assert abs(shares(10, 10**7, 1) - (10**7 + 10 * exact.log(exact.exp(mpf(1) / 10) - 1))) < TINY * 10**7


@pytest.mark.parametrize("p0", ["0.01", "0.5", "0.9"])
@pytest.mark.parametrize("side", [YES, NO])
def test_the_creator_loses_at_most_the_seed_and_a_long_one_sided_run_comes_close(p0, side):
    market = Market(p0)
    losses = []
    for _ in range(200):
        market.bet(side)
        losses.append(-market.gain(side))
    assert losses == sorted(losses)
    # The likelier side is worth its head start to the creator: those shares belong to nobody.
    bound = market.max_loss - market.start[side]
    assert bound <= market.max_loss == 10
    assert 0 < bound - losses[-1] < mpf(10) ** -4


def test_an_invalid_market_costs_the_creator_nothing():
    market = Market("0.2")
    market.bet(YES)
    assert market.gain(INVALID) == 0
    assert market.gain(YES) < 0 < market.gain(NO)


def test_a_quote_says_what_a_bet_then_does_and_changes_nothing():
    market = Market("0.25")
    quote = market.quote(NO, 2)
    assert (market.staked, market.sold[NO]) == (0, 0)
    assert market.bet(NO, 2) == quote.shares == market.sold[NO]
    assert market.price(NO) == quote.price_after
    assert quote.odds == quote.shares / 2
    assert market.staked == 2


def test_outcomes_have_the_numbers_of_the_contract():
    assert [(o.name, o.value) for o in Outcome] == [("YES", 1), ("NO", 2), ("INVALID", 4)]
    assert (YES.other, NO.other) == (NO, YES)
    with pytest.raises(KeyError):
        _ = INVALID.other


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        ("1", "1.00"),
        ("0.5", "2.00"),
        ("0.0008", "1,250.00"),
        ("0.000001", "1,000,000.00"),
        ("0.00000099", "over 1,000,000"),
        ("0", "over 1,000,000"),
    ],
)
def test_odds_are_shown_to_two_decimals_and_saturate(probability, text):
    assert odds_text(odds(mpf(probability))) == text


def test_the_brier_score_is_the_squared_distance_from_what_happened():
    assert brier(1, True) == 0
    assert brier(1, False) == 1
    assert brier("0.3", False) == mpf("0.3") ** 2
    assert brier("0.3", True) == (1 - mpf("0.3")) ** 2
