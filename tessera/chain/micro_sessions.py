"""MicroSessions: sessions of micro-bets on live streams, from opening to close. See docs/micro.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from eth_account.datastructures import SignedMessage
from eth_typing import Hash32

from tessera.chain.contract import Contract, EventLog, Receipt
from tessera.chain.wallet import Wallet
from tessera.model.sessions import typed
from tessera.model.sessions.typed import Domain, Offer, State


class Stage(IntEnum):
    """Where a session stands on chain. A closed one is marked only while its offer could still be used."""

    NONE = 0
    OPEN = 1
    EXITING = 2
    CLOSED = 3


class Signature(NamedTuple):
    """A signature in the two words of EIP-2098."""

    r: int
    vs: int


class SignedReceipt(NamedTuple):
    """The house's receipt of a state, as the contract takes it."""

    n: int
    epoch: int
    head: bytes
    signature: Signature


class BookProof(NamedTuple):
    """A book's root, and the way from a state's hash to it."""

    root: bytes
    proof: list[bytes]


class SignedPost(NamedTuple):
    """The player's word that somebody else may post a state, until unix seconds."""

    valid_until: int
    signature: Signature


NO_SIGNATURE = Signature(0, 0)
NO_RECEIPT = SignedReceipt(0, 0, bytes(32), NO_SIGNATURE)
NO_BOOK = BookProof(bytes(32), [])
NO_POST = SignedPost(0, NO_SIGNATURE)


class HashSigner(Protocol):
    """What signs a hash; eth_account's LocalAccount does."""

    def unsafe_sign_hash(self, message_hash: Hash32, /) -> SignedMessage: ...


def sign(account: HashSigner, digest: bytes) -> Signature:
    """A signature of an EIP-712 digest, as the contract takes it."""
    signed = account.unsafe_sign_hash(Hash32(digest))
    return Signature(signed.r, signed.s | (signed.v - 27) << 255)


@dataclass(frozen=True)
class Stream:
    """A stream's operator, free bankroll (money), room for more locks (whole tokens) and panel."""

    operator: str
    free: int
    room: int
    panel_id: int


@dataclass(frozen=True)
class Session:
    """What is stored of a session: money topped up, ends of its exit in unix seconds, and what was posted."""

    stage: Stage
    top_ups: int
    first_end: int
    end: int
    by_player: bool
    proven: bool
    seq: int


@dataclass(frozen=True, kw_only=True)
class StreamOpened(EventLog):
    stream_id: int
    operator: str
    panel_id: int
    lock_cap: int


@dataclass(frozen=True, kw_only=True)
class SessionOpened(EventLog):
    session: bytes
    player: str
    stream_id: int


@dataclass(frozen=True, kw_only=True)
class ToppedUp(EventLog):
    session: bytes
    amount: int


class PostedState(NamedTuple):
    """A state as an exit logs it; `open_bets` are tuples in the order of the model's OpenBet."""

    seq: int
    prev: int
    net: int
    activated: bool
    open_bets: list

    @property
    def state(self) -> State:
        """The same as the model knows it."""
        return State(*self[:4], tuple(typed.OpenBet(*bet) for bet in self.open_bets))


@dataclass(frozen=True, kw_only=True)
class ExitPosted(EventLog):
    session: bytes
    state_hash: bytes
    by_player: bool
    first_end: int
    end: int
    state: PostedState


@dataclass(frozen=True, kw_only=True)
class BetProven(EventLog):
    session: bytes
    state_hash: bytes


@dataclass(frozen=True, kw_only=True)
class SessionClosed(EventLog):
    session: bytes
    net: int
    activated: bool


@dataclass(frozen=True, kw_only=True)
class CloseSkipped(EventLog):
    session: bytes
    reason: str


@dataclass(frozen=True, kw_only=True)
class SelfExcluded(EventLog):
    account: str
    start: int
    end: int


class MicroSessions(Contract):
    """One contract with all streams and sessions of one collateral. Money is in its smallest unit."""

    NAME = "MicroSessions"
    EVENTS = (
        StreamOpened,
        SessionOpened,
        ToppedUp,
        ExitPosted,
        BetProven,
        SessionClosed,
        CloseSkipped,
        SelfExcluded,
    )

    @property
    def domain(self) -> Domain:
        """What every signature about this contract's sessions is bound to."""
        return Domain(self.web3.eth.chain_id, self.address)

    def stream(self, stream_id: int) -> Stream:
        """A stream. Raises Reverted where there is none."""
        return Stream(*self.read("stream", stream_id))

    def session(self, session: bytes) -> Session:
        """What is stored of a session; its stage is NONE where there is none."""
        stage, *others = self.read("session", session)
        return Session(Stage(stage), *others)

    def exclusion_of(self, account: str) -> tuple[int, int]:
        """Beginning and end of an account's last self-exclusion, unix seconds; 0 where there was none."""
        start, end = self.read("exclusion_of", account)
        return start, end

    def open_stream(self, sender: Wallet, panel_id: int, operator: str, lock_cap: int) -> Receipt:
        """Opens a stream whose sessions may lock so many whole tokens together. Raises Reverted."""
        return self.write(sender, "open_stream", panel_id, operator, lock_cap)

    def fund_stream(self, sender: Wallet, stream_id: int, amount: int) -> Receipt:
        """Adds money of the operator's Escrow balance to the bankroll. Raises Reverted."""
        return self.write(sender, "fund_stream", stream_id, amount)

    def withdraw_bankroll(self, sender: Wallet, stream_id: int, amount: int) -> Receipt:
        """Pays free bankroll to the operator's Escrow balance. Raises Reverted."""
        return self.write(sender, "withdraw_bankroll", stream_id, amount)

    def open_session(self, sender: Wallet, offer: Offer, operator_signature: Signature) -> Receipt:
        """Opens the session that the operator offered to the sender. Raises Reverted."""
        return self.write(sender, "open_session", offer.words, operator_signature)

    def top_up(self, sender: Wallet, offer: Offer, amount: int) -> Receipt:
        """Adds money to an open session's deposit. Raises Reverted."""
        return self.write(sender, "top_up", offer.words, amount)

    def close(
        self,
        sender: Wallet,
        offer: Offer,
        agreement: typed.Close,
        player_signature: Signature,
        house_signature: Signature = NO_SIGNATURE,
    ) -> Receipt:
        """Ends a session as both agreed; the operator as sender stands for the house's signature. Raises Reverted."""
        terms = (agreement.net, agreement.activated, agreement.valid_until)
        return self.write(sender, "close", offer.words, *terms, player_signature, house_signature)

    def close_many(
        self, sender: Wallet, stream_id: int, items: Sequence[tuple[Offer, typed.Close, Signature]]
    ) -> Receipt:
        """Ends many sessions of a stream, operator only; what cannot be closed is a CloseSkipped. Raises Reverted."""
        calls = [
            (offer.words, (agreement.net, agreement.activated, agreement.valid_until), by)
            for offer, agreement, by in items
        ]
        return self.write(sender, "close_many", stream_id, calls)

    def start_exit(
        self,
        sender: Wallet,
        offer: Offer,
        state: State,
        player_signature: Signature = NO_SIGNATURE,
        receipt: SignedReceipt = NO_RECEIPT,
        book: BookProof = NO_BOOK,
        post: SignedPost = NO_POST,
    ) -> Receipt:
        """Begins to end a session alone by a completed state, or by the empty one. Raises Reverted."""
        return self.write(sender, "start_exit", offer.words, state.fields, player_signature, receipt, book, post)

    def challenge(
        self,
        sender: Wallet,
        offer: Offer,
        state: State,
        player_signature: Signature,
        receipt: SignedReceipt = NO_RECEIPT,
        book: BookProof = NO_BOOK,
        post: SignedPost = NO_POST,
    ) -> Receipt:
        """Replaces the posted state by a later one. Raises Reverted."""
        return self.write(sender, "challenge", offer.words, state.fields, player_signature, receipt, book, post)

    def prove(self, sender: Wallet, offer: Offer, state: State, book: BookProof) -> Receipt:
        """Shows that the posted state's newest bet is in its book. Raises Reverted."""
        return self.write(sender, "prove", offer.words, state.fields, book)

    def finalize(self, sender: Wallet, offer: Offer, state: State) -> Receipt:
        """Ends a session by its posted state and the panel's results. Raises Reverted."""
        return self.write(sender, "finalize", offer.words, state.fields)

    def exclude_self(self, sender: Wallet, end: int) -> Receipt:
        """Keeps the sender out until unix seconds; it can only be moved later. Raises Reverted."""
        return self.write(sender, "exclude_self", end)


def signed_state(domain: Domain, session: bytes, state: State, player: HashSigner) -> Signature:
    """The session key's signature of a state."""
    return sign(player, domain.digest(state, session=session))


def signed_receipt(domain: Domain, receipt: typed.Receipt, house: HashSigner) -> SignedReceipt:
    """The house key's signature of a receipt, as the contract takes it."""
    return SignedReceipt(receipt.n, receipt.epoch, receipt.head, sign(house, domain.digest(receipt)))


def signed_close(domain: Domain, session: bytes, agreement: typed.Close, account: HashSigner) -> Signature:
    """A side's signature of an agreement to close."""
    return sign(account, domain.digest(agreement, session=session))
