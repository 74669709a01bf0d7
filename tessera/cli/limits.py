"""A person's own limit on what goes into markets and hosted bets in a day: tighter at once, looser after a day.

It is kept on this computer, for this account, and honoured by this command. Nobody else sees it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tessera.cli.failures import Refused
from tessera.cli.session import Session
from tessera.model.own_limit import DAY, Limit

if TYPE_CHECKING:
    from tessera.chain import EventLog


class Limits:
    """The limits of all accounts that play from this computer."""

    def __init__(self, path: Path, now: int):
        """`now` is unix seconds by the chain's clock."""
        self.path = path
        self.now = now

    def of(self, account: str) -> Limit:
        """The limit of an account. Raises Refused where the file is damaged."""
        try:
            return Limit(**self._all().get(account, {}))
        except (TypeError, AttributeError):
            raise self._damaged() from None

    def keep(self, account: str, limit: Limit) -> None:
        """Writes an account's limit; a crash leaves the old one or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps({**self._all(), account: asdict(limit)}, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.path)

    def check(self, account: str, amount: int, logs: Iterable["EventLog"]) -> None:
        """Raises Refused where an account that put in `amount` more would pass its own limit.

        `logs` are the ledger's; what was put in in the last 24 h counts, whatever came back.
        """
        limit = self.of(account).at(self.now)
        if limit is None:
            return
        spent = put_in_since(account, logs, self.now - DAY)
        if spent + amount > limit:
            raise Refused(
                "own_limit",
                f"your own limit: {limit / 10**6:.2f} EUR in 24 h, {spent / 10**6:.2f} EUR are used. "
                "A higher limit counts a day after you ask for it: `tessera limits set`",
            )

    def _all(self) -> dict:
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise self._damaged() from None

    def _damaged(self) -> Refused:
        return Refused("record", f"{self.path} is damaged: mend or delete it")


def limits_of(session: Session) -> Limits:
    """The limits set on this computer for the session's chain."""
    return Limits(session.home.expanduser() / f"limits-{session.web3.eth.chain_id}.json", session.now)


def check_limit(session: Session, amount: int) -> None:
    """Raises Refused where the session's account would pass its own limit with `amount` more."""
    from tessera.chain.escrow import Entry

    account = session.wallet.address
    limits_of(session).check(account, amount, session.logs(Entry, account=account))


def put_in_since(account: str, logs: Iterable["EventLog"], since: int) -> int:
    """What an account put into pots after a time, units."""
    from tessera.accounting.ledger import COLLECTED
    from tessera.chain.escrow import Entry

    return sum(
        row.amount
        for row in logs
        if isinstance(row, Entry) and row.account == account and row.kind in COLLECTED and row.timestamp > since
    )
