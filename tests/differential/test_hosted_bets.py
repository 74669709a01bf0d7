"""ProrataBets and OddsBets against their models, over random stakes: every figure to the unit."""

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.model.odds import Book, greatest_in_units
from tessera.model.prorata import settle_in_units
from tests.hosted import NOW, THRESHOLD, House

stakes = st.one_of(st.integers(1, 50), st.integers(1, 10**10))
bps = st.sampled_from([0, 1, 333, 500, 1_000])


@pytest.fixture(scope="module")
def pools():
    boa.env.evm.patch.timestamp = NOW
    return House("ProrataBets")


@pytest.fixture(scope="module")
def odds():
    boa.env.evm.patch.timestamp = NOW
    return House("OddsBets")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), stakes), max_size=8), st.integers(0, 2), bps, bps)
def test_pools_pay_what_the_model_says(pools, bets, outcome, host_bps, validator_bps):
    listing = pools.listed(
        predictions=["a", "b", "c"], min_stake=1, max_stake=2**84 - 1, host_bps=host_bps, validator_bps=validator_bps
    )
    named = [(pools.players[who], side, amount) for who, side, amount in bets]
    for player, side, amount in named:
        pools.place(listing, player, side, amount)
    host, member = pools.balance(pools.host), pools.balance(pools.members[0])
    pools.settled(listing, outcome)
    model = settle_in_units(
        [(player.address, side, amount) for player, side, amount in named],
        outcome, host_bps=host_bps, validator_bps=validator_bps, members=THRESHOLD,
    )  # fmt: skip
    assert pools.balance(pools.members[0]) - member == model.member
    for account, payout in model.payouts.items():
        assert pools.bets.claim(listing.bet_id, account) == payout
    assert pools.balance(pools.host) - host == model.host + model.residue
    assert pools.pot(listing) == 0


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.one_of(st.integers(1, 65_535), st.integers(960, 1_040)), min_size=2, max_size=4),
    bps,
    st.integers(0, 10**10),
    st.lists(st.tuples(st.integers(0, 3), stakes), min_size=1, max_size=6),
)
def test_odds_confirm_what_the_model_says(odds, profits, validator_bps, bankroll, bets):
    """At once as they are placed, and then the greatest totals, of which no unit more is covered."""
    listing = odds.listed(
        bankroll=bankroll, predictions=["a", "b", "c", "d"][: len(profits)], profits=profits, min_stake=1,
        max_stake=2**84 - 1, validator_bps=validator_bps,
    )  # fmt: skip
    book = Book(list(profits), validator_bps, bankroll)
    player = odds.players[0]
    for side, amount in bets:
        odds.place(listing, player, side % len(profits), amount)
        book.place(player.address, side % len(profits), amount)
    lines = [odds.lens.line(listing.bet_id, k) for k in range(len(profits))]
    assert [line.staked for line in lines] == book.stakes
    wished = [x + waits for x, waits in zip(book.stakes, book.pending(), strict=True)]
    totals = greatest_in_units(profits, validator_bps, bankroll, wished)
    odds.bets.confirm(listing.bet_id, totals)
    assert odds.lens.book(listing.bet_id).needed <= bankroll
    for k, (total, wish) in enumerate(zip(totals, wished, strict=True)):
        if total < wish:
            with boa.reverts("odds: totals not covered"):
                odds.bets.confirm(listing.bet_id, [t + (j == k) for j, t in enumerate(totals)])
