"""Queries: what an index knows, as of one block."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

from sqlalchemy import Connection, select

from tessera.chain.contract import Row
from tessera.chain.events import Claimed, EventCreated, EventSettled, ForfeitClaimed, Predicted, Purged
from tessera.chain.staking import Forfeited
from tessera.chain.wallet import ChainError
from tessera.index.schema import Block, blocks, rows_of, table_of


@dataclass(frozen=True)
class Prediction:
    """What an account predicts in an event, as the contract's `prediction_of`. A forfeited one counts nowhere."""

    event_id: int
    account: str
    outcome: int
    forfeited: bool


def stored(db: Connection, up_to: int | None = None) -> Block | None:
    """The last block of an index, or the last one up to a number."""
    query = select(blocks.c.number, blocks.c.hash, blocks.c.timestamp).order_by(blocks.c.number.desc()).limit(1)
    found = db.execute(query if up_to is None else query.where(blocks.c.number <= up_to)).one_or_none()
    return None if found is None else Block(*found)


class Snapshot:
    """An index as of its `head`, the last block that was read (None: nothing was). Good inside its `with` block."""

    def __init__(self, db: Connection, contracts: dict[str, str]):
        self.db = db
        self.contracts = contracts
        self.head = stored(db)

    def rows(self, *kinds: type[Row], **equal) -> Iterator[Row]:
        """Events of some kinds in the chain's order, those whose fields are equal to what is given.

        `rows(Predicted, Claimed, event_id=3)`; `contract` is compared by its name in the deployment's record.
        """
        return merge(*(self._of(kind, equal) for kind in kinds), key=place)

    def winners(self, event_id: int) -> list[Prediction]:
        """Who may be claimed for: predicted the outcome of a settled event and was neither paid nor purged.

        Of forfeited ones the share goes to the pool. Empty where nobody was right or the event is not settled.
        In the order in which they predicted. Raises ChainError where there is no such event.
        """
        settled = next(self.rows(EventSettled, event_id=event_id), None)
        if settled is None or settled.tickets == 0:
            self._created(event_id)
            return []
        return [found for found in self.predictors(event_id) if found.outcome == settled.outcome]

    def predictors(self, event_id: int) -> list[Prediction]:
        """Whoever has a prediction in an event, in the order in which they made it. Those paid have none any more.

        Raises ChainError where there is no such event.
        """
        stop = self._created(event_id).stop_block
        forfeits = _by_account(self.rows(Forfeited))
        return [_prediction(made, stop, forfeits) for made in self._standing(event_id=event_id)]

    def forfeited(self) -> list[Prediction]:
        """What can be purged: forfeited predictions in events that are not settled, by event."""
        forfeits = _by_account(self.rows(Forfeited))
        if not forfeits:
            return []
        stops = {row.event_id: row.stop_block for row in self.rows(EventCreated)}
        for row in self.rows(EventSettled):
            del stops[row.event_id]
        found = [
            _prediction(made, stops[made.event_id], forfeits)
            for account in forfeits
            for made in self._standing(account=account)
            if made.event_id in stops
        ]
        return sorted((one for one in found if one.forfeited), key=lambda one: one.event_id)

    def _of(self, kind: type[Row], equal: dict) -> Iterator[Row]:
        table = table_of(kind)
        query = select(table).order_by(table.c.block, table.c.log_index)
        for field, value in equal.items():
            query = query.where(table.c[field] == value)
        return rows_of(kind, self.db.execute(query), self.contracts)

    def _created(self, event_id: int) -> EventCreated:
        created = next(self.rows(EventCreated, event_id=event_id), None)
        if created is None:
            raise ChainError(f"there is no event {event_id}")
        return created

    def _standing(self, **equal) -> list[Predicted]:
        """The last prediction of each account in each event that was neither purged nor claimed for since."""
        standing = {}
        for row in self.rows(Predicted, Purged, Claimed, ForfeitClaimed, **equal):
            key = row.event_id, row.account
            standing.pop(key, None)
            if isinstance(row, Predicted):
                standing[key] = row
        return list(standing.values())


def place(row: Row) -> tuple[int, int]:
    """Where a row is on the chain: what rows are sorted by."""
    return row.block, row.log_index


def _by_account(forfeits: Iterator[Forfeited]) -> dict[str, list[Forfeited]]:
    found: dict[str, list[Forfeited]] = {}
    for row in forfeits:
        found.setdefault(row.account, []).append(row)
    return found


def _prediction(made: Predicted, stop: int, forfeits: dict[str, list[Forfeited]]) -> Prediction:
    # As PredictionEvents._is_forfeited: the first forfeiture since came before the stop block.
    forfeited = any(place(row) > place(made) and row.block < stop for row in forfeits.get(made.account, ()))
    return Prediction(made.event_id, made.account, made.outcome, forfeited)
