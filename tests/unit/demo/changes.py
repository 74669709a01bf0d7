"""What was played with one row of its log changed, for audits to notice."""

from dataclasses import replace

from tessera.chain.escrow import Entry


def with_row(played, row, **fields):
    """The same with a row that says otherwise."""
    return replace(played, rows=[replace(row, **fields) if each is row else each for each in played.rows])


def with_entry(played, kind, by: int):
    """The same with the first entry of a kind off by so many units, and the balance after it."""
    row = next(row for row in played.rows if isinstance(row, Entry) and row.kind == kind)
    return with_row(played, row, amount=row.amount + by, balance_after=row.balance_after + by)
