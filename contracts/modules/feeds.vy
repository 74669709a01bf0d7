# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Price feeds
@author Tessera
@license AGPL-3.0-only
@notice Reads Chainlink AggregatorV3 feeds, whatever they do.
"""


from ..interfaces import IPriceFeed
from . import checks


MIN_PRICE: constant(uint256) = 98 * 10**16
MAX_AGE: constant(uint256) = 90_000  # 25 h: stablecoin feeds report daily


@internal
@view
def _decimals(feed: address) -> uint256:
    """
    @notice Decimals of a feed's price; refused where there are too many.
    """
    decimals: uint256 = convert(staticcall IPriceFeed(feed).decimals(), uint256)
    checks._check(decimals <= 18, "pool: bad feed decimals")
    return decimals


@internal
@view
def _answer(feed: address, decimals: uint256) -> (bool, uint256, uint256):
    """
    @return Whether the feed answers with a price of a time that is over, the price in
            WAD, that time in unix seconds.
    """
    ok: bool = False
    data: Bytes[160] = b""
    ok, data = raw_call(
        feed, method_id("latestRoundData()"), max_outsize=160, is_static_call=True, revert_on_failure=False
    )
    if not ok or len(data) != 160:
        return False, 0, 0
    price: uint256 = extract32(data, 32, output_type=uint256)
    updated_at: uint256 = extract32(data, 96, output_type=uint256)
    # Negative answers are large here. A larger one might not fit once it is scaled.
    if price == 0 or price >= 2**96 or updated_at > block.timestamp:
        return False, 0, 0
    return True, price * 10 ** (18 - decimals), updated_at


@internal
@view
def _price_wad(feed: address, decimals: uint256) -> uint256:
    """
    @notice USD per asset, WAD; refused where it cannot be right.
    """
    answers: bool = False
    price: uint256 = 0
    updated_at: uint256 = 0
    answers, price, updated_at = self._answer(feed, decimals)
    checks._check(answers, "pool: no price")
    checks._check(block.timestamp - updated_at <= MAX_AGE, "pool: price is stale")
    checks._check(price >= MIN_PRICE, "pool: price below 0.98")
    return price
