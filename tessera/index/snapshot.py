"""Queries: what an index knows, as of one block."""

from collections import defaultdict
from collections.abc import Iterator
from heapq import merge

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, and_, exists, func, or_, select

from tessera.accounting.profit import Result, results
from tessera.accounting.worth import in_markets
from tessera.chain.blocks import Block
from tessera.chain.contract import E, EventLog
from tessera.chain.errors import ChainError, NotFoundError
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized, price_history
from tessera.chain.prediction_events import (
    Claimed,
    EventCreated,
    EventSettled,
    ForfeitClaimed,
    Predicted,
    Purged,
    ResidueReturned,
)
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Forfeited, Revalued, RewardsClaimed, Staked, Withdrawn
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
from tessera.index.schema import blocks, rows_of, table_of
from tessera.index.states import STEPS, event_state, holding, market_state, mean_brier, place, prediction
from tessera.model.prizes import start_of

MOST_NAMED = 1_000  # people in a query


def stored(db: Connection, up_to: int | None = None) -> Block | None:
    """The last block of an index, or the last one up to a number."""
    query = select(blocks.c.number, blocks.c.hash, blocks.c.timestamp).order_by(blocks.c.number.desc()).limit(1)
    found = db.execute(query if up_to is None else query.where(blocks.c.number <= up_to)).one_or_none()
    return None if found is None else Block(*found)


class NoIndexError(ChainError):
    """The database does not answer, or nothing was read yet: later it may."""

    code = "no_index"


class Snapshot:
    """An index as of its `head`, the last block that was read. Good inside its `with` block.

    Lists are in the chain's order unless said otherwise.
    """

    def __init__(self, db: Connection, contracts: dict[str, str]):
        """Raises NoIndexError where nothing was read yet."""
        head = stored(db)
        if head is None:
            raise NoIndexError("the index is empty: it has to be synced first")
        self.db = db
        self.contracts = contracts
        self.head = head
        self._markets_address = contracts.get("LmsrMarkets", "")

    def rows(self, *kinds: type[E], **equal) -> Iterator[E]:
        """Events of some kinds in the chain's order, those whose fields are equal to what is given, or in a list of it.

        `rows(Predicted, Claimed, event_id=3)`; `contract` is compared by its name in the deployment's record.
        """
        return merge(*(self._of(kind, _query(kind, equal)) for kind in kinds), key=place)

    def winners(self, event_id: int, *, offset: int = 0, limit: int | None = None) -> list[Prediction]:
        """Who may be claimed for: predicted the outcome of a settled event and was neither paid nor purged.

        Of forfeited ones the share goes to the pool. Empty where nobody was right or the event is not settled.
        `limit` of them (all if None) after the first `offset`. Raises NotFoundError where there is no such event.
        """
        created = self._created(event_id)
        outcome = self._right_outcome(event_id)
        return [] if outcome is None else self._predictions([created], offset, limit, outcome=outcome)

    def predictors(self, event_id: int, *, offset: int = 0, limit: int | None = None) -> list[Prediction]:
        """Whoever has a prediction in an event; those paid have none any more. `limit` of them (all if None) after the
        first `offset`. Raises NotFoundError without the event."""
        return self._predictions([self._created(event_id)], offset, limit)

    def forfeited(self, *, offset: int = 0, limit: int | None = None) -> list[Prediction]:
        """What can be purged: forfeited predictions in events that are not settled, by event."""
        found = self.db.execute(self._forfeited().offset(offset).limit(limit)).all()
        return [Prediction(row.event_id, row.account, row.outcome, True) for row in found]

    def count_winners(self, event_id: int) -> int:
        """How many `winners` there are. Raises NotFoundError without the event."""
        self._created(event_id)
        outcome = self._right_outcome(event_id)
        return 0 if outcome is None else self._count(_standing(event_id=event_id, outcome=outcome))

    def count_predictors(self, event_id: int) -> int:
        """How many `predictors` there are. Raises NotFoundError without the event."""
        self._created(event_id)
        made, paid = table_of(Predicted), (table_of(Claimed), table_of(ForfeitClaimed))
        # By group, as the index has them: a count of distinct accounts would sort all again.
        people = select(made.c.account).where(made.c.event_id == event_id).group_by(made.c.account)
        everybody = select(func.count()).select_from(people.subquery())
        # Nobody predicts after a payment, but somebody may after a purge.
        gone = [select(func.count()).select_from(table).where(table.c.event_id == event_id) for table in paid]
        purged = table_of(Purged)
        last = select(func.count()).where(purged.c.event_id == event_id, ~_followed(purged, made))
        return self._number(everybody) - sum(self._number(query) for query in [*gone, last])

    def count_forfeited(self) -> int:
        """How many `forfeited` there are."""
        return self._count(self._forfeited())

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
        found = self._states(list(self.rows(MarketCreated, market_id=market_id)), {"market_id": market_id})
        if not found:
            raise NotFoundError(f"there is no market {market_id}")
        return found[0]

    def price_history(self, market_id: int, *, offset: int = 0, limit: int | None = None) -> list[Price]:
        """How the price of YES moved: `tessera.chain.price_history`, `limit` points (all if None) after the first
        `offset`. Raises NotFoundError without the market."""
        created = next(self.rows(MarketCreated, market_id=market_id), None)
        if created is None:
            raise NotFoundError(f"there is no market {market_id}")
        # The first point is the market's own, each of the others a bet's.
        bets = _query(BetPlaced, {"market_id": market_id}).offset(max(0, offset - 1))
        bets = bets.limit(limit if limit is None or offset else max(0, limit - 1))
        points = price_history([created, *self._of(BetPlaced, bets)], market_id)
        return [Price(*point) for point in (points[1:] if offset else points)]

    def ledger(self, account: str, *, offset: int = 0, limit: int | None = None) -> list[LedgerLine]:
        """The movements of an account's Escrow balance: `limit` of them (all if None) after the first `offset`."""
        query = _query(Entry, {"account": account}).offset(offset).limit(limit)
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
            for row in self._of(Entry, query)
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
        forfeits = list(self.rows(Forfeited, account=account))
        return Portfolio(
            account=account,
            balance=entries[-1].balance_after if entries else 0,
            put_in=result.put_in,
            got=result.got,
            profit=result.profit,
            markets=self._holdings(account, entries),
            stake=staked[-1].stake if staked else 0,
            principal=[Principal(asset, amount) for asset, amount in principal.items()],
            predictions=[
                prediction(made, self._created(made.event_id).stop_block, forfeits)
                for made in self._of(Predicted, _standing(account=account))
            ],
            prizes=[
                Prize(row.event_id, row.amount, self.time(row.block)) for row in self.rows(Claimed, account=account)
            ],
            mined=sum(row.amount for row in self.rows(RewardsClaimed, account=account)),
        )

    def leaderboard(self) -> list[Standing]:
        """Everybody who ever had to do with a market, greatest profit first."""
        ended = {row.market_id: row.outcome for row in self.rows(MarketFinalized)}
        bets = defaultdict(list)
        for row in self.rows(BetPlaced):
            bets[row.account].append(row)
        running = in_markets(self.rows(MarketCreated, BetPlaced, MarketFinalized, Entry), self._markets_address)
        found = [
            Standing(
                account=account,
                profit=result.profit,
                running=running.get(account, 0),
                put_in=result.put_in,
                got=result.got,
                bets=len(bets[account]),
                brier=mean_brier(bets[account], ended),
            )
            for account, result in results(self.rows(Entry), self._markets_address).items()
        ]
        return sorted(found, key=lambda one: (-one.profit, one.account))

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
        tables = map(table_of, (Claimed, ForfeitClaimed, ResidueReturned))
        return sum(sum(self.db.scalars(select(table.c.amount).where(table.c.event_id == event_id))) for table in tables)

    def _right_outcome(self, event_id: int) -> int | None:
        settled = next(self.rows(EventSettled, event_id=event_id), None)
        return None if settled is None or settled.tickets == 0 else settled.outcome

    def _predictions(self, created: list[EventCreated], offset: int, limit: int | None, **equal) -> list[Prediction]:
        """The predictions that stand in some events, or of an account in all that there are of these."""
        stops = {row.event_id: row.stop_block for row in created}
        query = _standing(event_id=list(stops), **equal).offset(offset).limit(limit)
        made = list(self._of(Predicted, query))
        forfeits = defaultdict(list)
        people = list({row.account for row in made})
        # Of few people their own rows are read; of many, all rows.
        those = {"account": people} if len(people) <= MOST_NAMED else {}
        for row in self.rows(Forfeited, **those):
            forfeits[row.account].append(row)
        return [prediction(row, stops[row.event_id], forfeits[row.account]) for row in made]

    def _forfeited(self) -> Select:
        made, event, forfeit = table_of(Predicted), table_of(EventCreated), table_of(Forfeited)
        settled = table_of(EventSettled)
        return (
            _standing()
            .join(event, event.c.event_id == made.c.event_id)
            .where(
                made.c.account.in_(select(forfeit.c.account)),
                ~exists().where(settled.c.event_id == made.c.event_id),
                # As PredictionEvents._is_forfeited: the first forfeiture since came before the stop block.
                exists().where(
                    forfeit.c.account == made.c.account, _after(forfeit, made), forfeit.c.block < event.c.stop_block
                ),
            )
            .order_by(None)
            .order_by(made.c.event_id, made.c.account)
        )

    def _count(self, query: Select) -> int:
        return self._number(select(func.count()).select_from(query.order_by(None).subquery()))

    def _number(self, query: Select[int]) -> int:
        return self.db.scalars(query).one()

    def _some(self, kind: type[E], offset: int, limit: int | None) -> list[E]:
        return list(self._of(kind, _query(kind, {}).offset(offset).limit(limit)))

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


def _after(later: FromClause, row: FromClause) -> ColumnElement[bool]:
    """Whether a row comes after another one on the chain."""
    return or_(later.c.block > row.c.block, and_(later.c.block == row.c.block, later.c.log_index > row.c.log_index))


def _followed(row: FromClause, later: FromClause) -> ColumnElement[bool]:
    """Whether an account has a later row of another table in the same event."""
    return exists().where(later.c.event_id == row.c.event_id, later.c.account == row.c.account, _after(later, row))


def _standing(**equal) -> Select:
    """The predictions that stand: the last one of each account in each event that was neither purged nor claimed for
    since."""
    made = table_of(Predicted)
    ends = [made.alias("changed"), *map(table_of, (Purged, Claimed, ForfeitClaimed))]
    return _query(Predicted, equal).where(*(~_followed(made, end) for end in ends))
