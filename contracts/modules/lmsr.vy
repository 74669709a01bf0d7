# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Logarithmic market scoring rule for two outcomes
@author Tessera
@license AGPL-3.0-only
@notice Pure arithmetic in WAD (1e18): shares and prices of a binary market
        whose cost is C(y, n) = b ln(e^(y/b) + e^(n/b)) (Hanson 2003).
@dev Every share count is a proven lower bound of the exact one, at most
     1.4e-16 of it away, for a seed of 10, a p0 in [0.01, 0.99], stakes from
     1 to 100 and any |gap| < 2**190. The proof is docs/lmsr-error-bound.md.
     Before the cut to whole units `_wad_exp` is above the exact value by less
     than 1.7e-20 of it, and `_wad_ln` by less than 0.06 units. The one unit that
     `_ln_down` takes off pays for both.
"""


from snekmate.utils import math


WAD: constant(uint256) = 10**18
SIGNED_WAD: constant(int256) = 10**18
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
    b: uint256 = seed * WAD // convert(-self._ln_down(convert(low, int256)), uint256)
    if low * 2 == WAD:
        return b, 0
    return b, b * convert(self._ln_down(convert((WAD - low) * WAD // low, int256)), uint256) // WAD


@internal
@pure
def _buy(b: uint256, gap: int256, stake: uint256) -> (uint256, uint256):
    """
    @notice Shares of a side that `stake` buys, rounded down, and the price of that
            side afterwards, to within 2.8e-18.
    @dev The sides' exponentials, e^(y/b) and e^(n/b), add up to e^(C/b). A bet
         multiplies the sum by e^(stake/b) and leaves the other side's as it is.
         The rest is this side's: its part of the sum is the price, b times its
         logarithm the shares. All are taken over the greater one before the bet,
         so none can overflow.
         Nothing leaves its word within the bounds above, so nothing is checked.
    @param b Liquidity, WAD.
    @param gap Shares of the other side less shares of this side, WAD.
    @param stake Money, WAD.
    @return Shares and price, WAD.
    """
    liquidity: int256 = convert(b, int256)
    grown: int256 = math._wad_exp(unsafe_div(unsafe_mul(convert(stake, int256), SIGNED_WAD), liquidity))
    # |gap| / b is rounded up, so that its exponential is rounded down.
    lesser: int256 = math._wad_exp(unsafe_sub(-1, unsafe_div(unsafe_mul(abs(gap), SIGNED_WAD), liquidity)))
    other: int256 = lesser if gap <= 0 else SIGNED_WAD
    both: int256 = unsafe_mul(unsafe_add(SIGNED_WAD, lesser), grown)  # after the bet, WAD squared
    ln: int256 = self._ln_down(unsafe_sub(unsafe_div(both, SIGNED_WAD), other))
    # Not negative even where ln is: no share costs more than 1, so a stake buys at least as many.
    shares: int256 = unsafe_div(
        unsafe_add(unsafe_mul(max(gap, 0), SIGNED_WAD), unsafe_mul(liquidity, ln)), SIGNED_WAD
    )
    price: int256 = unsafe_sub(SIGNED_WAD, unsafe_div(unsafe_mul(other, SIGNED_WAD * SIGNED_WAD), both))
    return convert(shares, uint256), convert(price, uint256)


@internal
@pure
def _price(b: uint256, gap: int256) -> uint256:
    """
    @notice Price of a side, 1 / (1 + e^(gap / b)), to within 1.3e-18.
    @param b Liquidity, WAD.
    @param gap Shares of the other side less shares of this side, WAD.
    @return Price, WAD; the prices of both sides add up to WAD exactly.
    """
    lesser: int256 = math._wad_exp(-(abs(gap) * SIGNED_WAD // convert(b, int256)))
    favourite: uint256 = WAD * WAD // (WAD + convert(lesser, uint256))
    return favourite if gap <= 0 else WAD - favourite


@internal
@pure
def _ln_down(x: int256) -> int256:
    return unsafe_sub(math._wad_ln(x), 1)
