"""The LMSR arithmetic as compiled against the exact model: never in the bettor's favour, and as close as proved.

LMSR_SEED changes the random states, LMSR_STATES how many the campaign takes. Amounts are WAD integers throughout.
"""

import json
import os
import random
from math import expm1, log, log2
from pathlib import Path

import pytest

from tessera.model import lmsr
from tessera.model.lmsr import WAD, exact, mpf

SEED = 10 * WAD
STAKE = WAD
FAR = 2**83  # more than 10 EUR and a bet of 1 EUR every 5 s for 366 days: no gap is wider than the pot

# Proved in docs/lmsr-error-bound.md and recomputed by test_lmsr_bound.py; what is promised is 1e-15.
SHARES_WITHIN = mpf("1.4e-16")  # of the exact shares
PRICE_WITHIN = mpf("1.3")
PRICE_AFTER_WITHIN = mpf("-2.74"), mpf("1.95")  # of the exact price once the exact shares are sold
PRICE_LEFT_WITHIN = mpf("-0.0042"), mpf("2.79")  # of the exact price at the gap that is left
OPENING_WITHIN = 76
FIRST_PRICE_WITHIN = mpf("2.2")

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "lmsr.json").read_text())["cases"]
RNG_SEED = int(os.environ.get("LMSR_SEED", "20240614"))


def some_first_prices(rng: random.Random, count: int) -> list[int]:
    edges = [WAD // 100, WAD // 100 + 1, 99 * WAD // 100 - 1, 99 * WAD // 100]
    edges += [WAD // 2 + d for d in (-100, -2, -1, 0, 1, 2, 100)]
    return edges + [rng.randint(WAD // 100, 99 * WAD // 100) for _ in range(count - len(edges))]


def some_gap(rng: random.Random, b: int, stake: int) -> int:
    """A gap where something may go wrong; the places are found in floats, so a few thousand wei around them."""
    grown = expm1(stake / b)
    near = rng.randint(-3000, 3000)
    kind = rng.randrange(7)
    if kind == 0:  # the two forms meet
        return rng.randint(-20, 20)
    if kind == 1:  # every day
        return rng.randint(-8 * b, 8 * b)
    if kind == 2:  # every magnitude
        return rng.choice((-1, 1)) * int(2 ** rng.uniform(0, log2(FAR)))
    if kind == 3:  # the logarithm's argument is a power of two: 1 is where its sign changes
        target = 2.0 ** -rng.randint(0, 3)
        if target <= grown:
            return near
        return int(-b * log((target - grown) / (1 + grown))) + near
    if kind == 4:  # the exponential changes its power of two
        return rng.choice((-1, 1)) * int(b * (rng.randint(0, 60) + 0.5) * log(2)) + near
    if kind == 5:  # the exponential becomes 0: a saturated price
        return rng.choice((-1, 1)) * int(b * 41.446531673892822) + rng.choice((1, 10**14)) * near
    return rng.choice((-1, 1)) * (FAR - rng.randrange(WAD))  # a year of bets on one side


def some_states(rng: random.Random, openings: list[tuple[int, int]], count: int) -> list[tuple[int, int, int]]:
    states = []
    for _ in range(count):
        b = rng.choice(openings)[0]
        stake = rng.choice((STAKE, STAKE, STAKE, rng.randint(1, 100) * STAKE, rng.randint(STAKE, 100 * STAKE)))
        gap = some_gap(rng, b, stake)
        if rng.random() < 0.5:  # stake / b and gap / b lose almost nothing to their rounding: the least margin there is
            gap = (abs(gap) * WAD // b * b // WAD) * (1 if gap > 0 else -1)
            stake = stake if stake == STAKE else -(-stake * WAD // b * b // WAD)
        states.append((b, gap, stake))
    return states


def check_states(evm, count: int):
    print(f"LMSR_SEED={RNG_SEED}, {count} states")  # noqa: T201
    rng = random.Random(RNG_SEED)
    openings = evm.openings(some_first_prices(rng, 1000), SEED)
    farthest = mpf(0)
    while count > 0:
        states = some_states(rng, openings, min(count, 10_000))
        count -= len(states)
        for state, (bought, price_after) in zip(states, evm.buys(states), strict=True):
            owed = lmsr.shares(*state)
            farthest = max(farthest, check_shares(state, bought, owed))
            check_price_after(state, bought, price_after, owed)
    print(f"at most {exact.nstr(farthest, 3)} below")  # noqa: T201


def check_shares(state: tuple[int, int, int], bought: int, owed: mpf) -> mpf:
    """How far below the exact shares, relative to them."""
    assert bought <= owed, f"{state}: {bought} is more than {owed}"
    below = 1 - bought / owed
    assert below <= SHARES_WITHIN, f"{state}: {bought} is {below} below {owed}"
    return below


def check_price_after(state: tuple[int, int, int], bought: int, price_after: int, owed: mpf):
    b, gap, _ = state
    for sold, (least, most) in ((owed, PRICE_AFTER_WITHIN), (bought, PRICE_LEFT_WITHIN)):
        above = price_after - lmsr.price(b, gap - sold) * WAD
        assert least <= above <= most, f"{state}: {price_after} is {above} above"


def test_buys_of_random_states(lmsr_evm):
    check_states(lmsr_evm, 50_000)


@pytest.mark.parametrize(
    "state",
    [
        (10409506245881204208, -510, 53121110155085428717),
        (13003917263148415953, 9671405837965446632058494, 35000000000000000011),
    ],
    ids=["gap<=0", "gap>0"],
)
def test_shares_where_the_unit_taken_off_the_logarithm_is_needed(lmsr_evm, state):
    [(bought, _)] = lmsr_evm.buys([state])
    check_shares(state, bought, lmsr.shares(*state))


@pytest.mark.campaign
def test_buys_of_a_million_random_states(lmsr_evm):
    check_states(lmsr_evm, int(os.environ.get("LMSR_STATES", "1000000")))


def test_a_bet_in_a_saturated_market_buys_a_bit_less_than_one_share(lmsr_evm):
    """The least found; docs/markets.md names it."""
    [(b, _)] = lmsr_evm.openings([507536731635674892], SEED)
    assert lmsr_evm.buys([(b, -1000 * WAD, STAKE)]) == [(999999999999999958, WAD)]


def test_prices_of_random_states(lmsr_evm):
    rng = random.Random(RNG_SEED)
    openings = lmsr_evm.openings(some_first_prices(rng, 1000), SEED)
    states = [(b, gap) for b, gap, _ in some_states(rng, openings, 20_000)]
    there = lmsr_evm.prices(states)
    back = lmsr_evm.prices([(b, -gap) for b, gap in states])
    for (b, gap), p, q in zip(states, there, back, strict=True):
        assert abs(p - lmsr.price(b, gap) * WAD) <= PRICE_WITHIN, (b, gap)
        assert p + q == WAD or gap == 0
    assert lmsr_evm.prices([(openings[0][0], 0)]) == [WAD // 2]


def test_an_opening_costs_at_most_the_seed(lmsr_evm):
    p0s = some_first_prices(random.Random(RNG_SEED), 5000)
    openings = lmsr_evm.openings(p0s, SEED)
    for p0, (b, head_start) in zip(p0s, openings, strict=True):
        assert 0 <= SEED - lmsr.cost(b, head_start, 0) <= OPENING_WITHIN, p0
        exact_b, exact_head_start = lmsr.opening(mpf(p0) / WAD, SEED)
        assert b <= exact_b
        assert head_start <= exact_head_start
        favourite = lmsr.price(b, -head_start) * WAD
        assert abs(favourite - max(p0, WAD - p0)) <= FIRST_PRICE_WITHIN, p0
    assert (min(openings)[0], max(openings)[0]) == (2171472409516259137, 14426950408889634040)


@pytest.mark.parametrize("likelier", [True, False], ids=["favourite", "longshot"])
@pytest.mark.parametrize("p0", [WAD // 100, WAD // 2, 99 * WAD // 100])
def test_ten_thousand_bets_on_one_side_and_a_comeback(lmsr_evm, p0, likelier):
    [(b, head_start)] = lmsr_evm.openings([p0], SEED)
    outstanding = [head_start, 0] if likelier else [0, head_start]
    rng = random.Random(RNG_SEED)
    sides = [0] * 10_000 + [1] * 1000 + [rng.randrange(2) for _ in range(1000)]
    bought = lmsr_evm.replay(b, outstanding[1] - outstanding[0], [(side == 1, STAKE) for side in sides])

    pot = SEED
    for side, (s, price_after) in zip(sides, bought, strict=True):
        state = b, outstanding[1 - side] - outstanding[side], STAKE
        owed = lmsr.shares(*state)
        check_shares(state, s, owed)
        check_price_after(state, s, price_after, owed)
        pot += STAKE
        outstanding[side] += s
        assert pot >= lmsr.cost(b, *outstanding) >= max(outstanding)
    assert bought[10_000][0] > 9_000 * WAD  # the comeback's first bet is paid by all that came before


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"p0={case['p0']}")
def test_golden_values(lmsr_evm, case):
    p0, stake = (int(mpf(case[name]) * WAD) for name in ("p0", "stake"))
    [(b, head_start)] = lmsr_evm.openings([p0], SEED)
    steps = case["steps"]
    gap = head_start if 2 * p0 < WAD else -head_start  # NO less YES
    bought = lmsr_evm.replay(b, gap, [(step["side"] == "NO", stake) for step in steps])

    # A gap that is off by d buys shares off by less than d and leaves a gap off by less than d: errors add up at most.
    # b is off by less than 4e-18 of it, which shifts shares by less than 4e-18 of twice themselves and of the gap.
    moved = SEED + b
    sold = {"YES": 0, "NO": 0}
    for n, (step, (s, price_after)) in enumerate(zip(steps, bought, strict=True), 1):
        moved += s
        within = SHARES_WITHIN * moved
        sold[step["side"]] += s
        gap += s if step["side"] == "NO" else -s
        assert abs(s - mpf(step["shares"]) * WAD) <= within
        [p_yes] = lmsr_evm.prices([(b, gap)])
        wanted, price_within = mpf(step["p_yes_after"]) * WAD, within / (4 * mpf(b)) * WAD
        assert abs(p_yes - wanted) <= price_within + PRICE_WITHIN
        p_yes_after = price_after if step["side"] == "YES" else WAD - price_after
        assert abs(p_yes_after - wanted) <= price_within - PRICE_AFTER_WITHIN[0]
        assert abs(n * stake - sold["YES"] - mpf(step["creator_if_yes"]) * WAD) <= within
        assert abs(n * stake - sold["NO"] - mpf(step["creator_if_no"]) * WAD) <= within
