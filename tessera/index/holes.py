"""Whether the rows of an index explain what the contracts count: a node may leave logs of old blocks out."""

from collections.abc import Iterator

from tessera.chain.contract import OwnershipTransferred
from tessera.chain.deployments import Tessera
from tessera.chain.errors import ChainError
from tessera.chain.lmsr_markets import BetPlaced, MarketCreated, MarketFinalized, Status
from tessera.chain.prediction_events import EventCreated
from tessera.chain.prize_pool import PeriodClosed
from tessera.chain.staking_pool import Forfeited, Revalued, Staked, Withdrawn
from tessera.index.snapshot import Snapshot
from tessera.model.prizes import period_of

FINAL = (Status.RESOLVED, Status.INVALID)


class IncompleteError(ChainError):
    """The node leaves logs out: nobody may act on what the others say."""

    code = "incomplete_logs"

    def __init__(self, holes: list[str]):
        super().__init__(
            f"the node leaves logs out ({'; '.join(holes)}): ask another node, the index reads again from it by itself"
        )
        self.holes = holes


def in_totals(snapshot: Snapshot, tessera: Tessera) -> list[str]:
    """Where the rows come to less or more than a total that a contract keeps, as of the snapshot's block: a phrase
    each. Costs a call for each total."""
    return [
        f"{counted:,} {name}, the logs show {logged:,}"
        for name, counted, logged in _totals(snapshot, tessera, {"block": snapshot.head.number})
        if counted != logged
    ]


def in_what_runs(snapshot: Snapshot, tessera: Tessera) -> list[str]:
    """The same of each event and market that is not over: whether it is settled, what was paid, how many bets there
    are. Costs a call for each."""
    return [
        *(_of_events(snapshot, tessera) if "PredictionEvents" in snapshot.contracts else ()),
        *(_of_markets(snapshot, tessera) if "LmsrMarkets" in snapshot.contracts else ()),
    ]


def _totals(snapshot: Snapshot, tessera: Tessera, at: dict) -> Iterator[tuple[str, int, int]]:
    """What is counted, what the contract says, and what the rows come to."""
    if "PredictionEvents" in snapshot.contracts:
        yield "events", tessera.events.read("event_count", **at), snapshot.count(EventCreated)
    if "LmsrMarkets" in snapshot.contracts:
        yield "markets", tessera.markets.read("market_count", **at), snapshot.count(MarketCreated)
    if "StakingPool" in snapshot.contracts:
        yield "forfeitures", tessera.staking.read("total_forfeits", **at), snapshot.count(Forfeited)
        yield "1e-6 USD of stake", tessera.staking.read("total_stake", **at), _stake(snapshot)
    if "PrizePool" in snapshot.contracts:
        owners = (row for row in snapshot.rows(OwnershipTransferred) if row.contract == tessera.prizes.address)
        created = next(owners, None)  # the constructor logs its owner
        yield "creations of PrizePool", 1, int(created is not None)
        if created is not None:
            closed = tessera.prizes.read("period", **at) - period_of(snapshot.time(created.block))
            yield "closed weeks", closed, snapshot.count(PeriodClosed)


def _stake(snapshot: Snapshot) -> int:
    """The sum of all stakes: each account's last log says its own."""
    stakes: dict[str, int] = {}
    for row in snapshot.rows(Staked, Withdrawn, Revalued):
        stakes[row.account] = row.stake
    return sum(stakes.values())


def _of_events(snapshot: Snapshot, tessera: Tessera) -> Iterator[str]:
    for event in snapshot.events():
        if event.is_settled and not event.unpaid:
            continue
        result = tessera.events.result_of(event.event_id, block=snapshot.head.number)
        if result.settled != event.is_settled:
            yield f"event {event.event_id} is settled, the logs do not show it"
        elif result.unpaid != event.unpaid:
            yield f"event {event.event_id} has {result.unpaid:,} units unpaid, by the logs {event.unpaid:,}"


def _of_markets(snapshot: Snapshot, tessera: Tessera) -> Iterator[str]:
    final = {row.market_id for row in snapshot.rows(MarketFinalized)}
    for created in snapshot.rows(MarketCreated):
        market_id = created.market_id
        if market_id in final:
            continue
        market = tessera.markets.market(market_id, block=snapshot.head.number)
        logged = snapshot.count(BetPlaced, market_id=market_id)
        if market.status in FINAL:
            yield f"market {market_id} is settled, the logs do not show it"
        elif market.bets != logged:
            yield f"market {market_id} has {market.bets:,} bets, the logs show {logged:,}"
