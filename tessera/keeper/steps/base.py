"""What all steps share: their shape, a transaction to be, and what a contract says to it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from web3.types import TxParams

from tessera.chain.contract import Contract, address_of
from tessera.chain.errors import NodeRefusedError, Reverted, calling
from tessera.chain.wallet import with_margin
from tessera.keeper.view import View

MAX_TRANSACTION_GAS = 16_777_216  # of one transaction (EIP-7825)
MAX_BATCH = 256  # people of one claim_many
BPS = 10_000


class Status(StrEnum):
    """What became of a step."""

    DONE = "done"
    OTHERS = "done by others"
    REFUSED = "refused"  # by the token, for some winners: no keeper can do more
    UNDONE = "left undone"


@dataclass(frozen=True)
class Call:
    """One transaction: a contract's function and what it is called with."""

    contract: Contract
    function: str
    arguments: tuple = ()
    people: int = 1  # whom it pays, for a progress bar

    @property
    def name(self) -> str:
        """For people: Contract.function."""
        return f"{self.contract.NAME}.{self.function}"

    @property
    def data(self) -> TxParams:
        """Receiver and data, as a wallet takes them."""
        return {"to": self.contract.address, "data": self.contract.calldata(self.function, *self.arguments)}


@dataclass(frozen=True)
class Step(ABC):
    """One thing that is due. `what` and `why` are for people; `gas` is what it takes as a rule.

    It is done when the chain's state says so, whoever did it and whatever a receipt says.
    """

    what: str
    why: str
    gas: int
    kind: ClassVar[str]

    @property
    def key(self) -> str:
        """What is due, for a comparison of plans."""
        return self.kind

    @property
    def size(self) -> int:
        """How many `people` its calls pay together."""
        return 1

    @abstractmethod
    def calls(self, view: View) -> Iterator[Call]:
        """Its transactions, each made when it is asked for."""

    @abstractmethod
    def is_done(self, view: View) -> bool:
        """Whether the chain shows it as done."""

    def advice(self, refusal: Reverted) -> str:
        """What a refusal of its simulation means, for people."""
        return refusal.explained

    def refused(self, view: View) -> list[str]:
        """Whom the token refused though the step is done."""
        return []

    def note(self, view: View) -> str:
        """What there is to say of it once it is done."""
        return ""


def refusal(view: View, call: Call) -> str | None:
    """The reason with which a contract refuses a call now; None where it would not."""
    try:
        with calling(call.name):
            view.web3.eth.call({**_sender(view), **call.data}, "pending")
    except Reverted as error:
        return error.reason
    return None


def gas_room(view: View) -> int:
    """What one transaction may take: nine tenths of a block, since others want in, too."""
    block_gas = view.web3.eth.get_block("latest").get("gasLimit", 2 * MAX_TRANSACTION_GAS)
    return min(block_gas * 9 // 10, MAX_TRANSACTION_GAS)


def fits(view: View, call: Call) -> bool:
    """Whether a call takes no more than a transaction may, by the node's estimate; False where it cannot be made."""
    if view.embedded:
        return True  # that chain cannot estimate at the time of its next block
    try:
        with calling(call.name):
            estimate = view.web3.eth.estimate_gas({**_sender(view), **call.data}, "pending")
    except (Reverted, NodeRefusedError):
        return False
    return with_margin(estimate) <= gas_room(view)


def _sender(view: View) -> TxParams:
    return {} if view.account is None else {"from": address_of(view.account)}
