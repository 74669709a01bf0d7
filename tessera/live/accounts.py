"""Sessions and wallets as the engine has them, and what they sign besides states."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from eth_account.messages import SignableMessage, encode_defunct

from tessera.chain.micro_sessions import Signature, SignedReceipt
from tessera.live.journal import Headed
from tessera.model.loss.limits import Limits, Losses
from tessera.model.loss.velocity import Velocity
from tessera.model.sessions.typed import Close, Domain, Offer, State

COOL_OFF = "cool_off_until"  # set as the limits are


class Placed(NamedTuple):
    """A state that the player signed, and its line of the record with the head after it."""

    state_hash: bytes
    state: State
    player_signature: Signature
    headed: Headed


class Completed(NamedTuple):
    """A state that both signed."""

    state_hash: bytes
    state: State
    player_signature: Signature
    receipt: SignedReceipt


class Agreed(NamedTuple):
    """An agreement to close that the player signed; the operator lands it."""

    agreement: Close
    player_signature: Signature


@dataclass
class Account:
    """A wallet: the limits that it set, what it won and lost, and the sessions that it was offered."""

    limits: Limits = field(default_factory=Limits)
    limits_signed_at: int = 0
    losses: Losses = field(default_factory=Losses)
    sessions: list["Session"] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether it is as a wallet's that was never seen."""
        return not self.sessions and not self.limits_signed_at and self.losses.are_none


@dataclass
class Session:
    """A session from its offer on. `placed` is the newest state in the journal, or on its way there."""

    digest: bytes
    offer: Offer
    operator_signature: Signature
    account: Account
    placed: Placed | None = None
    answer: Future | None = None  # of `placed`: a Completed
    used_seq: int = 0  # the highest that was answered
    begun: int = 0  # unix milliseconds of the activation
    last_bet_at: int = 0
    velocity: Velocity = field(default_factory=lambda: Velocity(0))
    agreed: Agreed | None = None
    closing: Future | None = None
    asked_at: int = 0  # unix milliseconds that the wallet signed when it asked for the offer; 0 after a restart
    offering: Future | None = None  # of the offer: this session

    @property
    def state(self) -> State:
        """The newest state, the empty one where there is none."""
        return State() if self.placed is None else self.placed.state

    @property
    def completed(self) -> Completed | None:
        """The newest state that is answered; None before the first."""
        return self.answer.result() if self.answer is not None and self.answer.done() else None


def offer_text(
    domain: Domain, stream_id: int, session_key: str, deposit: int, loss_cap: int | None, at: int
) -> SignableMessage:
    """What a wallet signs (EIP-191) to be offered a session, at unix milliseconds."""
    lines = (
        f"Offer me a session on stream {stream_id}, whose bets {session_key.lower()} signs.",
        f"Deposit: {deposit}",
        f"Loss cap: {loss_cap or deposit}",
        "This costs nothing and moves no money.",
    )
    return _text(domain, *lines, last=f"At: {at}")


def limit_text(domain: Domain, stream_id: int, kind: str, value: int | None, at: int) -> SignableMessage:
    """What a wallet signs (EIP-191) to change a limit of its own, at unix milliseconds."""
    change = f"Change my {kind} on stream {stream_id} to {'none' if value is None else value}."
    return _text(domain, change, "This costs nothing and moves no money.", last=f"At: {at}")


def tail_text(domain: Domain, stream_id: int, epoch: int, n: int, head: bytes) -> SignableMessage:
    """What an observer signs (EIP-191) where an engine asks how far the record goes: the last line that it has."""
    lines = f"Of stream {stream_id} I have all lines up to {n}, whose head is 0x{head.hex()}."
    return _text(domain, lines, last=f"Epoch: {epoch}")


def follow_text(domain: Domain, session: bytes, at: int) -> SignableMessage:
    """What a session key signs (EIP-191) to be told of its session, at unix milliseconds."""
    return _text(domain, f"Tell me of session 0x{session.hex()}.", last=f"At: {at}")


def _text(domain: Domain, *statement: str, last: str) -> SignableMessage:
    """A statement that is good for one contract of one chain, and for what its last line says."""
    lines = (*statement, f"Contract: {domain.contract.lower()}", f"Chain: {domain.chain_id}", last)
    return encode_defunct(text="\n".join(lines))
