"""OddsBets and OddsLens: bets at fixed odds, their bankroll, queues and tickets."""

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.chain.contract import Contract, EventLog, Receipt
from tessera.chain.hosted_bets import LISTING_EVENTS, NO_SIGNATURE, Bet, HostedBets, HostSignature, Terms
from tessera.chain.wallet import Wallet


@dataclass(frozen=True, kw_only=True)
class BankrollChanged(EventLog):
    bet_id: bytes
    bankroll: int


@dataclass(frozen=True, kw_only=True)
class TicketQueued(EventLog):
    bet_id: bytes
    account: str
    ticket_id: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class TicketCancelled(EventLog):
    bet_id: bytes
    account: str
    ticket_id: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class StakesConfirmed(EventLog):
    bet_id: bytes
    totals: list


@dataclass(frozen=True, kw_only=True)
class BetSettled(EventLog):
    bet_id: bytes
    outcome: int
    stakes: int
    owed: int
    host_amount: int
    validator_commission: int


@dataclass(frozen=True)
class Line:
    """A prediction: profit in tenths of a percent, confirmed stakes, and its queue."""

    profit: int
    staked: int
    filled: int
    head: int
    tail: int
    waiting: int


@dataclass(frozen=True)
class Book:
    """Confirmed stakes, the bankroll, and the least bankroll that covers every outcome, money."""

    staked: int
    bankroll: int
    needed: int

    @property
    def free(self) -> int:
        """What of the bankroll the host can take back."""
        return self.bankroll - self.needed


@dataclass(frozen=True)
class Ticket:
    """A ticket's owner, what of it is confirmed and what waits; all zero: cancelled, paid, or never there."""

    account: str
    confirmed: int
    pending: int


@dataclass(frozen=True)
class Verdict:
    """How a bet was settled; `unclaimed` are winning stakes still to be paid, `owed` what is kept for them."""

    settled: bool
    refunded: bool
    outcome: int
    unclaimed: int
    owed: int


def ticket_id_of(prediction: int, index: int) -> int:
    """The id of a ticket by its place, from 0, in a prediction's queue: as in contracts/modules/queues.vy."""
    return (prediction << 32) | (index + 1)


def place_of(ticket_id: int) -> tuple[int, int]:
    """The prediction of a ticket, and its place in that queue, from 0."""
    return ticket_id >> 32, (ticket_id & 2**32 - 1) - 1


class OddsLens(Contract):
    """What OddsBets stores, in plain values."""

    NAME = "OddsLens"

    def terms(self, bet_id: bytes) -> Terms:
        """What is stored of a listing. Raises Reverted where the bet is not listed."""
        return Terms(*self.read("terms", bet_id))

    def line(self, bet_id: bytes, prediction: int) -> Line:
        """What is confirmed on a prediction, and its queue."""
        return Line(*self.read("line", bet_id, prediction))

    def book(self, bet_id: bytes) -> Book:
        """The money of a bet that is not pending."""
        return Book(*self.read("book", bet_id))

    def ticket(self, bet_id: bytes, ticket_id: int) -> Ticket:
        """A ticket, by the id in its TicketQueued."""
        return Ticket(*self.read("ticket", bet_id, ticket_id))

    def verdict(self, bet_id: bytes) -> Verdict:
        """How a bet was settled; all zero where it is not."""
        return Verdict(*self.read("verdict", bet_id))


class OddsBets(HostedBets):
    """Bets at odds that a host fixes and backs with a bankroll."""

    NAME = "OddsBets"
    EVENTS = (*LISTING_EVENTS, BankrollChanged, TicketQueued, TicketCancelled, StakesConfirmed, BetSettled)

    def stake_of(self, bet_id: bytes, prediction: int, account: str) -> int:
        """What an account has confirmed on a prediction outside of its tickets, money."""
        return self.read("stake_of", bet_id, prediction, account)

    def place(
        self,
        sender: Wallet,
        bet_id: bytes,
        prediction: int,
        amount: int,
        *,
        min_confirmed: int,
        voucher: HostSignature = NO_SIGNATURE,
    ) -> Receipt:
        """Stakes on a prediction: what is confirmed is a row BetPlaced, what waits a row TicketQueued."""
        return self.write(sender, "place", bet_id, prediction, amount, min_confirmed, tuple(voucher))

    def place_many(
        self,
        sender: Wallet,
        bet_id: bytes,
        groups: Sequence[Sequence[tuple[Bet, tuple[int, int]]]],
    ) -> Receipt:
        """Lands groups of signed bets, each confirmed whole or skipped whole (rows BetSkipped)."""
        signed = [pair for group in groups for pair in group]
        bets, signatures = [tuple(bet) for bet, _ in signed], [signature for _, signature in signed]
        return self.write(sender, "place_many", bet_id, [len(group) for group in groups], bets, signatures)

    def fund(self, sender: Wallet, bet_id: bytes, amount: int) -> Receipt:
        """Adds to the bankroll. Host only."""
        return self.write(sender, "fund", bet_id, amount)

    def defund(self, sender: Wallet, bet_id: bytes, amount: int) -> Receipt:
        """Takes back what no outcome needs. Host only."""
        return self.write(sender, "defund", bet_id, amount)

    def confirm(self, sender: Wallet, bet_id: bytes, totals: Sequence[int]) -> Receipt:
        """Raises what is confirmed on each prediction to a total, first come first served. Anyone."""
        return self.write(sender, "confirm", bet_id, list(totals))

    def cancel(self, sender: Wallet, bet_id: bytes, ticket_id: int) -> Receipt:
        """Takes back what waits of a ticket of the sender."""
        return self.write(sender, "cancel", bet_id, ticket_id)

    def cancel_signed(self, sender: Wallet, bet_id: bytes, ticket_id: int, signature: bytes) -> Receipt:
        """Takes back what waits of a ticket whose owner signed so. Anyone."""
        return self.write(sender, "cancel_signed", bet_id, ticket_id, signature)

    def claim(
        self, sender: Wallet, bet_id: bytes, account: str, predictions: Sequence[int], ticket_ids: Sequence[int]
    ) -> Receipt:
        """Pays an account what a settled bet owes it for these positions and tickets. Anyone."""
        return self.write(sender, "claim", bet_id, account, list(predictions), list(ticket_ids))
