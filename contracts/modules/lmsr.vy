# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Logarithmic market scoring rule for two outcomes
@author Tessera
@license AGPL-3.0-only
@notice Pure arithmetic in WAD (1e18): shares and prices of a binary market
        whose cost is C(y, n) = b ln(e^(y/b) + e^(n/b)) (Hanson 2003).
@dev Every share count is a proven lower bound of the exact one, at most
     1e-15 of it away, for 2e18 <= b <= 2**64, |gap| < 2**83 WAD and stakes up
     to 100 WAD. The proof is docs/lmsr-error-bound.md. `_exp_down` and
     `_ln_down` carry all of it: whatever follows is monotonic in them.
"""


from snekmate.utils import math


WAD: constant(uint256) = 10**18
MIN_P0: constant(uint256) = 10**16  # 0.01
MAX_P0: constant(uint256) = 99 * 10**16  # 0.99


@internal
@pure
def _opening(p0: uint256, seed: uint256) -> (uint256, uint256):
    """
    @notice The liquidity b and the head start of the likelier side, both rounded
            down, for which C(start) <= seed: the creator can lose no more.
    @dev b = seed / -ln(min(p0, 1 - p0)), head start = b ln(p / (1 - p)) with
         p = max(p0, 1 - p0). The caller checks MIN_P0 <= p0 <= MAX_P0.
    @param p0 First price of YES, WAD.
    @param seed What the creator puts in, WAD.
    @return b and head start, WAD.
    """
    low: uint256 = min(p0, WAD - p0)
    # ln of a number below one is negative: its lower bound makes b smaller.
    b: uint256 = seed * WAD // convert(-self._ln_down(low), uint256)
    if low * 2 == WAD:
        return b, 0
    return b, b * convert(self._ln_down((WAD - low) * WAD // low), uint256) // WAD


@internal
@pure
def _shares_down(b: uint256, gap: int256, stake: uint256) -> uint256:
    """
    @notice Shares of a side that `stake` buys, rounded down.
    @dev With g = e^(stake/b) - 1 and x = gap / b the exact value is
         b ln(1 + g + g e^x) for x <= 0 and b (x + ln(g + (1 + g) e^-x)) for x > 0:
         two forms of one number, each with an exponential that cannot overflow.
    @param b Liquidity, WAD.
    @param gap Shares of the other side less shares of this side, WAD.
    @param stake Money, WAD.
    @return Shares, WAD.
    """
    grown: uint256 = self._exp_down(convert(stake * WAD // b, int256))  # 1 + g
    # |x| rounded up, so that its exponential is rounded down.
    e: uint256 = self._exp_down(-convert(convert(abs(gap), uint256) * WAD // b + 1, int256))
    if gap <= 0:
        # The argument is at least 1 + g > 1: its logarithm is positive.
        return b * convert(self._ln_down(grown + (grown - WAD) * e // WAD), uint256) // WAD

    log_term: int256 = self._ln_down(grown - WAD + grown * e // WAD)
    if log_term >= 0:
        return convert(gap, uint256) + b * convert(log_term, uint256) // WAD
    # What is taken away is rounded up. It is less than gap: a stake buys more shares than it has units.
    return convert(gap, uint256) - (b * convert(-log_term, uint256) + WAD - 1) // WAD


@internal
@pure
def _price(b: uint256, gap: int256) -> uint256:
    """
    @notice Price of a side, 1 / (1 + e^(gap / b)), to within 2e-18.
    @param b Liquidity, WAD.
    @param gap Shares of the other side less shares of this side, WAD.
    @return Price, WAD; the prices of both sides add up to WAD exactly.
    """
    e: uint256 = convert(math._wad_exp(-convert(convert(abs(gap), uint256) * WAD // b, int256)), uint256)
    favourite: uint256 = WAD * WAD // (WAD + e)
    return favourite if gap <= 0 else WAD - favourite


@internal
@pure
def _exp_down(x: int256) -> uint256:
    # wad_exp is above the exact value by less than one unit for x < 46.1e18.
    return convert(max(math._wad_exp(x) - 1, 0), uint256)


@internal
@pure
def _ln_down(x: uint256) -> int256:
    # wad_ln is above the exact value by less than one unit.
    return math._wad_ln(convert(x, int256)) - 1
