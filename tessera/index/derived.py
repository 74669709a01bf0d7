"""What rows of many people come to, kept beside them: a page of a long list is read without the list.

`predictions` has the predictions that stand, `payments` what of each event's prize has left. Both follow the rows in
the transaction that adds or deletes these, and hold what the rows alone would give.
"""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Exists,
    FromClause,
    Index,
    Select,
    Table,
    and_,
    delete,
    insert,
    literal,
    select,
    tuple_,
    union,
)

from tessera.chain.prediction_events import (
    Claimed,
    EventCreated,
    EventSettled,
    ForfeitClaimed,
    Predicted,
    Purged,
    ResidueReturned,
)
from tessera.chain.staking_pool import Forfeited
from tessera.index.schema import Sum, Text, Uint, int64, metadata, table_of

AT_ONCE = 500  # predictions in a statement
PAYMENTS = (Claimed, ForfeitClaimed, ResidueReturned)
ENDS = (Purged, Claimed, ForfeitClaimed)  # of a prediction

# The last prediction of each account in each event that was neither purged nor paid since, in the order in which they
# were made. `purgeable`: forfeited, and the event is not settled.
predictions = Table(
    "predictions",
    metadata,
    Column("event_id", Uint, primary_key=True, autoincrement=False),
    Column("account", Text, primary_key=True),
    Column("block", int64, nullable=False),
    Column("log_index", int64, nullable=False),
    Column("outcome", Uint, nullable=False),
    Column("forfeited", Boolean, nullable=False),
    Column("purgeable", Boolean, nullable=False),
    # Each has all that a page shows: what is before the page is passed over without a look at the table.
    Index("predictions_in_order", "event_id", "block", "log_index", "account", "outcome", "forfeited"),
    Index("predictions_by_outcome", "event_id", "outcome", "block", "log_index", "account", "forfeited"),
    Index("predictions_by_account", "account", "block", "log_index", "event_id", "outcome", "forfeited"),
    Index("predictions_purgeable", "purgeable", "event_id", "account", "outcome", "forfeited"),
    sqlite_with_rowid=False,
)
# What of an event's prize has left, residue included.
payments = Table(
    "payments",
    metadata,
    Column("event_id", Uint, primary_key=True, autoincrement=False),
    Column("paid", Sum, nullable=False),
    sqlite_with_rowid=False,
)


def follow(db: Connection, first: int) -> None:
    """After the rows of blocks from `first` on were added."""
    _add_payments(db, first, 1)
    _refresh(db, _touched(db, first))


class Rewind:
    """Around the deletion of the rows of blocks from `first` on."""

    def __init__(self, db: Connection, first: int):
        """Before it."""
        self._db = db
        self._touched = _touched(db, first)
        _add_payments(db, first, -1)

    def end(self) -> None:
        """After it."""
        _refresh(self._db, self._touched)


def _touched(db: Connection, first: int) -> list[tuple[int, str]]:
    """The predictions, by event and account, that rows of blocks from `first` on may have changed."""
    made, event, settled, forfeit = map(table_of, (Predicted, EventCreated, EventSettled, Forfeited))
    key, stored = (made.c.event_id, made.c.account), (predictions.c.event_id, predictions.c.account)
    changes = (
        *(select(kind.c.event_id, kind.c.account).where(kind.c.block >= first) for kind in map(table_of, ENDS)),
        select(*key).where(made.c.block >= first),
        select(*key).join(forfeit, forfeit.c.account == made.c.account).where(forfeit.c.block >= first),
        select(*key).join(event, event.c.event_id == made.c.event_id).where(event.c.block >= first),
        select(*stored)
        .join(settled, settled.c.event_id == predictions.c.event_id)
        .where(settled.c.block >= first, predictions.c.forfeited),
    )
    return [(row.event_id, row.account) for row in db.execute(union(*changes))]


def _refresh(db: Connection, touched: list[tuple[int, str]]) -> None:
    people: dict[int, list[str]] = defaultdict(list)
    for event_id, account in touched:
        people[event_id].append(account)
    for event_id, accounts in people.items():
        for some in (accounts[start : start + AT_ONCE] for start in range(0, len(accounts), AT_ONCE)):
            db.execute(delete(predictions).where(*_of(predictions, event_id, some)))
            standing = _standing().where(*_of(table_of(Predicted), event_id, some))
            db.execute(insert(predictions).from_select(list(predictions.c.keys()), standing))


def _of(table: Table, event_id: int, accounts: list[str]) -> tuple[ColumnElement[bool], ...]:
    # By one event: SQLite looks for pairs in no index.
    return table.c.event_id == event_id, table.c.account.in_(accounts)


def _standing() -> Select:
    """Predictions as `predictions` has them, from the rows alone."""
    made, event, settled, forfeit = map(table_of, (Predicted, EventCreated, EventSettled, Forfeited))
    # As PredictionEvents._is_forfeited: the first forfeiture since came before the stop block.
    forfeited = _any(
        event.c.event_id == made.c.event_id,
        forfeit.c.account == made.c.account,
        _after(forfeit, made),
        forfeit.c.block < event.c.stop_block,
        of=(event, forfeit),
    )
    is_settled = _any(settled.c.event_id == made.c.event_id, of=(settled,))
    columns = made.c.event_id, made.c.account, made.c.block, made.c.log_index, made.c.outcome
    ends = [made.alias("changed"), *map(table_of, ENDS)]
    return select(*columns, forfeited, and_(forfeited, ~is_settled)).where(*(~_followed(made, end) for end in ends))


def _any(*conditions: ColumnElement[bool], of: tuple[FromClause, ...]) -> Exists:
    """Whether there are such rows, looked up for each prediction.

    The offset keeps PostgreSQL from making a join of it: its statistics are older than the rows that were just added,
    and by them it compares each prediction of an event with all others.
    """
    return select(literal(1)).select_from(*of).where(*conditions).correlate_except(*of).offset(0).exists()


def _after(later: FromClause, row: FromClause) -> ColumnElement[bool]:
    """Whether a row comes after another one on the chain."""
    return tuple_(later.c.block, later.c.log_index) > tuple_(row.c.block, row.c.log_index)


def _followed(row: FromClause, later: FromClause) -> ColumnElement[bool]:
    """Whether an account has a later row of another table in the same event."""
    same = later.c.event_id == row.c.event_id, later.c.account == row.c.account
    return _any(*same, _after(later, row), of=(later,))


def _add_payments(db: Connection, first: int, sign: int) -> None:
    change: dict[int, int] = defaultdict(int)
    for event_id, amount in _paid_since(db, first):
        change[event_id] += sign * amount
    for event_id, amount in change.items():
        own = payments.c.event_id == event_id
        before = db.scalar(select(payments.c.paid).where(own)) or 0
        db.execute(delete(payments).where(own))
        if before + amount:
            db.execute(insert(payments), {"event_id": event_id, "paid": before + amount})


def _paid_since(db: Connection, first: int) -> Iterator[tuple[int, int]]:
    for table in map(table_of, PAYMENTS):
        query = select(table.c.event_id, table.c.amount).where(table.c.block >= first)
        yield from ((row.event_id, row.amount) for row in db.execute(query))
