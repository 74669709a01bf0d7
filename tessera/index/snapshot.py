"""Queries: what an index knows, as of one block."""

from collections import defaultdict
from collections.abc import Iterator
from heapq import merge

from sqlalchemy import Connection, Select, func, select

from tessera.accounting.profit import Result, results
from tessera.chain.contract import EventLog
from tessera.chain.errors import ChainError
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
from tessera.chain.staking_pool import Forfeited, RewardsClaimed, Staked, Withdrawn
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
from tessera.index.schema import Block, blocks, rows_of, table_of
from tessera.index.states import STEPS, event_state, holding, market_state, mean_brier, place, prediction, standing
from tessera.model.prizes import start_of


def stored(db: Connection, up_to: int | None = None) -> Block | None:
    """The last block of an index, or the last one up to a number."""
    query = select(blocks.c.number, blocks.c.hash, blocks.c.timestamp).order_by(blocks.c.number.desc()).limit(1)
    found = db.execute(query if up_to is None else query.where(blocks.c.number <= up_to)).one_or_none()
    return None if found is None else Block(*found)


class NoIndexError(ChainError):
    """The database does not answer, or nothing was read yet: later it may."""


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

    def rows(self, *kinds: type[EventLog], **equal) -> Iterator[EventLog]:
        """Events of some kinds in the chain's order, those whose fields are equal to what is given, or in a list of it.

        `rows(Predicted, Claimed, event_id=3)`; `contract` is compared by its name in the deployment's record.
        """
        return merge(*(self._of(kind, _query(kind, equal)) for kind in kinds), key=place)

    def winners(self, event_id: int) -> list[Prediction]:
        """Who may be claimed for: predicted the outcome of a settled event and was neither paid nor purged.

        Of forfeited ones the share goes to the pool. Empty where nobody was right or the event is not settled.
        Raises ChainError where there is no such event.
        """
        predictors = self.predictors(event_id)
        settled = next(self.rows(EventSettled, event_id=event_id), None)
        if settled is None or settled.tickets == 0:
            return []
        return [found for found in predictors if found.outcome == settled.outcome]

    def predictors(self, event_id: int) -> list[Prediction]:
        """Whoever has a prediction in an event; those paid have none any more. Raises ChainError without the event."""
        stop_block = self._created(event_id).stop_block
        forfeits = list(self.rows(Forfeited))
        return [prediction(made, stop_block, forfeits) for made in self._standing(event_id=event_id)]

    def forfeited(self) -> list[Prediction]:
        """What can be purged: forfeited predictions in events that are not settled, by event."""
        forfeits = defaultdict(list)
        for row in self.rows(Forfeited):
            forfeits[row.account].append(row)
        if not forfeits:
            return []
        settled = {row.event_id for row in self.rows(EventSettled)}
        stops = {row.event_id: row.stop_block for row in self.rows(EventCreated) if row.event_id not in settled}
        found = [
            prediction(made, stops[made.event_id], mine)
            for account, mine in forfeits.items()
            for made in self._standing(account=account)
            if made.event_id in stops
        ]
        return sorted((one for one in found if one.forfeited), key=lambda one: one.event_id)

    def events(self, *, offset: int = 0, limit: int | None = None) -> list[EventState]:
        """Events of staked tickets: `limit` of them (all if None) after the first `offset`."""
        created = self._some(EventCreated, offset, limit)
        those = {} if limit is None else {"event_id": [row.event_id for row in created]}
        settled = {row.event_id: row for row in self.rows(EventSettled, **those)}
        paid = defaultdict(int)
        for row in self.rows(Claimed, ForfeitClaimed, ResidueReturned, **those):
            paid[row.event_id] += row.amount
        return [event_state(row, settled.get(row.event_id), paid[row.event_id], self.head) for row in created]

    def event(self, event_id: int) -> EventState:
        """One event. Raises ChainError where there is none."""
        settled = next(self.rows(EventSettled, event_id=event_id), None)
        paid = sum(row.amount for row in self.rows(Claimed, ForfeitClaimed, ResidueReturned, event_id=event_id))
        return event_state(self._created(event_id), settled, paid, self.head)

    def prize_history(self) -> list[Week]:
        """The prize weeks that are closed."""
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
            for row in self.rows(PeriodClosed)
        ]

    def markets(self, *, offset: int = 0, limit: int | None = None) -> list[MarketState]:
        """Friends' markets: `limit` of them (all if None) after the first `offset`."""
        created = self._some(MarketCreated, offset, limit)
        return self._states(created, {} if limit is None else {"market_id": [row.market_id for row in created]})

    def market(self, market_id: int) -> MarketState:
        """One market. Raises ChainError where there is none."""
        found = self._states(list(self.rows(MarketCreated, market_id=market_id)), {"market_id": market_id})
        if not found:
            raise ChainError(f"there is no market {market_id}")
        return found[0]

    def price_history(self, market_id: int) -> list[Price]:
        """How the price of YES moved: `tessera.chain.price_history`. Raises ChainError without the market."""
        found = price_history(self.rows(MarketCreated, BetPlaced, market_id=market_id), market_id)
        if not found:
            raise ChainError(f"there is no market {market_id}")
        return [Price(*point) for point in found]

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
        staked = list(self.rows(Staked, Withdrawn, account=account))
        principal = defaultdict(int)
        for row in staked:
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
                for made in self._standing(account=account)
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
        found = [
            Standing(
                account=account,
                profit=result.profit,
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
        return self.db.scalar(select(func.count()).select_from(_query(kind, equal).order_by(None).subquery()))

    def time(self, block: int) -> int:
        """The unix time of a block in which something was logged."""
        return self.db.scalars(select(blocks.c.timestamp).where(blocks.c.number == block)).one()

    def _of(self, kind: type[EventLog], query: Select) -> Iterator[EventLog]:
        return rows_of(kind, self.db.execute(query), self.contracts)

    def _created(self, event_id: int) -> EventCreated:
        created = next(self.rows(EventCreated, event_id=event_id), None)
        if created is None:
            raise ChainError(f"there is no event {event_id}")
        return created

    def _standing(self, **equal) -> list[Predicted]:
        return standing(self.rows(Predicted, Purged, Claimed, ForfeitClaimed, **equal))

    def _some(self, kind: type[EventLog], offset: int, limit: int | None) -> list:
        return list(self._of(kind, _query(kind, {}).offset(offset).limit(limit)))

    def _states(self, created: list[MarketCreated], those: dict) -> list[MarketState]:
        bets, steps = defaultdict(list), defaultdict(list)
        for row in self.rows(BetPlaced, **those):
            bets[row.market_id].append(row)
        for row in self.rows(*STEPS, **those):
            steps[row.market_id].append(row)
        return [market_state(row, bets[row.market_id], steps[row.market_id], self.head) for row in created]

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


def _query(kind: type[EventLog], equal: dict) -> Select:
    table = table_of(kind)
    same = [
        table.c[field].in_(value) if isinstance(value, list) else table.c[field] == value
        for field, value in equal.items()
    ]
    return select(table).where(*same).order_by(table.c.block, table.c.log_index)
