# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Router
@author Tessera
@license AGPL-3.0-only
@notice Swaps and liquidity over pairs with Uniswap V2's interface: a stand-in
        for its router and factory in one on local chains.
@custom:halt Nothing halts it. Never deployed elsewhere.
"""


from ethereum.ercs import IERC20

from ..interfaces import IUniswapV2Pair
from ..interfaces import IUniswapV2Router


implements: IUniswapV2Router


interface Pair:
    def mint(to: address) -> uint256: nonpayable
    def swap(amount0Out: uint256, amount1Out: uint256, to: address, data: Bytes[32]): nonpayable


MAX_PATH: constant(uint256) = 4


getPair: public(HashMap[address, HashMap[address, address]])


@external
def add_pair(pair: address):
    """
    @notice Makes a pair known, once for its two tokens. Anybody may.
    @param pair A deployed pair.
    """
    token0: address = staticcall IUniswapV2Pair(pair).token0()
    token1: address = staticcall IUniswapV2Pair(pair).token1()
    assert self.getPair[token0][token1] == empty(address), "router: pair exists"
    self.getPair[token0][token1] = pair
    self.getPair[token1][token0] = pair


@external
def addLiquidity(
    tokenA: address,
    tokenB: address,
    amountADesired: uint256,
    amountBDesired: uint256,
    amountAMin: uint256,
    amountBMin: uint256,
    to: address,
    deadline: uint256,
) -> (uint256, uint256, uint256):
    """
    @notice Adds liquidity at the pair's price.
    @param tokenA One token.
    @param tokenB The other.
    @param amountADesired At most so much of A.
    @param amountBDesired At most so much of B.
    @param amountAMin At least so much of A.
    @param amountBMin At least so much of B.
    @param to Who gets the liquidity.
    @param deadline Unix seconds.
    @return Amounts of A and B taken, liquidity, each rounded down.
    """
    self._check_deadline(deadline)
    pair: address = self._pair(tokenA, tokenB)
    amount_a: uint256 = amountADesired
    amount_b: uint256 = amountBDesired
    reserve_a: uint256 = 0
    reserve_b: uint256 = 0
    reserve_a, reserve_b = self._reserves(pair, tokenA)
    if reserve_a != 0:
        amount_b = amount_a * reserve_b // reserve_a
        if amount_b > amountBDesired:
            amount_b = amountBDesired
            amount_a = amount_b * reserve_a // reserve_b
    assert amount_a >= amountAMin and amount_b >= amountBMin, "router: price moved"
    self._take(tokenA, pair, amount_a)
    self._take(tokenB, pair, amount_b)
    return amount_a, amount_b, extcall Pair(pair).mint(to)


@external
def swapExactTokensForTokens(
    amountIn: uint256, amountOutMin: uint256, path: DynArray[address, MAX_PATH], to: address, deadline: uint256
) -> DynArray[uint256, MAX_PATH]:
    """
    @notice Swaps all of an amount along a path of tokens.
    @param amountIn Of the first token.
    @param amountOutMin At least so much of the last.
    @param path Tokens, each with a pair to the next.
    @param to Who gets the last.
    @param deadline Unix seconds.
    @return Amount of each token of the path, rounded down.
    """
    self._check_deadline(deadline)
    amounts: DynArray[uint256, MAX_PATH] = self._amounts_out(amountIn, path)
    assert amounts[len(path) - 1] >= amountOutMin, "router: too little out"
    self._take(path[0], self._pair(path[0], path[1]), amountIn)
    for i: uint256 in range(len(path) - 1, bound=MAX_PATH):
        pair: address = self._pair(path[i], path[i + 1])
        receiver: address = to
        if i + 2 < len(path):
            receiver = self._pair(path[i + 1], path[i + 2])
        if path[i] == staticcall IUniswapV2Pair(pair).token0():
            extcall Pair(pair).swap(0, amounts[i + 1], receiver, b"")
        else:
            extcall Pair(pair).swap(amounts[i + 1], 0, receiver, b"")
    return amounts


@external
@view
def getAmountsOut(amountIn: uint256, path: DynArray[address, MAX_PATH]) -> DynArray[uint256, MAX_PATH]:
    """
    @notice What a swap would give now.
    @param amountIn Of the first token.
    @param path Tokens, each with a pair to the next.
    @return Amount of each token of the path, rounded down.
    """
    return self._amounts_out(amountIn, path)


@external
@view
def factory() -> address:
    """
    @notice Where `getPair` is.
    @return This contract.
    """
    return self


@internal
@view
def _check_deadline(deadline: uint256):
    assert block.timestamp <= deadline, "router: deadline passed"


@internal
@view
def _pair(token_a: address, token_b: address) -> address:
    pair: address = self.getPair[token_a][token_b]
    assert pair != empty(address), "router: no such pair"
    return pair


@internal
@view
def _reserves(pair: address, token: address) -> (uint256, uint256):
    reserve0: uint112 = 0
    reserve1: uint112 = 0
    updated_at: uint32 = 0
    reserve0, reserve1, updated_at = staticcall IUniswapV2Pair(pair).getReserves()
    if token == staticcall IUniswapV2Pair(pair).token0():
        return convert(reserve0, uint256), convert(reserve1, uint256)
    return convert(reserve1, uint256), convert(reserve0, uint256)


@internal
@view
def _amounts_out(amount_in: uint256, path: DynArray[address, MAX_PATH]) -> DynArray[uint256, MAX_PATH]:
    assert len(path) >= 2, "router: path too short"
    amounts: DynArray[uint256, MAX_PATH] = [amount_in]
    for i: uint256 in range(len(path) - 1, bound=MAX_PATH):
        reserve_in: uint256 = 0
        reserve_out: uint256 = 0
        reserve_in, reserve_out = self._reserves(self._pair(path[i], path[i + 1]), path[i])
        paid: uint256 = amounts[i] * 997
        amounts.append(paid * reserve_out // (reserve_in * 1000 + paid))
    return amounts


@internal
def _take(token: address, pair: address, amount: uint256):
    assert extcall IERC20(token).transferFrom(
        msg.sender, pair, amount, default_return_value=True
    ), "router: transfer failed"
