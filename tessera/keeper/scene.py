"""What the keeper looks at: the contracts, the event index, the clock of the chain, and names for people."""

from dataclasses import dataclass
from functools import cached_property

from web3 import EthereumTesterProvider
from web3.exceptions import BadResponseFormat
from web3.middleware import Web3Middleware

from tessera.chain import Tessera
from tessera.chain.erc20 import Token
from tessera.index import Index
from tessera.keeper.known import Known

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
    """The block and second that the next transaction is at or after."""

    block: int
    time: int


class Scene:
    """One deployment of staked tickets, seen by one account (None: by nobody in particular)."""

    def __init__(self, tessera: Tessera, index: Index, account: str | None = None):
        """Raises ChainError where the contracts are not deployed."""
        self.tessera, self.known, self.account = tessera, Known(index), account
        self.web3 = tessera.web3
        if NeverNull not in list(self.web3.middleware_onion):
            self.web3.middleware_onion.add(NeverNull)
        self.pool, self.events, self.prizes = tessera.staking, tessera.events, tessera.prizes
        self.embedded = isinstance(self.web3.provider, EthereumTesterProvider)
        self._tokens: dict[str, Token] = {}

    def clock(self) -> Clock:
        """On a node the newest block; the chain inside the process knows its next one."""
        block = self.web3.eth.get_block("pending" if self.embedded else "latest")
        return Clock(block["number"], block["timestamp"])

    def token(self, address: str) -> Token:
        """Symbol and decimals of a token."""
        if address not in self._tokens:
            self._tokens[address] = Token.of(self.web3, address)
        return self._tokens[address]

    @cached_property
    def assets(self) -> list[Token]:
        """What can be staked."""
        return [self.token(address) for address in self.pool.assets()]

    @cached_property
    def prize_token(self) -> Token:
        return self.token(self.prizes.prize_token())

    @cached_property
    def bet(self) -> Token:
        return self.token(self.prizes.read("BET"))

    def title(self, event_id: int) -> str:
        """An event for people: its number and what is predicted."""
        return f"event {event_id}, {self.known.event(event_id).description!r}"
