"""The model of pool bets against the golden values, and its whole units against its exact fractions."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.model.prorata import expected_loss, settle, settle_in_units

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "prorata.json").read_text())["cases"]
bets = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.integers(1, 10**9)), max_size=12)
rates = st.integers(0, 1_000)


@pytest.mark.parametrize("case", CASES)
def test_golden_values(case):
    settled = settle(case["bets"], case["winner"], host_bps=case["host_bps"], validator_bps=case["validator_bps"])
    assert settled.payouts == [Fraction(payout) for payout in case["payouts"]]
    assert (settled.host, settled.validators) == (Fraction(case["host"]), Fraction(case["validators"]))


@given(bets, st.sampled_from([0, 1, 2, 3, None]), rates, rates, st.integers(1, 32))
def test_units_add_up_and_are_the_fractions_rounded_down(bets, outcome, host_bps, validator_bps, members):
    rates = {"host_bps": host_bps, "validator_bps": validator_bps}
    units = settle_in_units(bets, outcome, **rates, members=members)
    exact = settle([(prediction, amount) for _, prediction, amount in bets], outcome, **rates)
    total = sum(amount for *_, amount in bets)
    assert sum(units.payouts.values()) + units.host + units.member * members + units.residue == total
    assert units.refunded == exact.refunded
    if units.refunded:
        assert (units.host, units.member, units.residue) == (0, 0, 0)
        return
    for account, payout in units.payouts.items():
        due = sum(due for (who, *_), due in zip(bets, exact.payouts, strict=True) if who == account)
        # Commissions that are rounded down leave winners up to two units more to share.
        assert due - 1 < payout <= due + 2
    assert 0 <= units.residue < len(units.payouts)
    assert exact.host + exact.validators - 2 < units.host + units.member * members <= exact.host + exact.validators


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=4), st.integers(1, 10**9), rates, rates)
def test_what_a_stake_loses_is_what_the_pool_pays_less_where_its_shares_say_how_likely_each_side_is(
    staked, amount, host_bps, validator_bps
):
    """By `settle`: whoever is right is paid, with the chance that the pool then gives it."""
    rates = {"host_bps": host_bps, "validator_bps": validator_bps}
    bets = [*enumerate(staked), (0, amount)]
    total = sum(staked) + amount
    chances = [Fraction(one + amount * (number == 0), total) for number, one in enumerate(staked)]
    worth = sum(chance * settle(bets, number, **rates).payouts[-1] for number, chance in enumerate(chances) if chance)
    assert amount - worth == expected_loss(staked, 0, amount, **rates)
