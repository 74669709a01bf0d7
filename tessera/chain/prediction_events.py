"""PredictionEvents: who stakes predicts, who was right shares the event's prize."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tessera.chain.blocks import BlockName
from tessera.chain.contract import Contract, EventLog, OwnershipTransferred, OwnershipTransferStarted, Receipt
from tessera.chain.panels import Question
from tessera.chain.wallet import Wallet


class EventInfo(NamedTuple):
    """What was fixed at an event's creation: blocks, E0 in hundredths, unix seconds."""

    start_block: int
    stop_block: int
    e0: int
    outcomes: int
    not_before: int
    result_deadline: int
    panel_id: int


class Result(NamedTuple):
    """What settling fixed; `outcome` is INVALID where there is none, prizes in units of the prize token."""

    settled: bool
    outcome: int
    prize: int
    unpaid: int


@dataclass(frozen=True, kw_only=True)
class EventCreated(EventLog):
    event_id: int
    panel_id: int
    question_id: bytes
    description: str
    outcomes: list
    start_block: int
    stop_block: int
    e0: int
    weight: int
    not_before: int
    result_deadline: int


@dataclass(frozen=True, kw_only=True)
class ManagerSet(EventLog):
    account: str
    was_manager: bool
    is_manager: bool


@dataclass(frozen=True, kw_only=True)
class PanelApproved(EventLog):
    panel_id: int
    was_approved: bool
    is_approved: bool


@dataclass(frozen=True, kw_only=True)
class Predicted(EventLog):
    event_id: int
    account: str
    outcome: int
    multiplier: int


@dataclass(frozen=True, kw_only=True)
class Purged(EventLog):
    event_id: int
    account: str
    outcome: int
    tickets: int


@dataclass(frozen=True, kw_only=True)
class EventSettled(EventLog):
    event_id: int
    outcome: int
    tickets: int
    prize: int


@dataclass(frozen=True, kw_only=True)
class ForfeitClaimed(EventLog):
    event_id: int
    account: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class Claimed(EventLog):
    event_id: int
    account: str
    amount: int


@dataclass(frozen=True, kw_only=True)
class PrizeClaimSkipped(EventLog):
    event_id: int
    account: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ResidueReturned(EventLog):
    event_id: int
    amount: int


class PredictionEvents(Contract):
    """Events, predictions, tickets and prizes."""

    NAME = "PredictionEvents"
    EVENTS = (
        OwnershipTransferred,
        OwnershipTransferStarted,
        EventCreated,
        ManagerSet,
        PanelApproved,
        Predicted,
        Purged,
        EventSettled,
        ForfeitClaimed,
        Claimed,
        PrizeClaimSkipped,
        ResidueReturned,
    )

    def blocks_per_hour(self) -> int:
        """Blocks that tickets take for an hour."""
        return self.read("BLOCKS_PER_HOUR")

    def event_count(self) -> int:
        """How many events there are; ids start at 1."""
        return self.read("event_count")

    def event_info(self, event_id: int) -> EventInfo:
        """What was fixed at an event's creation."""
        return EventInfo(*self.read("event_info", event_id))

    def question(self, event_id: int) -> Question:
        """What the event asks its panel."""
        info = self.event_info(event_id)
        return Question(self.address, event_id.to_bytes(32, "big"), info.not_before, info.result_deadline)

    def tickets(self, event_id: int, account: str) -> tuple[int, int]:
        """Actual and prize tickets of an account, WAD; none once the event is settled."""
        return tuple(self.read("tickets", event_id, account))

    def outcome_tickets(self, event_id: int, outcome: int) -> int:
        """Prize tickets of all who predict an outcome, WAD."""
        return self.read("outcome_tickets", event_id, outcome)

    def prediction_of(self, event_id: int, account: str) -> tuple[bool, int]:
        """Whether an account has a prediction that counts, and which."""
        return tuple(self.read("prediction_of", event_id, account))

    def multiplier(self, event_id: int) -> int:
        """What a ticket counts for whoever predicts now, WAD."""
        return self.read("multiplier", event_id)

    def prize_of(self, event_id: int, account: str) -> int:
        """What `claim` would pay now, in units of the prize token."""
        return self.read("prize_of", event_id, account)

    def result_of(self, event_id: int, *, block: BlockName = "latest") -> Result:
        """What settling fixed."""
        return Result(*self.read("result_of", event_id, block=block))

    def create_event(
        self,
        sender: Wallet,
        description: str,
        outcomes: Sequence[str],
        *,
        stop_block: int,
        e0: int,
        weight: int,
        panel_id: int,
        result_deadline: int,
    ) -> Receipt:
        """Opens an event, `e0` in hundredths. Managers only; its number is in `done.event(EventCreated)`."""
        return self.write(
            sender, "create_event", description, list(outcomes), stop_block, e0, weight, panel_id, result_deadline
        )

    def set_manager(self, sender: Wallet, account: str, is_manager: bool) -> Receipt:
        """Says who may create events. Owner only."""
        return self.write(sender, "set_manager", account, is_manager)

    def approve_panel(self, sender: Wallet, panel_id: int, is_approved: bool) -> Receipt:
        """Says which panels new events may use. Owner only."""
        return self.write(sender, "approve_panel", panel_id, is_approved)

    def predict(self, sender: Wallet, event_id: int, outcome: int) -> Receipt:
        """Sets the sender's prediction."""
        return self.write(sender, "predict", event_id, outcome)

    def purge(self, sender: Wallet, event_id: int, account: str) -> Receipt:
        """Takes a forfeited prediction out. Anyone."""
        return self.write(sender, "purge", event_id, account)

    def settle(self, sender: Wallet, event_id: int) -> Receipt:
        """Fixes the outcome and fetches the prize. Anyone."""
        return self.write(sender, "settle", event_id)

    def claim(self, sender: Wallet, event_id: int, account: str) -> Receipt:
        """Pays a winner. Anyone."""
        return self.write(sender, "claim", event_id, account)

    def claim_many(self, sender: Wallet, event_id: int, accounts: Sequence[str]) -> Receipt:
        """Pays many winners, at most 256. Anyone; who cannot be paid is skipped."""
        return self.write(sender, "claim_many", event_id, list(accounts))
