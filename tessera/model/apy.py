"""Yield figures of staking, in exact fractions. Never show one without `ASSUMPTIONS`.

Source: under the assumptions a person with stake Va of Vtvl wins Va / Vtvl * P_i * 0.8 / 0.5 in period i, so lending
yield counts 0.8 / 0.5 = 1.6 times.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from tessera.model.prizes import BUYBACK_SHARE, EVENT_SHARE

WIN_RATE = Fraction(8, 10)
RIGHT_TICKETS = Fraction(5, 10)
# What of revenue reaches events in the long run, when all that is carried has come round.
REACHES_EVENTS = EVENT_SHARE / (EVENT_SHARE + BUYBACK_SHARE)
ASSUMPTIONS = (
    "takes part in all events",
    "is right in 80 % of them",
    "prizes are equal over events",
    "half of the tickets are right",
    "all join at once",
    "lending yields, prices and total stake stay as they are",
)


class YieldFigures(NamedTuple):
    """Yearly, as fractions of stake. `apy1_net` is after what the buyback takes."""

    apy1: Fraction
    apy1_net: Fraction
    apy2: Fraction
    apy: Fraction


def lending_apy(assets: Iterable[tuple[Fraction | int, Fraction]]) -> Fraction:
    """Average over (value staked, yearly lending yield) of each asset, by value; 0 where nothing is staked."""
    assets = list(assets)
    total = sum(value for value, _ in assets)
    return sum((Fraction(value) * rate for value, rate in assets), Fraction(0)) / total if total else Fraction(0)


def expected_prize(stake: Fraction | int, total_stake: Fraction | int, pool: Fraction | int) -> Fraction:
    """A person's prize in a period whose pool is `pool`, under `ASSUMPTIONS`."""
    return Fraction(stake) / total_stake * pool * WIN_RATE / RIGHT_TICKETS


def figures(
    assets: Iterable[tuple[Fraction | int, Fraction]],
    bet_per_block: Fraction | int,
    bet_price: Fraction | int,
    blocks_per_year: int,
) -> YieldFigures:
    """APY1 from prizes, APY2 from mining at `bet_price` USD a BET, and their sum.

    Raises ValueError if nothing is staked.
    """
    assets = list(assets)
    total = sum(value for value, _ in assets)
    if not total:
        raise ValueError("nothing is staked")
    apy1 = lending_apy(assets) * WIN_RATE / RIGHT_TICKETS
    apy2 = Fraction(bet_per_block) * bet_price / total * blocks_per_year
    return YieldFigures(apy1, apy1 * REACHES_EVENTS, apy2, apy1 + apy2)
