"""Everybody who ever had to do with a market, greatest profit first: counted once, and after it what is new."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

from mpmath import mpf

from tessera.accounting.profit import Result
from tessera.accounting.worth import Worth
from tessera.chain.blocks import Block
from tessera.chain.contract import WAD_PER_UNIT, EventLog
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized
from tessera.index.answers import Standing
from tessera.model.lmsr import Outcome, brier

KINDS = (MarketCreated, BetPlaced, MarketFinalized, Entry)


class Rows(Protocol):
    """What is asked of a snapshot."""

    rereads: int

    def has(self, block: Block) -> bool: ...
    def last_with_logs(self) -> Block | None: ...
    def rows_after(self, block: int, *kinds: type[EventLog]) -> Iterator[EventLog]: ...


class Leaderboard:
    """The standings as of the last snapshot that it followed."""

    def __init__(self, product: str):
        """`product` is the markets' address."""
        self._product = product
        self._start()

    def _start(self) -> None:
        self._last: Block | None = None  # the last one with logs that was counted
        self._rereads = 0
        self._worth = Worth(self._product)
        self._forecasts = _Forecasts()
        self._results: dict[str, Result] = {}
        self._order: list[tuple[int, str]] = []  # -profit and account

    def __len__(self) -> int:
        return len(self._order)

    def follow(self, snapshot: Rows) -> None:
        """Counts what is new; everything again where the chain took back what was counted, or rows were added to it."""
        is_before = self._last is None or snapshot.has(self._last)
        if not is_before or snapshot.rereads != self._rereads:
            self._start()
        try:
            self._count(snapshot)
        except BaseException:
            self._start()  # half of the rows would be counted again
            raise

    def _count(self, snapshot: Rows) -> None:
        changed: dict[str, Result] = {}  # their results before
        for row in snapshot.rows_after(-1 if self._last is None else self._last.number, *KINDS):
            self._worth.add(row)
            self._forecasts.add(row)
            if isinstance(row, Entry) and row.product == self._product:
                before = self._results.get(row.account, Result())
                changed.setdefault(row.account, before)
                self._results[row.account] = before.after(row)
        self._sort(changed)
        self._last, self._rereads = snapshot.last_with_logs(), snapshot.rereads

    def _sort(self, changed: dict[str, Result]) -> None:
        if not self._order:
            self._order = sorted((-result.profit, account) for account, result in self._results.items())
            return
        for account, before in changed.items():
            place = bisect_left(self._order, (-before.profit, account))
            if place < len(self._order) and self._order[place][1] == account:
                del self._order[place]
            insort(self._order, (-self._results[account].profit, account))

    def standings(self, offset: int = 0, limit: int | None = None) -> list[Standing]:
        """`limit` of them (all if None) after the first `offset`."""
        some = self._order[offset : None if limit is None else offset + limit]
        return [self._standing(account) for _, account in some]

    def _standing(self, account: str) -> Standing:
        result = self._results[account]
        return Standing(
            account=account,
            profit=result.profit,
            running=self._worth.of(account),
            put_in=result.put_in,
            got=result.got,
            bets=self._forecasts.bets[account],
            brier=self._forecasts.brier(account),
        )


class _Forecasts:
    """How good bets were as forecasts: the Brier score of the probabilities at which they break even."""

    def __init__(self):
        self.bets: dict[str, int] = defaultdict(int)
        self._undecided: dict[int, list[BetPlaced]] = defaultdict(list)
        self._scores: dict[str, tuple[mpf, int]] = defaultdict(lambda: (mpf(0), 0))

    def add(self, row: EventLog) -> None:
        if isinstance(row, BetPlaced):
            self.bets[row.account] += 1
            self._undecided[row.market_id].append(row)
        elif isinstance(row, MarketFinalized):
            bets = self._undecided.pop(row.market_id, [])
            for bet in bets if row.outcome != Outcome.INVALID else []:
                score, count = self._scores[bet.account]
                forecast = mpf(bet.stake * WAD_PER_UNIT) / bet.shares
                self._scores[bet.account] = score + brier(forecast, bet.side == row.outcome), count + 1

    def brier(self, account: str) -> float | None:
        """The mean of an account's bets in markets that ended YES or NO; None without any."""
        if account not in self._scores:
            return None
        score, count = self._scores[account]
        return float(score / count)
