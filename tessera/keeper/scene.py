"""What the keeper looks at: the contracts, the event index, the clock of the chain, and names for people."""

from dataclasses import dataclass
from functools import cached_property

from web3 import EthereumTesterProvider

from tessera.chain import Tessera
from tessera.chain.erc20 import Token
from tessera.index import Index
from tessera.keeper.known import Known


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
