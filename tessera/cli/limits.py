"""A person's own limit on what goes into markets in a day: tighter at once, looser after a day.

It is kept on this computer, for this account, and honoured by this command. Nobody else sees it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tessera.accounting.ledger import COLLECTED
from tessera.chain import ChainError, EventLog
from tessera.chain.escrow import Entry

DAY = 86_400


@dataclass(frozen=True)
class Limit:
    """At most `amount` units in 24 h, None for no limit; from `changes_at` (unix seconds) on it is `next_amount`."""

    amount: int | None = None
    next_amount: int | None = None
    changes_at: int = 0

    def at(self, now: int) -> int | None:
        """The limit of a moment."""
        return self.next_amount if self.changes_at and now >= self.changes_at else self.amount

    def changed(self, amount: int | None, now: int) -> "Limit":
        """The limit after its owner asked for another: at once where it is tighter, a day later where it is looser."""
        current = self.at(now)
        tighter = amount is not None and (current is None or amount <= current)
        return Limit(amount) if tighter else Limit(current, amount, now + DAY)


class Limits:
    """The limits of all accounts that play from this computer."""

    def __init__(self, path: Path, now: int):
        """`now` is unix seconds by the chain's clock."""
        self.path = path
        self.now = now

    def of(self, account: str) -> Limit:
        """The limit of an account."""
        return Limit(**self._all().get(account, {}))

    def set(self, account: str, amount: int | None) -> Limit:
        """Changes an account's limit; what it returns says from when on."""
        limit = self.of(account).changed(amount, self.now)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps({**self._all(), account: asdict(limit)}, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.path)
        return limit

    def check(self, account: str, amount: int, rows: Iterable[EventLog]) -> None:
        """Raises ChainError where an account that put in `amount` more would pass its own limit.

        `rows` are the ledger's; what was put in in the last 24 h counts, whatever came back.
        """
        limit = self.of(account).at(self.now)
        if limit is None:
            return
        spent = put_in_since(account, rows, self.now - DAY)
        if spent + amount > limit:
            raise ChainError(
                f"your own limit: {limit / 10**6:.2f} EUR in 24 h, {spent / 10**6:.2f} EUR are used. "
                "A higher limit counts a day after you ask for it: `tessera limits set`"
            )

    def _all(self) -> dict:
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise ChainError(f"{self.path} is damaged: mend or delete it") from None


def put_in_since(account: str, rows: Iterable[EventLog], since: int) -> int:
    """What an account put into pots after a time, units."""
    return sum(
        row.amount
        for row in rows
        if isinstance(row, Entry) and row.account == account and row.kind in COLLECTED and row.timestamp > since
    )
