"""Quotes and positions: what is shown before a bet is what the bet gets, and the model's numbers."""

from fractions import Fraction

import pytest

from tessera.chain import EUR, WAD, Outcome
from tessera.chain.lmsr_markets import BetPlaced, Position, Quote
from tessera.model import lmsr

# Two prices of one state, computed in different ways, are each less than 2 units off (docs/lmsr-error-bound.md).
PRICE_UNITS = 4
SIDES = (Outcome.YES, Outcome.NO)


@pytest.mark.parametrize("side", SIDES)
def test_a_bet_gets_what_was_quoted(tessera, bettor, market, side):
    quote = tessera.markets.quote(market, side)
    assert quote.price == tessera.markets.prices(market)[side]
    placed = tessera.markets.bet(bettor, market, side, min_shares=quote.shares).event(BetPlaced)
    assert (placed.shares, placed.price_after, placed.effective_odds) == (quote.shares, quote.price_after, quote.odds)
    assert abs(tessera.markets.prices(market)[side] - quote.price_after) <= PRICE_UNITS
    assert tessera.markets.position(market, bettor.address).payoff(side) == quote.max_payoff


@pytest.mark.parametrize("side", SIDES)
def test_a_quote_is_the_model_s(tessera, market, side):
    model = lmsr.Market(Fraction(4, 10))
    expected = model.quote(side)
    quote = tessera.markets.quote(market, side)
    # The contract's shares are below the model's by at most 1.4e-16 of them (docs/lmsr-error-bound.md). An impact is
    # the difference of two prices, and this p0 is met to within 2.2 units.
    assert 0 <= expected.shares * WAD - quote.shares < 1.4e-16 * quote.shares + 1
    assert abs(quote.price_impact - (expected.price_after - model.price(side)) * WAD) <= PRICE_UNITS
    assert 0 <= expected.odds * WAD - quote.odds < 1.4e-16 * quote.shares + 2
    loss = (1 - expected.shares * model.price(side)) * EUR
    assert 0 <= quote.expected_loss - loss < 1 + 1e-9  # rounded up to a unit


def test_a_quote_of_many_bets_is_what_many_bets_get(tessera, bettor, market, bet):
    quote = tessera.markets.quote(market, Outcome.NO, bets=3)
    assert quote.stake == 3 * EUR
    shares = sum(bet(bettor, market, Outcome.NO).event(BetPlaced).shares for _ in range(3))
    # Each bet is rounded down by less than 1.4e-16 of its shares, and so is the sum of all.
    assert abs(shares - quote.shares) < 3 * 1.4e-16 * quote.shares + 3
    assert tessera.markets.position(market, bettor.address).average_odds(Outcome.NO) == shares * EUR // (3 * EUR)


def test_numbers_of_a_quote_by_hand():
    quote = Quote(Outcome.YES, stake=EUR, shares=1_900_000_500_000_000_000, price=WAD // 2, price_after=WAD * 6 // 10)
    assert quote.odds == 1_900_000_500_000_000_000
    assert quote.max_payoff == 1_900_000  # half a unit is left
    assert quote.price_impact == WAD // 10
    assert quote.expected_loss == 50_000  # 49,999.75 rounded up


def test_a_bet_whose_price_rises_enough_is_still_a_loss_in_expectation(tessera, market):
    for side in SIDES:
        assert tessera.markets.quote(market, side).expected_loss > 0


def test_a_position_by_hand():
    position = Position(
        shares={Outcome.YES: 3_500_000_999_999_999_999, Outcome.NO: WAD},
        staked={Outcome.YES: 2 * EUR, Outcome.NO: EUR},
    )
    assert position.average_odds(Outcome.YES) == 1_750_000_499_999_999_999
    assert position.average_odds(Outcome.NO) == WAD
    assert position.payoff(Outcome.YES) == 3_500_000
    assert [position.profit(outcome) for outcome in (*SIDES, Outcome.INVALID)] == [500_000, -2_000_000, 0]


def test_an_empty_position_has_no_odds(tessera, market, stranger):
    position = tessera.markets.position(market, stranger.address)
    assert position.average_odds(Outcome.YES) is None
    assert position.profit(Outcome.NO) == 0
