# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Many calls of the LMSR arithmetic in one
@license AGPL-3.0-only
"""


from snekmate.utils import math

from contracts.modules import lmsr


struct State:
    b: uint256
    gap: int256
    stake: uint256


struct Position:
    b: uint256
    gap: int256


struct Opening:
    b: uint256
    head_start: uint256


struct Bet:
    other_side: bool
    stake: uint256


struct Bought:
    shares: uint256
    price_after: uint256


MANY: constant(uint256) = 1000


@external
@pure
def openings(p0s: DynArray[uint256, MANY], seed: uint256) -> DynArray[Opening, MANY]:
    found: DynArray[Opening, MANY] = []
    for p0: uint256 in p0s:
        b: uint256 = 0
        head_start: uint256 = 0
        b, head_start = lmsr._opening(p0, seed)
        found.append(Opening(b=b, head_start=head_start))
    return found


@external
@pure
def buys(states: DynArray[State, MANY]) -> DynArray[Bought, MANY]:
    found: DynArray[Bought, MANY] = []
    for s: State in states:
        found.append(self._buy(s.b, s.gap, s.stake))
    return found


@external
@pure
def prices(states: DynArray[Position, MANY]) -> DynArray[uint256, MANY]:
    found: DynArray[uint256, MANY] = []
    for s: Position in states:
        found.append(lmsr._price(s.b, s.gap))
    return found


@external
@pure
def replay(b: uint256, gap: int256, bets: DynArray[Bet, MANY]) -> DynArray[Bought, MANY]:
    """
    @notice What one bet after another buys; `gap` is the first side's before the first bet.
    """
    found: DynArray[Bought, MANY] = []
    g: int256 = gap
    for bet: Bet in bets:
        bought: Bought = self._buy(b, -g if bet.other_side else g, bet.stake)
        g += convert(bought.shares, int256) if bet.other_side else -convert(bought.shares, int256)
        found.append(bought)
    return found


@external
@pure
def exps(xs: DynArray[int256, MANY]) -> DynArray[int256, MANY]:
    found: DynArray[int256, MANY] = []
    for x: int256 in xs:
        found.append(math._wad_exp(x))
    return found


@external
@pure
def lns(xs: DynArray[int256, MANY]) -> DynArray[int256, MANY]:
    found: DynArray[int256, MANY] = []
    for x: int256 in xs:
        found.append(math._wad_ln(x))
    return found


@internal
@pure
def _buy(b: uint256, gap: int256, stake: uint256) -> Bought:
    shares: uint256 = 0
    price_after: uint256 = 0
    shares, price_after = lmsr._buy(b, gap, stake)
    return Bought(shares=shares, price_after=price_after)
