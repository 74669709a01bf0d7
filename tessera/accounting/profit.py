"""What a person gained or lost, and whether the ledger in the logs is the ledger on the chain."""

from collections.abc import Iterable
from dataclasses import dataclass

from tessera.accounting.ledger import COLLECTED, rebuild
from tessera.chain.contract import EventLog
from tessera.chain.escrow import Entry, Escrow, pot_id
from tessera.chain.play_euro import PlayEuro


@dataclass(frozen=True)
class Result:
    """Profit and loss by the one definition of this project: what came back from pots less what went into them.

    A deposit is no loss and a withdrawal no gain. Until a winner has claimed, the payoff is not in it (see
    `Position.profit` for what a claim would make of it). Money in the smallest unit.
    """

    put_in: int = 0
    got: int = 0

    @property
    def profit(self) -> int:
        """Gain, or loss if less than 0."""
        return self.got - self.put_in

    def after(self, row: Entry) -> "Result":
        """With one more movement of a pot."""
        if row.kind in COLLECTED:
            return Result(self.put_in + row.amount, self.got)
        return Result(self.put_in, self.got + row.amount)


def results(rows: Iterable[EventLog], product: str, pot: int | bytes | None = None) -> dict[str, Result]:
    """The result of everybody who ever had to do with a product, or with one of its pots (a market's number)."""
    by_account: dict[str, Result] = {}
    for row in rows:
        if not isinstance(row, Entry) or row.product != product or (pot is not None and row.pot != pot_id(pot)):
            continue
        by_account[row.account] = by_account.get(row.account, Result()).after(row)
    return by_account


def ledger_differences(escrow: Escrow, rows: Iterable[EventLog], block: int) -> list[str]:
    """In what the ledger rebuilt from all of an Escrow's rows up to a block differs from its storage at that block.

    Every balance and every pot is compared, and the tokens held with the sum of both. An empty list: no difference.
    Raises LedgerError where the rows contradict each other.
    """
    ledger = rebuild(row.as_mapping() for row in rows if row.contract == escrow.address and row.block <= block)
    differences = []
    for account, amount in ledger.balances.items():
        stored = escrow.balance_of(account, block=block)
        if stored != amount:
            differences.append(f"balance of {account}: {amount} by the logs, {stored} on chain")
    for (product, pot), amount in ledger.pots.items():
        stored = escrow.pot_balance(product, pot, block=block)
        if stored != amount:
            differences.append(
                f"pot {int.from_bytes(pot, 'big')} of {product}: {amount} by the logs, {stored} on chain"
            )
    tokens = PlayEuro(escrow.web3, escrow.token()).balance_of(escrow.address, block=block)
    if tokens < ledger.owed:
        differences.append(f"the Escrow holds {tokens} and owes {ledger.owed}")
    return differences
