"""What happened at a host's, as the logs say it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tessera.accounting.ledger import COLLECTED
from tessera.chain import EventLog, Tessera
from tessera.chain.escrow import Entry, Kind, pot_id
from tessera.host.view import ListedBet

STAKES_BACK = (Kind.PAYOUT, Kind.REFUND)
STATUSES = ("pending", "confirmed", "settled", "refunded")


@dataclass
class EveningPlayed:
    """Hosted bets that were played and found to add up. `shown` is what players' clients counted, after each part."""

    tessera: Tessera
    file: str
    names: dict[str, str]
    shown: list[tuple[str, Counter]] = field(default_factory=list)
    bets: list[ListedBet] = field(default_factory=list)
    rows: list[EventLog] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class Person(NamedTuple):
    """Money in units: what somebody put into bets, what came back as stake or win, and as commission or rest."""

    name: str
    staked: int
    paid: int
    earned: int

    @property
    def gain(self) -> int:
        return self.paid + self.earned - self.staked


class BetLine(NamedTuple):
    """A bet as people read it; money in units."""

    description: str
    has_odds: bool
    stakes: int
    staked: int
    outcome: str


def hosted_bets(played: EveningPlayed) -> list[BetLine]:
    """Every bet, in the order of the file: what players staked, and how it ended."""
    lines = []
    for bet in sorted(played.bets, key=lambda bet: played.file.index(bet.listing.description)):
        pot, host = pot_id(bet.bet_id), bet.listing.host
        stakes = [row for row in entries(played) if row.pot == pot and row.kind in COLLECTED and row.account != host]
        name = "stakes back: the panel was silent" if bet.outcome is None else bet.listing.predictions[bet.outcome]
        total = sum(row.amount for row in stakes)
        lines.append(BetLine(bet.listing.description, bet.has_odds, len(stakes), total, name))
    return lines


def gains(played: EveningPlayed) -> list[Person]:
    """Everybody, by the logs of Escrow."""
    lines = []
    for address, name in played.names.items():
        rows = [row for row in entries(played) if row.account == address]
        staked = sum(row.amount for row in rows if row.kind in COLLECTED)
        paid = sum(row.amount for row in rows if row.kind in STAKES_BACK)
        earned = sum(row.amount for row in rows if row.kind in (Kind.COMMISSION, Kind.RESIDUE))
        lines.append(Person(name, staked, paid, earned))
    return lines


def entries(played: EveningPlayed) -> list[Entry]:
    """What Escrow moved between balances and pots, in order."""
    kinds = (*COLLECTED, *STAKES_BACK, Kind.COMMISSION, Kind.RESIDUE)
    return [row for row in played.rows if isinstance(row, Entry) and row.kind in kinds]
