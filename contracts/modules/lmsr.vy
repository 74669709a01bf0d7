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
    b: uint256 = seed * WAD // convert(-self._ln_down(low), uint256)
    if low * 2 == WAD:
        return b, 0
    return b, b * convert(self._ln_down((WAD - low) * WAD // low), uint256) // WAD


@internal
@pure
def _buy(b: uint256, gap: int256, stake: uint256) -> (uint256, uint256):
    """
    @notice Shares of a side that `stake` buys, rounded down, and the price of that
            side afterwards, to within 5e-18.
    @dev With g = e^(stake/b) - 1 and x = gap / b the exact number of shares is
         b ln(1 + g + g e^x) for x <= 0 and b (x + ln(g + (1 + g) e^-x)) for x > 0:
         two forms of one number, each with an exponential that cannot overflow.
         The other side keeps its shares while the cost grows by the stake: its
         price is divided by 1 + g.
         Nothing leaves its word within the bounds above, so nothing is checked.
    @param b Liquidity, WAD.
    @param gap Shares of the other side less shares of this side, WAD.
    @param stake Money, WAD.
    @return Shares and price, WAD.
    """
    grown: uint256 = convert(math._wad_exp(convert(unsafe_div(unsafe_mul(stake, WAD), b), int256)), uint256)  # 1 + g
    # |x| rounded up, so that its exponential is rounded down.
    x: int256 = unsafe_div(unsafe_mul(abs(gap), SIGNED_WAD), convert(b, int256))
    e: uint256 = convert(math._wad_exp(unsafe_sub(-1, x)), uint256)
    both: uint256 = unsafe_mul(unsafe_add(WAD, e), grown)
    if gap <= 0:
        # The argument is at least 1 + g, far enough above 1 for a positive logarithm.
        ln: int256 = self._ln_down(unsafe_add(grown, unsafe_div(unsafe_mul(unsafe_sub(grown, WAD), e), WAD)))
        price: uint256 = unsafe_sub(WAD, unsafe_div(unsafe_mul(e, WAD * WAD), both))
        return unsafe_div(unsafe_mul(b, convert(ln, uint256)), WAD), price

    ln: int256 = self._ln_down(unsafe_add(unsafe_sub(grown, WAD), unsafe_div(unsafe_mul(grown, e), WAD)))
    price: uint256 = unsafe_sub(WAD, unsafe_div(WAD * WAD * WAD, both))
    if ln >= 0:
        return unsafe_add(convert(gap, uint256), unsafe_div(unsafe_mul(b, convert(ln, uint256)), WAD)), price
    # What is taken away is rounded up, and less than gap: no share costs more than 1, so a stake buys at least as many.
    return unsafe_sub(convert(gap, uint256), unsafe_div(unsafe_add(unsafe_mul(b, convert(-ln, uint256)), WAD - 1), WAD)), price


@internal
@pure
def _price(b: uint256, gap: int256) -> uint256:
    """
    @notice Price of a side, 1 / (1 + e^(gap / b)), to within 1.3e-18.
    @param b Liquidity, WAD.
    @param gap Shares of the other side less shares of this side, WAD.
    @return Price, WAD; the prices of both sides add up to WAD exactly.
    """
    favourite: uint256 = WAD * WAD // (WAD + self._exp(-convert(convert(abs(gap), uint256) * WAD // b, int256)))
    return favourite if gap <= 0 else WAD - favourite


@internal
@pure
def _exp(x: int256) -> uint256:
    return convert(math._wad_exp(x), uint256)


@internal
@pure
def _ln_down(x: uint256) -> int256:
    return math._wad_ln(convert(x, int256)) - 1
