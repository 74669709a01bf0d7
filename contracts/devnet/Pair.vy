# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Pair
@author Tessera
@license AGPL-3.0-only
@notice A constant-product pair with Uniswap V2's interface, fee (0.3 %) and
        cumulative prices: a stand-in for it on local chains. No flash swaps.
@dev Invariant: reserve0 * reserve1 / totalSupply**2 never falls.
@custom:halt Nothing halts it. Never deployed elsewhere.
"""


from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20

from ..interfaces import IUniswapV2Pair


implements: IUniswapV2Pair
initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.allowance,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
)


event Sync:
    reserve0: uint112
    reserve1: uint112


event Swap:
    sender: indexed(address)
    amount0In: uint256
    amount1In: uint256
    amount0Out: uint256
    amount1Out: uint256
    to: indexed(address)


MINIMUM_LIQUIDITY: public(constant(uint256)) = 1000
LOCKED: constant(address) = 0x000000000000000000000000000000000000dEaD
Q112: constant(uint256) = 2**112


token0: public(immutable(address))
token1: public(immutable(address))


price0CumulativeLast: public(uint256)  # UQ112x112 seconds, meant to overflow
price1CumulativeLast: public(uint256)
_reserve0: uint256
_reserve1: uint256
_updated_at: uint256


@deploy
def __init__(token_a: address, token_b: address):
    """
    @param token_a One of the tokens.
    @param token_b The other; `token0` is the lower address.
    """
    assert token_a != token_b, "pair: same token"
    is_sorted: bool = convert(token_a, uint256) < convert(token_b, uint256)
    token0 = token_a if is_sorted else token_b
    token1 = token_b if is_sorted else token_a
    ownable.__init__()
    erc20.__init__("Tessera Pair", "PAIR", 18, "Tessera Pair", "1")


@external
def mint(to: address) -> uint256:
    """
    @notice Creates liquidity for the tokens sent before.
    @param to Who gets it.
    @return Liquidity, rounded down.
    """
    balance0: uint256 = 0
    balance1: uint256 = 0
    balance0, balance1 = self._balances()
    amount0: uint256 = balance0 - self._reserve0
    amount1: uint256 = balance1 - self._reserve1
    liquidity: uint256 = 0
    if erc20.totalSupply == 0:
        liquidity = isqrt(amount0 * amount1) - MINIMUM_LIQUIDITY
        erc20._mint(LOCKED, MINIMUM_LIQUIDITY)
    else:
        liquidity = min(
            amount0 * erc20.totalSupply // self._reserve0, amount1 * erc20.totalSupply // self._reserve1
        )
    assert liquidity != 0, "pair: no liquidity minted"
    erc20._mint(to, liquidity)
    self._update(balance0, balance1)
    return liquidity


@external
def burn(to: address) -> (uint256, uint256):
    """
    @notice Pays out the liquidity sent to the pair before.
    @param to Who gets the tokens.
    @return Amounts of token0 and token1, rounded down.
    """
    liquidity: uint256 = erc20.balanceOf[self]
    balance0: uint256 = 0
    balance1: uint256 = 0
    balance0, balance1 = self._balances()
    amount0: uint256 = liquidity * balance0 // erc20.totalSupply
    amount1: uint256 = liquidity * balance1 // erc20.totalSupply
    assert amount0 != 0 and amount1 != 0, "pair: no liquidity burned"
    erc20._burn(self, liquidity)
    self._send(token0, to, amount0)
    self._send(token1, to, amount1)
    balance0, balance1 = self._balances()
    self._update(balance0, balance1)
    return amount0, amount1


@external
def swap(amount0Out: uint256, amount1Out: uint256, to: address, data: Bytes[32]):
    """
    @notice Pays out tokens against those sent before.
    @param amount0Out Of token0.
    @param amount1Out Of token1.
    @param to Who gets them.
    @param data Empty: there are no flash swaps.
    """
    assert len(data) == 0, "pair: no flash swaps"
    assert amount0Out != 0 or amount1Out != 0, "pair: nothing to swap"
    reserve0: uint256 = self._reserve0
    reserve1: uint256 = self._reserve1
    assert amount0Out < reserve0 and amount1Out < reserve1, "pair: reserve too small"
    self._send(token0, to, amount0Out)
    self._send(token1, to, amount1Out)
    balance0: uint256 = 0
    balance1: uint256 = 0
    balance0, balance1 = self._balances()
    rest0: uint256 = reserve0 - amount0Out
    rest1: uint256 = reserve1 - amount1Out
    in0: uint256 = balance0 - rest0 if balance0 > rest0 else 0
    in1: uint256 = balance1 - rest1 if balance1 > rest1 else 0
    assert in0 != 0 or in1 != 0, "pair: nothing came in"
    assert (balance0 * 1000 - in0 * 3) * (
        balance1 * 1000 - in1 * 3
    ) >= reserve0 * reserve1 * 10**6, "pair: product fell"
    self._update(balance0, balance1)
    log Swap(
        sender=msg.sender, amount0In=in0, amount1In=in1, amount0Out=amount0Out, amount1Out=amount1Out, to=to
    )


@external
def sync():
    """
    @notice Takes what the pair holds as its reserves, and brings the cumulative
            prices up to date.
    """
    balance0: uint256 = 0
    balance1: uint256 = 0
    balance0, balance1 = self._balances()
    self._update(balance0, balance1)


@external
@view
def getReserves() -> (uint112, uint112, uint32):
    """
    @notice The reserves that prices follow.
    @return Of token0, of token1, unix seconds of the last change modulo 2**32.
    """
    return convert(self._reserve0, uint112), convert(self._reserve1, uint112), convert(self._updated_at, uint32)


@internal
@view
def _balances() -> (uint256, uint256):
    return staticcall IERC20(token0).balanceOf(self), staticcall IERC20(token1).balanceOf(self)


@internal
def _send(token: address, to: address, amount: uint256):
    if amount != 0:
        assert extcall IERC20(token).transfer(to, amount, default_return_value=True), "pair: transfer failed"


@internal
def _update(balance0: uint256, balance1: uint256):
    now: uint256 = block.timestamp % 2**32
    elapsed: uint256 = unsafe_sub(now, self._updated_at) % 2**32
    if self._reserve0 != 0 and self._reserve1 != 0:
        self.price0CumulativeLast = unsafe_add(
            self.price0CumulativeLast, self._reserve1 * Q112 // self._reserve0 * elapsed
        )
        self.price1CumulativeLast = unsafe_add(
            self.price1CumulativeLast, self._reserve0 * Q112 // self._reserve1 * elapsed
        )
    self._reserve0 = balance0
    self._reserve1 = balance1
    self._updated_at = now
    # The conversions refuse balances over 112 bits.
    log Sync(reserve0=convert(balance0, uint112), reserve1=convert(balance1, uint112))
