# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Time-weighted price
@author Tessera
@license AGPL-3.0-only
@notice Average price of a Uniswap V2 style pair over 24 to 72 hours, from its
        cumulative prices. A quote of one moment, which anybody can bend, never
        enters.
@dev Two observations are kept, at least 24 h apart; the latest one old enough is
     used. `_poke` can be called by anyone at any time and changes nothing before
     the newer one is 24 h old.
"""


from ..interfaces import IUniswapV2Pair


MIN_WINDOW: constant(uint256) = 24 * 3600
MAX_WINDOW: constant(uint256) = 72 * 3600


PAIR: public(immutable(address))
BASE_IS_0: immutable(bool)  # whether prices are of token 0, counted in token 1


_older: uint256  # cumulative price
_older_at: uint256
_newer: uint256
_newer_at: uint256


@deploy
def __init__(pair: address, base: address, quote: address):
    token0: address = staticcall IUniswapV2Pair(pair).token0()
    token1: address = staticcall IUniswapV2Pair(pair).token1()
    assert (token0 == base and token1 == quote) or (token0 == quote and token1 == base), "twap: wrong pair"
    PAIR = pair
    BASE_IS_0 = token0 == base


@internal
def _poke() -> bool:
    """
    @notice Notes the cumulative price if the last note is 24 h old.
    @return Whether it did.
    """
    if block.timestamp - self._newer_at < MIN_WINDOW:
        return False
    self._older = self._newer
    self._older_at = self._newer_at
    self._newer = self._cumulative()
    self._newer_at = block.timestamp
    return True


@internal
def _quote_down(amount: uint256) -> uint256:
    """
    @notice What `amount` of the base is worth at the average price, rounded down.
    """
    then: uint256 = self._newer
    noted_at: uint256 = self._newer_at
    if block.timestamp - noted_at < MIN_WINDOW:
        then = self._older
        noted_at = self._older_at
    elapsed: uint256 = block.timestamp - noted_at
    assert elapsed <= MAX_WINDOW, "twap: price is not fresh"
    # Cumulative prices wrap by design; their difference is right (Uniswap V2 whitepaper, 2.2).
    average: uint256 = unsafe_sub(self._cumulative(), then) // elapsed
    # 2**112 fixed point.
    return amount * average >> 112


@internal
def _cumulative() -> uint256:
    # Brings the cumulative price up to this block, at the price that held since the last trade.
    extcall IUniswapV2Pair(PAIR).sync()
    if BASE_IS_0:
        return staticcall IUniswapV2Pair(PAIR).price0CumulativeLast()
    return staticcall IUniswapV2Pair(PAIR).price1CumulativeLast()


@internal
@view
def _base_reserve() -> uint256:
    reserve0: uint112 = 0
    reserve1: uint112 = 0
    noted_at: uint32 = 0
    reserve0, reserve1, noted_at = staticcall IUniswapV2Pair(PAIR).getReserves()
    return convert(reserve0 if BASE_IS_0 else reserve1, uint256)
