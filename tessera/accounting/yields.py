"""Yearly yields of staking as the chain shows them now: docs/tickets.md. Never show one without what it assumes."""

from bisect import bisect_left
from fractions import Fraction
from typing import NamedTuple

from web3 import Web3

from tessera.chain.blocks import block_at, check_block_numbers
from tessera.chain.contract import WAD, address_of
from tessera.chain.deployments import Tessera
from tessera.chain.erc20 import Erc20
from tessera.chain.errors import ChainError, calling
from tessera.model.apy import YieldFigures, figures, lending_apy

HOUR, YEAR = 3600, 365 * 24 * 3600
WINDOW_HOURS = 4 * 7 * 24  # over which the growth of a vault is measured
SHORTEST = 12 * HOUR  # seconds that tell anything
MANY = 10**12  # shares, so that what rounding takes does not count
KEPT = Fraction(997, 1000)  # of a price, by who sells in a pair of Uniswap V2
VAULT = [
    {
        "type": "function",
        "name": "convertToAssets",
        "stateMutability": "view",
        "inputs": [{"name": "shares", "type": "uint256"}],
        "outputs": [{"name": "assets", "type": "uint256"}],
    }
]


class Yields(NamedTuple):
    """Fractions of stake a year: the vaults' own, None where that is not known yet, and what follows from it."""

    lending: Fraction | None
    figures: YieldFigures


def yields(tessera: Tessera) -> Yields | None:
    """What staking yields now, by the growth of the vaults and what selling a BET brings; None where nothing is staked.

    Without `lending`, of the figures APY2 alone says something. Raises OtherBlocksError where contracts see another
    block number than the node gives.
    """
    check_block_numbers(tessera.web3)
    staking, blocks_per_hour = tessera.staking, tessera.events.blocks_per_hour()
    if not staking.total_stake():
        return None
    head = tessera.web3.eth.block_number
    since = max(tessera.deployment.first_block, head - WINDOW_HOURS * blocks_per_hour)
    values: list[Fraction] = []
    rates: list[Fraction | None] = []
    for asset in staking.assets():
        unit = 10 ** Erc20(tessera.web3, asset).decimals()
        values.append(Fraction(staking.asset_state(asset).principal, unit))
        rates.append(growth(tessera.web3, staking.vault_of(asset), MANY * unit, since))
    lent = [(value, rate or Fraction(0)) for value, rate in zip(values, rates, strict=True)]
    yearly = figures(lent, _mined(tessera, head), _bet_price(tessera), blocks_per_hour * 24 * 365)
    return Yields(None if None in rates else lending_apy(lent), yearly)


def growth(web3: Web3, vault: str, shares: int, since: int) -> Fraction | None:
    """How much so many shares grew since a block, or as far back as the node remembers, as a yearly rate.

    None where that is less than half a day, or the vault does not answer.
    """
    converted = web3.eth.contract(address_of(vault), abi=VAULT).functions.convertToAssets(shares)
    head = block_at(web3)

    def worth(number: int) -> int:
        try:
            with calling("convertToAssets"):
                return converted.call(block_identifier=number)
        except ChainError:
            return 0  # there was no vault yet, the node has forgotten, or the vault is broken

    then, now = worth(since), worth(head.number)
    if not then:
        since = bisect_left(range(head.number), True, lo=since, key=lambda number: worth(number) > 0)
        then = worth(since)
    elapsed = head.timestamp - block_at(web3, since).timestamp
    if elapsed < SHORTEST or not then or not now:
        return None
    return (Fraction(now, then) - 1) * YEAR / elapsed


def _mined(tessera: Tessera, head: int) -> Fraction:
    """BET in a block for all stakers."""
    start, end = tessera.staking.mining_blocks()
    return Fraction(tessera.staking.mining_rate() if start <= head < end else 0, WAD)


def _bet_price(tessera: Tessera) -> Fraction:
    """What one BET would bring, in prize tokens, which count as USD; 0 where nobody buys."""
    prize_tokens, bets = tessera.prizes.market()
    unit = 10 ** Erc20(tessera.web3, tessera.prizes.prize_token()).decimals()
    return Fraction(prize_tokens * WAD, bets * unit) * KEPT if bets else Fraction(0)
