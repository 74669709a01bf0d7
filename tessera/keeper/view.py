"""What the keeper looks at: the contracts, the logs, the clock of the chain, and what its operator leaves to others."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from web3 import EthereumTesterProvider

from tessera.chain import Tessera
from tessera.chain.blocks import block_at, contract_block
from tessera.chain.erc20 import Token
from tessera.index import Index
from tessera.keeper.history import History


@dataclass(frozen=True)
class Clock:
    """The block, as contracts count them, and the second that the next transaction is at or after."""

    block: int
    time: int


@dataclass(frozen=True)
class Choices:
    """What an operator leaves to others: the buyback, all payments, or those of small prizes.

    `min_prize` is in units of the prize token. `ether_price` is what one ether is worth in prize tokens: with it, a
    prize below the gas that paying it takes is left.
    """

    buy_back: bool = True
    pay: bool = True
    min_prize: int = 0
    ether_price: Decimal | None = None


class View:
    """One deployment, seen by one account (None: by nobody in particular)."""

    def __init__(self, tessera: Tessera, index: Index, account: str | None = None, choices: Choices = Choices()):
        self.tessera, self.history, self.account, self.choices = tessera, History(index), account, choices
        self.web3 = tessera.web3
        self.embedded = isinstance(self.web3.provider, EthereumTesterProvider)
        self.has_tickets = "PredictionEvents" in tessera.deployment.contracts
        self.has_markets = "LmsrMarkets" in tessera.deployment.contracts
        self._tokens: dict[str, Token] = {}

    @cached_property
    def pool(self):
        """StakingPool. Raises ChainError where it is not deployed, as do the next ones."""
        return self.tessera.staking

    @cached_property
    def events(self):
        """PredictionEvents."""
        return self.tessera.events

    @cached_property
    def prizes(self):
        """PrizePool."""
        return self.tessera.prizes

    @cached_property
    def markets(self):
        """LmsrMarkets."""
        return self.tessera.markets

    def clock(self) -> Clock:
        """On a node the newest block; the chain inside the process knows its next one."""
        newest = block_at(self.web3, "pending" if self.embedded else "latest")
        return Clock(contract_block(self.web3), newest.timestamp)

    def token(self, address: str) -> Token:
        """Symbol and decimals of a token."""
        if address not in self._tokens:
            self._tokens[address] = Token.of(self.web3, address)
        return self._tokens[address]

    def assets(self) -> list[Token]:
        """What can be staked now."""
        return [self.token(address) for address in self.pool.assets()]

    @cached_property
    def prize_token(self) -> Token:
        """What prizes are paid in."""
        return self.token(self.prizes.prize_token())

    @cached_property
    def bet(self) -> Token:
        """What the buyback buys."""
        return self.token(self.prizes.read("BET"))

    def title(self, event_id: int) -> str:
        """An event for people: its number and what is predicted."""
        return f"event {event_id}, {self.history.event(event_id).description!r}"
