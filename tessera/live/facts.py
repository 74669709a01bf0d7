"""What the chain says about a stream's sessions, from event logs."""

from collections.abc import Container
from dataclasses import dataclass, field

from tessera.chain.contract import EventLog
from tessera.chain.micro_sessions import (
    BetProven,
    ExitPosted,
    SelfExcluded,
    SessionClosed,
    SessionOpened,
    Stage,
    ToppedUp,
)
from tessera.model.sessions.states import Exclusion
from tessera.model.sessions.typed import State


@dataclass
class Exit:
    """A session's exit: the posted state, and when challenges end, unix seconds."""

    state: State
    by_player: bool
    first_end: int
    end: int
    is_proven: bool = False


@dataclass
class OnChain:
    """One session. Amounts by the block of their event."""

    opened_in: int
    top_ups: list[tuple[int, int]] = field(default_factory=list)
    exit: Exit | None = None
    is_closed: bool = False

    @property
    def stage(self) -> Stage:
        if self.is_closed:
            return Stage.CLOSED
        return Stage.OPEN if self.exit is None else Stage.EXITING


class Facts:
    """All sessions of one stream, and who excluded themselves, as of a block."""

    def __init__(self, stream_id: int, confirmations: int):
        self.stream_id, self.confirmations = stream_id, confirmations
        self.head, self.block_at = 0, 0  # the newest block's number and time, unix seconds
        self.sessions: dict[bytes, OnChain] = {}
        self.exiting: dict[bytes, OnChain] = {}
        self.closed: list[bytes] = []  # in their order
        self.players: set[str] = set()  # wallets that have ever opened one: each has paid for that on chain
        self.exclusions: dict[str, Exclusion] = {}

    def add(self, event: EventLog) -> None:
        """Notes what an event says; those of other streams are left out."""
        match event:
            case SessionOpened():
                if event.stream_id == self.stream_id:
                    self.sessions[event.session] = OnChain(event.block)
                    self.players.add(event.player)
            case SelfExcluded():
                self.exclusions[event.account] = Exclusion(event.start, event.end)
            case ToppedUp() | ExitPosted() | BetProven() | SessionClosed():
                if (known := self.sessions.get(event.session)) is not None:
                    self._note(event.session, known, event)

    def _note(self, session: bytes, known: OnChain, event: EventLog) -> None:
        match event:
            case ToppedUp():
                known.top_ups.append((event.block, event.amount))
            case ExitPosted():
                known.exit = Exit(event.state.state, event.by_player, event.first_end, event.end)
                self.exiting[session] = known
            case BetProven():
                if known.exit is not None:
                    known.exit.is_proven = True
            case SessionClosed():
                known.is_closed = True
                self.exiting.pop(session, None)
                self.closed.append(session)

    def forget_closed(self, known: Container[bytes]) -> None:
        """Closed sessions that are none of those known concern nobody any more; whose they were stays."""
        for session in self.closed:
            if session not in known:
                del self.sessions[session]
        self.closed = [session for session in self.closed if session in known]

    def is_confirmed(self, session: bytes) -> bool:
        """Whether a session was opened and enough blocks stand on it."""
        known = self.sessions.get(session)
        return known is not None and self._stands(known.opened_in)

    def top_ups(self, session: bytes) -> int:
        """What was topped up and is confirmed."""
        known = self.sessions.get(session)
        return sum(amount for block, amount in known.top_ups if self._stands(block)) if known else 0

    def exclusion(self, account: str) -> Exclusion:
        """A wallet's self-exclusion."""
        return self.exclusions.get(account, Exclusion())

    def _stands(self, block: int) -> bool:
        return self.head - block >= self.confirmations
