"""Balances and pots of an Escrow, rebuilt from its logs alone. Pure: no I/O, no chain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tessera.chain.escrow import Kind

COLLECTED = (Kind.DEPOSIT_SEED, Kind.BET_DEBIT, Kind.ACTIVATION, Kind.FUNDING)
PAID = (Kind.PAYOUT, Kind.REFUND, Kind.COMMISSION, Kind.RESIDUE)


class LedgerError(ValueError):
    """The rows are not the whole, ordered log of one Escrow."""


@dataclass(frozen=True)
class Ledger:
    """What everybody and every pot holds, in the token's smallest unit; zeros of those who once held are kept."""

    balances: dict[str, int]
    pots: dict[tuple[str, Any], int]

    @property
    def owed(self) -> int:
        """All that the Escrow owes; its token balance is never less."""
        return sum(self.balances.values()) + sum(self.pots.values())


def rebuild(rows: Iterable[Mapping[str, Any]]) -> Ledger:
    """What the Escrow's storage holds after the logs in `rows`.

    Takes every row of one Escrow from its deployment on, in the chain's order; events other than these two are skipped:

        {"event": "Entry", "account", "product", "pot", "kind", "amount", "balance_after", ...}
        {"event": "Moved", "product", "from_pot", "to_pot", "amount", ...}

    `kind` is the integer of the log (or a `Kind`), amounts are integers, addresses and pots any one spelling.
    Raises LedgerError where a row contradicts those before it: a balance_after that does not follow, less than
    nothing in a balance or a pot, an unknown kind. Nothing is rounded.
    """
    balances: defaultdict[str, int] = defaultdict(int)
    pots: defaultdict[tuple[str, Any], int] = defaultdict(int)
    for row in rows:
        if row["event"] == "Entry":
            _enter(row, balances, pots)
        elif row["event"] == "Moved":
            _change(pots, (row["product"], row["from_pot"]), -row["amount"], row)
            _change(pots, (row["product"], row["to_pot"]), row["amount"], row)
    return Ledger(dict(balances), dict(pots))


def _enter(row, balances, pots):
    kind, amount, pot = row["kind"], row["amount"], (row["product"], row["pot"])
    if kind in COLLECTED:
        _change(balances, row["account"], -amount, row)
        _change(pots, pot, amount, row)
    elif kind in PAID:
        _change(pots, pot, -amount, row)
        _change(balances, row["account"], amount, row)
    elif kind == Kind.DEPOSIT:
        _change(balances, row["account"], amount, row)
    elif kind == Kind.WITHDRAWAL:
        _change(balances, row["account"], -amount, row)
    else:
        raise LedgerError(f"ledger: unknown kind {kind}: {dict(row)}")
    if balances[row["account"]] != row["balance_after"]:
        raise LedgerError(f"ledger: balance is {balances[row['account']]}, not as logged: {dict(row)}")


def _change(holdings, key, by, row):
    holdings[key] += by
    if holdings[key] < 0:
        raise LedgerError(f"ledger: less than nothing: {dict(row)}")
