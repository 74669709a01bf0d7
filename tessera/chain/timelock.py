"""Timelock: the treasury, and the owner of what has one. What it does was public for its least delay before."""

from dataclasses import dataclass
from typing import NamedTuple

from tessera.chain.contract import Contract, EventLog, Receipt
from tessera.chain.wallet import Wallet

NOTHING = bytes(32)


class Operation(NamedTuple):
    """A call of the timelock; its hash is its id, so the same call again needs another salt."""

    target: str
    amount: int  # wei sent along
    payload: bytes
    predecessor: bytes  # id of what has to be done before, or NOTHING
    salt: bytes

    @classmethod
    def of(cls, contract: Contract, function: str, *arguments, salt: bytes = NOTHING) -> "Operation":
        """A call of a contract's function, e.g. `Operation.of(tessera.staking, "accept_ownership")`."""
        return cls(contract.address, 0, contract.calldata(function, *arguments), NOTHING, salt)


@dataclass(frozen=True, kw_only=True)
class CallScheduled(EventLog):
    id: bytes
    index: int
    target: str
    amount: int
    payload: bytes
    predecessor: bytes
    delay: int


@dataclass(frozen=True, kw_only=True)
class CallExecuted(EventLog):
    id: bytes
    index: int
    target: str
    amount: int
    payload: bytes


@dataclass(frozen=True, kw_only=True)
class Cancelled(EventLog):
    id: bytes


@dataclass(frozen=True, kw_only=True)
class CallSalt(EventLog):
    id: bytes
    salt: bytes


@dataclass(frozen=True, kw_only=True)
class MinimumDelayChange(EventLog):
    old_duration: int
    new_duration: int


@dataclass(frozen=True, kw_only=True)
class RoleGranted(EventLog):
    role: bytes
    account: str
    sender: str


@dataclass(frozen=True, kw_only=True)
class RoleRevoked(EventLog):
    role: bytes
    account: str
    sender: str


class Timelock(Contract):
    """snekmate's timelock controller; delays in seconds."""

    NAME = "Timelock"
    EVENTS = (CallScheduled, CallSalt, CallExecuted, Cancelled, MinimumDelayChange, RoleGranted, RoleRevoked)

    def least_delay(self) -> int:
        """Seconds between scheduling and executing, at least."""
        return self.read("get_minimum_delay")

    def ready_at(self, operation: Operation) -> int:
        """When an operation can be executed, unix seconds; 0 if it is not scheduled, 1 if it is done."""
        return self.read("get_timestamp", self.id_of(operation))

    def id_of(self, operation: Operation) -> bytes:
        """The hash of an operation."""
        return self.read("hash_operation", *operation)

    def schedule(self, sender: Wallet, operation: Operation) -> Receipt:
        """Announces an operation, to be executed after the least delay. Proposers only."""
        return self.write(sender, "schedule", *operation, self.least_delay())

    def execute(self, sender: Wallet, operation: Operation) -> Receipt:
        """Carries out an operation that is ready. Executors only, or anybody if the zero address is one."""
        return self.write(sender, "execute", *operation)

    def cancel(self, sender: Wallet, operation: Operation) -> Receipt:
        """Takes back an operation that is not done. Proposers only."""
        return self.write(sender, "cancel", self.id_of(operation))
