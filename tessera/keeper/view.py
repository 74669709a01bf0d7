"""What the keeper looks at: the contracts, the logs, the clock of the chain, and what its operator leaves to others."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from web3 import EthereumTesterProvider
from web3.exceptions import BadResponseFormat
from web3.middleware import Web3Middleware

from tessera.chain import Tessera
from tessera.chain.erc20 import Token
from tessera.index import Index
from tessera.keeper.history import History

# Code that answers the block number that contracts see. On some chains (Arbitrum) it is not the node's.
BLOCK_NUMBER = "0x4360005260206000f3"
NULL_IS_AN_ANSWER = {
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
}


class NeverNull(Web3Middleware):
    """Makes an error of the null with which overloaded nodes answer, and for which web3 has no word."""

    def response_processor(self, method, response):
        if method.startswith("eth_") and method not in NULL_IS_AN_ANSWER and response.get("result", "") is None:
            raise BadResponseFormat(f"null to {method}")
        return response


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
        if NeverNull not in list(self.web3.middleware_onion):
            self.web3.middleware_onion.add(NeverNull)
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
        newest = self.web3.eth.get_block("pending" if self.embedded else "latest")
        if self.embedded:
            return Clock(newest["number"], newest["timestamp"])
        number = self.web3.eth.call({"data": BLOCK_NUMBER}, "latest")  # type: ignore[typeddict-item]
        return Clock(int.from_bytes(number), newest["timestamp"])

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

    def missing(self) -> list[str]:
        """What the contracts count and the logs do not show, a sentence each."""
        counts = []
        if self.has_tickets:
            counts.append(("events", self.events.event_count(), len(self.history.events())))
        if self.has_markets:
            counts.append(("markets", self.markets.market_count(), self.history.market_count()))
        return [
            f"{counted - logged} {things} are not in the node's logs: it lags, or leaves some out"
            for things, counted, logged in counts
            if counted != logged
        ]

    def title(self, event_id: int) -> str:
        """An event for people: its number and what is predicted."""
        return f"event {event_id}, {self.history.event(event_id).description!r}"
