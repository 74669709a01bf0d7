"""What a host's players see: open bets, and each player's bets as they are on the chain."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from tessera.chain import odds_bets, prorata_bets
from tessera.chain.deployments import Tessera
from tessera.chain.hosted_bets import BetClosed, BetListed, BetPlaced, Listing
from tessera.chain.logs import Block
from tessera.chain.odds_bets import Line, TicketCancelled, TicketQueued, place_of
from tessera.chain.panels import INVALID
from tessera.host.catalogue import Offered
from tessera.host.gas import GasLeft
from tessera.host.purse import Purse
from tessera.index.snapshot import Snapshot

Status = Literal["pending", "confirmed", "settled", "refunded"]


@dataclass(frozen=True)
class ListedBet:
    """A bet of the host on the chain. `outcome` is None until it is settled, and where stakes went back."""

    contract: str  # by name
    bet_id: bytes
    listing: Listing
    transaction: str
    closes_at: int
    settled: bool = False
    refunded: bool = False
    outcome: int | None = None

    @property
    def has_odds(self) -> bool:
        return self.contract == "OddsBets"


@dataclass(frozen=True)
class Stake:
    """A stake of a player, in units. `transaction` is None as long as only this node knows of it."""

    bet_id: bytes
    prediction: int
    amount: int
    status: Status
    transaction: str | None = None
    ticket_id: int | None = None  # of what was not covered when it was placed


@dataclass(frozen=True)
class View:
    """The host's bets as of a block. `now` is the chain's time or the clock's, whichever is later.

    `gas` is what players may still make the host spend, None where that has no bound.
    """

    head: Block
    now: int
    offered: tuple[Offered, ...] = ()
    listed: dict[bytes, ListedBet] = field(default_factory=dict)
    stakes: dict[str, tuple[Stake, ...]] = field(default_factory=dict)
    purses: dict[str, Purse] = field(default_factory=dict)
    gas: GasLeft | None = None

    def open_bets(self, account: str | None) -> list[Offered]:
        """What an account may bet on now; None: somebody who has not signed in."""
        return [offered for offered in self.offered if self.is_open(offered) and offered.admits(account)]

    def position(self, account: str, bet_id: bytes, prediction: int) -> int:
        """What an account has on a prediction, or has promised, units."""
        mine = self.stakes.get(account, ())
        return sum(stake.amount for stake in mine if (stake.bet_id, stake.prediction) == (bet_id, prediction))

    def has_money(self, account: str) -> bool:
        """Whether an account has something in Escrow or in bets of this host, as far as it was looked up."""
        purse = self.purses.get(account)
        return account in self.stakes or (purse is not None and purse.balance > 0)

    def waiting(self, bet: ListedBet) -> list[int]:
        """What waits for cover on each prediction of a bet at odds, units."""
        return [self._waiting[bet.bet_id, prediction] for prediction in range(len(bet.listing.predictions))]

    @cached_property
    def _waiting(self) -> Counter[tuple[bytes, int]]:
        waits: Counter[tuple[bytes, int]] = Counter()
        for mine in self.stakes.values():
            for stake in mine:
                if stake.ticket_id is not None and stake.status == "pending":
                    waits[stake.bet_id, stake.prediction] += stake.amount
        return waits

    def concerns(self, before: "View") -> set[str] | None:
        """The accounts that see something else than before, None: everybody does. A block alone is no news."""
        mine, others = (
            (
                {bet_id: (bet.transaction, bet.closes_at) for bet_id, bet in view.listed.items()},
                [offered.bet_id for offered in view.offered if view.is_open(offered)],
            )
            for view in (self, before)
        )
        if mine != others:
            return None
        changed = set()
        for now, then in ((self.stakes, before.stakes), (self.purses, before.purses)):
            changed |= {account for account in now.keys() | then.keys() if now.get(account) != then.get(account)}
        return changed

    def is_open(self, offered: Offered) -> bool:
        """Whether a bet can be placed, as far as its time goes."""
        return self.closes_at(offered) > self.now

    def closes_at(self, offered: Offered) -> int:
        """When betting ends: earlier than listed where the host closed it."""
        listed = self.listed.get(offered.bet_id)
        return offered.listing.closes_at if listed is None else listed.closes_at


def phase_of(closes_at: int, now: int, *, settled: bool, refunded: bool) -> str:
    """How far a listed bet is, in the word of the command line: OPEN, CLOSED, SETTLED or REFUNDED."""
    if settled:
        return "REFUNDED" if refunded else "SETTLED"
    return "OPEN" if now < closes_at else "CLOSED"


def listed_bets(snapshot: Snapshot, **equal) -> dict[bytes, ListedBet]:
    """All bets that were ever listed, in order: those of a host (`host=...`), or of these ids (`bet_id=[...]`)."""
    rows = list(snapshot.rows(BetListed, **equal))
    mine = {"bet_id": [row.bet_id for row in rows]}
    closed = {row.bet_id: row.closes_at for row in snapshot.rows(BetClosed, **mine)}
    names = {address: name for name, address in snapshot.contracts.items()}
    settled = {row.bet_id: (row.refunded, row.outcome) for row in snapshot.rows(prorata_bets.BetSettled, **mine)}
    for row in snapshot.rows(odds_bets.BetSettled, **mine):
        settled[row.bet_id] = row.outcome == INVALID, row.outcome
    return {
        row.bet_id: ListedBet(
            contract=names[row.contract],
            bet_id=row.bet_id,
            listing=row.listing,
            transaction=row.transaction,
            closes_at=closed.get(row.bet_id, row.listing.closes_at),
            settled=row.bet_id in settled,
            refunded=settled.get(row.bet_id, (False, 0))[0],
            outcome=None if settled.get(row.bet_id, (True, 0))[0] else settled[row.bet_id][1],
        )
        for row in rows
    }


def stakes_of(
    tessera: Tessera, snapshot: Snapshot, listed: dict[bytes, ListedBet], **equal
) -> dict[str, tuple[Stake, ...]]:
    """Every player's stakes in these bets, in the chain's order, or only those of `account=...`."""
    mine = {"bet_id": list(listed), **equal}
    cancelled = {(row.bet_id, row.ticket_id): row.amount for row in snapshot.rows(TicketCancelled, **mine)}
    rows = list(snapshot.rows(BetPlaced, TicketQueued, **mine))
    queues = _lines(tessera, {row.bet_id for row in rows if isinstance(row, TicketQueued)}, listed)
    found = defaultdict(list)
    for row in rows:
        bet = listed[row.bet_id]
        end: Status = "refunded" if bet.refunded else "settled"
        if isinstance(row, BetPlaced):
            status: Status = end if bet.settled else "confirmed"
            found[row.account].append(Stake(row.bet_id, row.prediction, row.amount, status, row.transaction))
            continue
        prediction, _ = place_of(row.ticket_id)
        left = row.amount - cancelled.get((row.bet_id, row.ticket_id), 0)
        confirmed = confirmed_of(queues[row.bet_id][prediction], row.ticket_id, left)
        parts: tuple[tuple[int, Status], ...] = (
            (confirmed, end if bet.settled else "confirmed"),
            (left - confirmed, "refunded" if bet.settled else "pending"),
            (row.amount - left, "refunded"),
        )
        found[row.account] += [
            Stake(row.bet_id, prediction, amount, status, row.transaction, row.ticket_id)
            for amount, status in parts
            if amount
        ]
    return {account: tuple(stakes) for account, stakes in found.items()}


def confirmed_of(line: Line, ticket_id: int, amount: int) -> int:
    """What of a ticket is confirmed, by its place in the queue."""
    _, index = place_of(ticket_id)
    if index < line.head:
        return amount
    return min(line.filled, amount) if index == line.head else 0


def _lines(tessera: Tessera, bet_ids: set[bytes], listed: dict[bytes, ListedBet]) -> dict[bytes, list[Line]]:
    lens = tessera.odds_lens
    return {
        bet_id: [lens.line(bet_id, prediction) for prediction in range(len(listed[bet_id].listing.predictions))]
        for bet_id in bet_ids
    }
