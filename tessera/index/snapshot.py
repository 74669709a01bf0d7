"""Queries: what an index knows, as of one block."""

from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, false, func, select

from tessera.accounting.profit import Result, results
from tessera.chain.blocks import Block
from tessera.chain.contract import E, EventLog
from tessera.chain.errors import ChainError, NotFoundError
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, price_history
from tessera.chain.prediction_events import (
    Claimed,
    EventCreated,
    EventSettled,
)
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Revalued, RewardsClaimed, Staked, Withdrawn
from tessera.index.answers import (
    EventState,
    Holding,
    LedgerLine,
    MarketState,
    Portfolio,
    Prediction,
    Price,
    Principal,
    Prize,
    Standing,
    Week,
)
from tessera.index.derived import payments, predictions
from tessera.index.leaderboard import Leaderboard
from tessera.index.schema import about, blocks, rows_of, table_of
from tessera.index.states import STEPS, event_state, holding, market_state, place
from tessera.model.prizes import start_of

IN_ORDER = (predictions.c.block, predictions.c.log_index)
PREDICTION = (predictions.c.event_id, predictions.c.account, predictions.c.outcome, predictions.c.forfeited)
PURGEABLE = select(*PREDICTION).where(predictions.c.purgeable).order_by(predictions.c.event_id, predictions.c.account)


def stored(db: Connection, up_to: int | None = None, *, with_logs: bool = False) -> Block | None:
    """The last block of an index, or the last one up to a number, or with logs."""
    query = select(blocks.c.number, blocks.c.hash, blocks.c.timestamp).order_by(blocks.c.number.desc()).limit(1)
    if up_to is not None:
        query = query.where(blocks.c.number <= up_to)
    if with_logs:
        query = query.where(blocks.c.logs > 0)
    row = db.execute(query).one_or_none()
    return None if row is None else Block(*row)


class NoIndexError(ChainError):
    """The database does not answer, or nothing was read yet: later it may."""

    code = "no_index"


class EmptyIndexError(NoIndexError):
    """Nothing was read yet."""


class Snapshot:
    """An index as of its `head`, the last block that was read. Good inside its `with` block.

    Lists are in the chain's order unless said otherwise.
    """

    def __init__(self, db: Connection, contracts: dict[str, str]):
        """Raises EmptyIndexError where nothing was read yet."""
        head = stored(db)
        if head is None:
            raise EmptyIndexError("the index is empty: it has to be synced first")
        self.db = db
        self.contracts = contracts
        self.head = head
        self.rereads = db.scalars(select(about.c.rereads)).one()
        self._markets_address = contracts.get("LmsrMarkets", "")

    def rows(self, *kinds: type[E], **equal) -> Iterator[E]:
        """Events of some kinds in the chain's order, those whose fields are equal to what is given, or in a list of it.

        `rows(Predicted, Claimed, event_id=3)`; `contract` is compared by its name in the deployment's record.
        """
        return merge(*(self._of(kind, _query(kind, equal)) for kind in kinds), key=place)

    def newest(self, kind: type[E], field: str, values: list) -> dict[Any, E]:
        """The last event of a kind for each of these values of a field that has one; those before are not read."""
        table = table_of(kind)
        column, keys = table.c[field], (table.c.block, table.c.log_index)
        age = func.row_number().over(partition_by=column, order_by=[key.desc() for key in keys]).label("age")
        aged = select(*keys, age).where(column.in_(values)).subquery()
        is_one = and_(table.c.block == aged.c.block, table.c.log_index == aged.c.log_index)
        query = select(table).join(aged, is_one).where(aged.c.age == 1)
        return {getattr(row, field): row for row in self._of(kind, query)}

    def rows_after(self, block: int, *kinds: type[EventLog]) -> Iterator[EventLog]:
        """Events of some kinds above a block, in the chain's order."""
        return merge(
            *(self._of(kind, _query(kind, {}).where(table_of(kind).c.block > block)) for kind in kinds), key=place
        )

    def last_with_logs(self) -> Block | None:
        """The last block in which something was logged."""
        return stored(self.db, with_logs=True)

    def has(self, block: Block) -> bool:
        """Whether a block in which something was logged is still one that was read."""
        return stored(self.db, up_to=block.number) == block

    def winners(self, event_id: int, *, offset: int = 0, limit: int | None = None) -> list[Prediction]:
        """Who may be claimed for: predicted the outcome of a settled event and was neither paid nor purged.

        Of forfeited ones the share goes to the pool. Empty where nobody was right or the event is not settled.
        `limit` of them (all if None) after the first `offset`. Raises NotFoundError where there is no such event.
        """
        return self._predictions(self._winning(event_id), offset, limit)

    def predictors(self, event_id: int, *, offset: int = 0, limit: int | None = None) -> list[Prediction]:
        """Whoever has a prediction in an event; those paid have none any more. `limit` of them (all if None) after the
        first `offset`. Raises NotFoundError without the event."""
        return self._predictions(self._predicting(event_id), offset, limit)

    def forfeited(self, *, offset: int = 0, limit: int | None = None) -> list[Prediction]:
        """What can be purged: forfeited predictions in events that are not settled, by event and account."""
        return self._predictions(PURGEABLE, offset, limit)

    def count_winners(self, event_id: int) -> int:
        """How many `winners` there are. Raises NotFoundError without the event."""
        return self._count(self._winning(event_id))

    def count_predictors(self, event_id: int) -> int:
        """How many `predictors` there are. Raises NotFoundError without the event."""
        return self._count(self._predicting(event_id))

    def count_forfeited(self) -> int:
        """How many `forfeited` there are."""
        return self._count(PURGEABLE)

    def events(self, *, offset: int = 0, limit: int | None = None) -> list[EventState]:
        """Events of staked tickets: `limit` of them (all if None) after the first `offset`."""
        created = self._some(EventCreated, offset, limit)
        those = {} if limit is None else {"event_id": [row.event_id for row in created]}
        settled = {row.event_id: row for row in self.rows(EventSettled, **those)}
        return [event_state(row, settled.get(row.event_id), self._paid(row.event_id), self.head) for row in created]

    def event(self, event_id: int) -> EventState:
        """One event. Raises NotFoundError where there is none."""
        settled = next(self.rows(EventSettled, event_id=event_id), None)
        return event_state(self._created(event_id), settled, self._paid(event_id), self.head)

    def prize_history(self, *, offset: int = 0, limit: int | None = None) -> list[Week]:
        """The prize weeks that are closed: `limit` of them (all if None) after the first `offset`."""
        return [
            Week(
                period=row.period,
                starts_at=start_of(row.period),
                closed_at=self.time(row.block),
                revenue=row.revenue,
                pool=row.pool,
                to_events=row.to_events,
                buyback=row.buyback,
                carried=row.carried,
                weight=row.weight,
            )
            for row in self._some(PeriodClosed, offset, limit)
        ]

    def markets(self, *, offset: int = 0, limit: int | None = None) -> list[MarketState]:
        """Friends' markets: `limit` of them (all if None) after the first `offset`."""
        created = self._some(MarketCreated, offset, limit)
        return self._states(created, {} if limit is None else {"market_id": [row.market_id for row in created]})

    def market(self, market_id: int) -> MarketState:
        """One market. Raises NotFoundError where there is none."""
        states = self._states(list(self.rows(MarketCreated, market_id=market_id)), {"market_id": market_id})
        if not states:
            raise NotFoundError(f"there is no market {market_id}")
        return states[0]

    def price_history(self, market_id: int, *, offset: int = 0, limit: int | None = None) -> list[Price]:
        """How the price of YES moved: `tessera.chain.price_history`, `limit` points (all if None) after the first
        `offset`. Raises NotFoundError without the market."""
        created = next(self.rows(MarketCreated, market_id=market_id), None)
        if created is None:
            raise NotFoundError(f"there is no market {market_id}")
        # The first point is the market's own, each of the others a bet's.
        most = limit if limit is None or offset else max(0, limit - 1)
        bets = self._some(BetPlaced, max(0, offset - 1), most, market_id=market_id)
        points = price_history([created, *bets], market_id)
        return [Price(*point) for point in (points[1:] if offset else points)]

    def ledger(self, account: str, *, offset: int = 0, limit: int | None = None) -> list[LedgerLine]:
        """The movements of an account's Escrow balance: `limit` of them (all if None) after the first `offset`."""
        return [
            LedgerLine(
                block=row.block,
                log_index=row.log_index,
                transaction=row.transaction,
                timestamp=row.timestamp,
                product=row.product,
                pot=int.from_bytes(row.pot, "big"),
                kind=row.kind,
                amount=row.amount,
                balance_after=row.balance_after,
            )
            for row in self._some(Entry, offset, limit, account=account)
        ]

    def portfolio(self, account: str) -> Portfolio:
        """All that an account has and had; empty for one that never came."""
        entries = list(self.rows(Entry, account=account))
        result = results(entries, self._markets_address).get(account, Result())
        # A stake that is revalued counts something else; what is owed stays.
        staked = list(self.rows(Staked, Withdrawn, Revalued, account=account))
        principal = defaultdict(int)
        for row in staked:
            if not isinstance(row, Revalued):
                principal[row.asset] += row.amount if isinstance(row, Staked) else -row.amount
        return Portfolio(
            account=account,
            balance=entries[-1].balance_after if entries else 0,
            put_in=result.put_in,
            got=result.got,
            profit=result.profit,
            markets=self._holdings(account, entries),
            stake=staked[-1].stake if staked else 0,
            principal=[Principal(asset, amount) for asset, amount in principal.items()],
            predictions=self._predictions(
                select(*PREDICTION).where(predictions.c.account == account).order_by(*IN_ORDER), 0, None
            ),
            prizes=[
                Prize(row.event_id, row.amount, self.time(row.block)) for row in self.rows(Claimed, account=account)
            ],
            mined=sum(row.amount for row in self.rows(RewardsClaimed, account=account)),
        )

    def leaderboard(self) -> list[Standing]:
        """Everybody who ever had to do with a market, greatest profit first."""
        leaderboard = Leaderboard(self._markets_address)
        leaderboard.follow(self)
        return leaderboard.standings()

    def count(self, kind: type[EventLog], **equal) -> int:
        """How many events of a kind there are."""
        table = table_of(kind)
        return self._number(select(func.count()).select_from(table).where(*_equal(table, equal)))

    def time(self, block: int) -> int:
        """The unix time of a block in which something was logged."""
        return self.db.scalars(select(blocks.c.timestamp).where(blocks.c.number == block)).one()

    def _of(self, kind: type[E], query: Select) -> Iterator[E]:
        return rows_of(kind, self.db.execute(query), self.contracts)

    def _created(self, event_id: int) -> EventCreated:
        created = next(self.rows(EventCreated, event_id=event_id), None)
        if created is None:
            raise NotFoundError(f"there is no event {event_id}")
        return created

    def _paid(self, event_id: int) -> int:
        """What of an event's prize has left, residue included."""
        return self.db.scalar(select(payments.c.paid).where(payments.c.event_id == event_id)) or 0

    def _predicting(self, event_id: int) -> Select:
        self._created(event_id)
        return select(*PREDICTION).where(predictions.c.event_id == event_id).order_by(*IN_ORDER)

    def _winning(self, event_id: int) -> Select:
        query, settled = self._predicting(event_id), next(self.rows(EventSettled, event_id=event_id), None)
        if settled is None or settled.tickets == 0:
            return query.where(false())
        return query.where(predictions.c.outcome == settled.outcome)

    def _predictions(self, query: Select, offset: int, limit: int | None) -> list[Prediction]:
        return [Prediction(*row) for row in self.db.execute(query.offset(offset).limit(limit))]

    def _count(self, query: Select) -> int:
        return self._number(query.with_only_columns(func.count()).order_by(None))

    def _number(self, query: Select) -> int:
        return self.db.scalars(query).one()

    def _some(self, kind: type[E], offset: int, limit: int | None, **equal) -> list[E]:
        """`limit` rows (all if None) after the first `offset`; these are passed over in an index alone."""
        table = table_of(kind)
        keys = _query(kind, equal).with_only_columns(table.c.block, table.c.log_index).offset(offset).limit(limit)
        some = keys.subquery()
        is_one = and_(table.c.block == some.c.block, table.c.log_index == some.c.log_index)
        return sorted(self._of(kind, select(table).join(some, is_one)), key=place)

    def _states(self, created: list[MarketCreated], those: dict) -> list[MarketState]:
        steps = defaultdict(list)
        for row in self.rows(*STEPS, **those):
            steps[row.market_id].append(row)
        return [self._state(row, steps[row.market_id]) for row in created]

    def _state(self, created: MarketCreated, steps: list[EventLog]) -> MarketState:
        table, own = table_of(BetPlaced), {"market_id": created.market_id}
        last = _query(BetPlaced, own).order_by(None).order_by(table.c.block.desc(), table.c.log_index.desc()).limit(1)
        last_bet = next(self._of(BetPlaced, last), None)
        return market_state(created, self.count(BetPlaced, **own), last_bet, steps, self.head)

    def _holdings(self, account: str, entries: list[Entry]) -> list[Holding]:
        pots, bets = defaultdict(list), defaultdict(list)
        for row in entries:
            if row.product == self._markets_address:
                pots[int.from_bytes(row.pot, "big")].append(row)
        for row in self.rows(BetPlaced, account=account):
            bets[row.market_id].append(row)
        created = {market_id: next(self.rows(MarketCreated, market_id=market_id)) for market_id in pots}
        return [
            holding(account, created[pot], self.rows(*STEPS, market_id=pot), bets[pot], mine, self.head)
            for pot, mine in pots.items()
        ]


def _equal(table: Table, equal: dict) -> list:
    return [
        table.c[field].in_(value) if isinstance(value, list) else table.c[field] == value
        for field, value in equal.items()
    ]


def _query(kind: type[EventLog], equal: dict) -> Select:
    table = table_of(kind)
    return select(table).where(*_equal(table, equal)).order_by(table.c.block, table.c.log_index)
