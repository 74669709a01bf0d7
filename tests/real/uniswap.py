"""Uniswap V2: factory and router as its authors compiled them (`@uniswap/v2-core`, `@uniswap/v2-periphery`).

The router finds pairs by the hash of their creation code; `deploy` fails where that is not the factory's.
"""

import json
from dataclasses import dataclass

from web3 import Web3

from tessera.chain.wallet import Wallet
from tests.real.foreign import Foreign, node_module

MAX = 2**256 - 1
CORE, PERIPHERY = "@uniswap/v2-core/build", "@uniswap/v2-periphery/build"


def artifact(package: str, name: str) -> tuple[list, str]:
    """ABI and creation code of a contract of Uniswap's."""
    compiled = json.loads(node_module(f"{package}/{name}.json").read_text(encoding="utf-8"))
    return compiled["abi"], compiled["bytecode"].removeprefix("0x")


def amount_out(amount_in: int, reserve_in: int, reserve_out: int) -> int:
    """What a pair gives, rounded down: 0.3 % fee on what comes in (UniswapV2Library.getAmountOut)."""
    with_fee = amount_in * 997
    return with_fee * reserve_out // (reserve_in * 1000 + with_fee)


@dataclass(frozen=True)
class Uniswap:
    """The factory, the router (WETH9 behind it) and what people do with them."""

    factory: Foreign
    router: Foreign

    @classmethod
    def deploy(cls, deployer: Wallet) -> "Uniswap":
        """Factory without a protocol fee, WETH9 and Router02."""
        abi, code = artifact(PERIPHERY, "UniswapV2Router02")
        pair_hash = Web3.keccak(hexstr=artifact(CORE, "UniswapV2Pair")[1]).hex()
        assert pair_hash in code, "the router looks for pairs of another creation code"
        factory = Foreign.deploy(deployer, *artifact(CORE, "UniswapV2Factory"), deployer.address)
        weth = Foreign.deploy(deployer, *artifact(PERIPHERY, "WETH9"))
        return cls(factory, Foreign.deploy(deployer, abi, code, factory.address, weth.address))

    def pair(self, token_a: str, token_b: str) -> Foreign:
        """The pair of two tokens. Raises AssertionError where there is none."""
        address = self.factory.read("getPair", token_a, token_b)
        assert int(address, 16) != 0, "no pair"
        return Foreign(self.factory.web3, address, artifact(CORE, "UniswapV2Pair")[0])

    def create_pair(self, sender: Wallet, token_a: str, token_b: str) -> Foreign:
        """A pair without reserves."""
        self.factory.write(sender, "createPair", token_a, token_b)
        return self.pair(token_a, token_b)

    def add_liquidity(
        self, sender: Wallet, token_a: Foreign, amount_a: int, token_b: Foreign, amount_b: int
    ) -> Foreign:
        """Adds the sender's tokens through the router, which creates the pair if need be; gives the pair."""
        for token in (token_a, token_b):
            token.write(sender, "approve", self.router.address, MAX)
        self.router.write(
            sender, "addLiquidity", token_a.address, token_b.address, amount_a, amount_b, 0, 0, sender.address, MAX
        )
        return self.pair(token_a.address, token_b.address)

    def reserves(self, token_in: str, token_out: str) -> tuple[int, int]:
        """What the pair of two tokens holds of each, in that order."""
        pair = self.pair(token_in, token_out)
        reserve0, reserve1, _ = pair.read("getReserves")
        return (reserve0, reserve1) if pair.read("token0") == token_in else (reserve1, reserve0)

    def swap(self, sender: Wallet, token_in: Foreign, token_out: Foreign, amount_in: int) -> int:
        """Swaps the sender's tokens at whatever price there is; gives what was bought."""
        before = token_out.read("balanceOf", sender.address)
        token_in.write(sender, "approve", self.router.address, MAX)
        path = [token_in.address, token_out.address]
        self.router.write(sender, "swapExactTokensForTokens", amount_in, 0, path, sender.address, MAX)
        return token_out.read("balanceOf", sender.address) - before
