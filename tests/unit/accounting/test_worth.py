"""What bets and seeds are worth: by the contract's own positions and prices, and by hand at the ends."""

from dataclasses import replace

import pytest

from tessera.accounting.worth import Worth, in_markets
from tessera.chain import EUR, WAD, Outcome
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated

SIDES = (Outcome.YES, Outcome.NO)


def worth_now(tessera):
    return in_markets(tessera.log_reader().read(), tessera.markets.address)


def value(tessera, market, account):
    """Of an account's shares by the contract's prices, in units, not rounded."""
    shares, prices = tessera.markets.position(market, account).shares, tessera.markets.prices(market)
    return sum(shares[side] * prices[side] for side in SIDES) / WAD / 10**12


@pytest.fixture
def people(creator, bettor, other_bettor):
    return [person.address for person in (creator, bettor, other_bettor)]


@pytest.fixture
def three_bets(bettor, other_bettor, market, bet):
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    bet(bettor, market, Outcome.NO)


def test_a_seed_is_worth_itself_before_anybody_bets(tessera, creator, market):
    assert worth_now(tessera) == {creator.address: 10 * EUR}


@pytest.mark.usefixtures("three_bets")
def test_shares_are_worth_their_price_and_the_seed_what_they_leave(tessera, market, people):
    creator, *bettors = people
    shares = [value(tessera, market, account) for account in bettors]
    worth = worth_now(tessera)
    assert worth.keys() == set(people)
    for account, exact in zip(bettors, shares, strict=True):
        assert exact - 1 < worth[account] <= exact
    left = 13 * EUR - sum(shares)
    assert left - 1 < worth[creator] <= left
    assert worth[creator] != 10 * EUR


@pytest.mark.usefixtures("three_bets")
@pytest.mark.parametrize("outcome", [*SIDES, Outcome.INVALID])
def test_after_the_end_what_is_not_claimed_counts(tessera, creator, market, people, settle, outcome):
    bettors = people[1:]
    due = {account: tessera.markets.position(market, account).payoff(outcome) for account in bettors}
    settle(market, outcome)
    assert worth_now(tessera) == {creator.address: 0, **due}
    assert sum(due.values()) > 0
    tessera.markets.claim_many(creator, market, bettors)
    assert set(worth_now(tessera).values()) == {0}


@pytest.mark.usefixtures("three_bets")
def test_markets_are_counted_apart_and_together(tessera, market, people):
    rows = list(tessera.log_reader().read())
    first = in_markets(rows, tessera.markets.address)
    moved = [replace(row, market_id=market + 1) if hasattr(row, "market_id") else row for row in rows]
    pot = (market + 1).to_bytes(32, "big")
    moved = [
        replace(row, pot=pot) if isinstance(row, Entry) and int.from_bytes(row.pot, "big") else row for row in moved
    ]
    assert in_markets(moved, tessera.markets.address) == first
    assert in_markets([*rows, *moved], tessera.markets.address) == {account: 2 * first[account] for account in people}


@pytest.mark.usefixtures("three_bets")
def test_seeds_and_payments_of_other_products_are_none_of_theirs(tessera, bettor, market, people, settle):
    settle(market, Outcome.YES)
    rows = list(tessera.log_reader().read())
    before = in_markets(rows, tessera.markets.address)
    seed = next(row for row in rows if isinstance(row, Entry) and row.kind == Kind.DEPOSIT_SEED)
    stranger = replace(seed, product=tessera.escrow.address)
    paid = [replace(stranger, account=bettor.address, kind=kind) for kind in (Kind.PAYOUT, Kind.REFUND)]
    assert in_markets([*rows, stranger, *paid], tessera.markets.address) == before
    without = [row for row in rows if row is not seed]
    assert in_markets(without, tessera.markets.address) == before  # it is over: the seed is with its creator


@pytest.mark.usefixtures("three_bets")
def test_a_log_of_a_bet_on_neither_side_stops_nobody_s_table(tessera, bettor, creator, market):
    rows = list(tessera.log_reader().read())
    before = in_markets(rows, tessera.markets.address)
    last = [row for row in rows if isinstance(row, BetPlaced)][-1]
    odd = replace(last, side=Outcome.INVALID, account=creator.address, price_after=WAD - last.price_after)
    after = in_markets([*rows, odd], tessera.markets.address)
    assert after.keys() == before.keys()
    # What was put in without a share is left to the creator; each of the three is rounded down.
    assert abs(sum(after.values()) - sum(before.values()) - EUR) < 3


@pytest.mark.usefixtures("three_bets")
def test_a_market_whose_beginning_is_not_known_is_worth_nothing(tessera, market, people):
    rows = [row for row in tessera.log_reader().read() if not isinstance(row, MarketCreated)]
    assert in_markets(rows, tessera.markets.address) == dict.fromkeys(people[1:], 0)
    assert Worth(tessera.markets.address).of(people[0]) == 0
