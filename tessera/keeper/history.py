"""What the logs say that no view does: who predicted what, who was paid, what events there are."""

from dataclasses import dataclass

from tessera.chain.contract import E
from tessera.chain.escrow import Entry, Kind
from tessera.chain.lmsr_markets import BetPlaced, MarketFinalized
from tessera.chain.prediction_events import EventCreated, EventSettled, PrizeClaimSkipped
from tessera.chain.prize_pool import PeriodClosed, PrizeTaken, RevenueAdded
from tessera.chain.staking_pool import AssetAdded, AssetRetired, Harvested, Staked, Withdrawn
from tessera.index import Index
from tessera.index.answers import EventState, MarketState
from tessera.index.holes import IncompleteError
from tessera.model.lmsr import Outcome

REFUSED = "events: token refused"
Revenue = Harvested | RevenueAdded | PrizeTaken | PeriodClosed


@dataclass(frozen=True)
class Winners:
    """Who is to be paid for an event: `payable` at once, `refused` when the token takes them again."""

    payable: list[str]
    refused: list[str]

    @property
    def everybody(self) -> list[str]:
        """All who are not paid yet."""
        return self.payable + self.refused


class History:
    """The event index as the keeper asks it; as of the last `sync`."""

    def __init__(self, index: Index):
        self._index = index
        self._events: dict[int, EventCreated] = {}

    def sync(self) -> None:
        """Reads what is new. Raises ChainError, or an error of the node's."""
        self._index.sync()
        self._events = {row.event_id: row for row in self._rows(EventCreated)}

    def hole(self) -> str:
        """What the contracts count and the logs do not show, with what to do; empty where the logs explain all.

        The index asks the node for all logs again before it says so.
        """
        try:
            self._index.check(thorough=True)
        except IncompleteError as error:
            return str(error)
        return ""

    def fill(self) -> bool:
        """Asks the node for all logs again; whether there were some that had been left out."""
        return self._index.fill()

    def events(self) -> list[EventCreated]:
        """All events, in the order of their creation."""
        return list(self._events.values())

    def event(self, event_id: int) -> EventCreated:
        """What was said at an event's creation."""
        return self._events[event_id]

    def unsettled(self) -> list[EventCreated]:
        """The events that are not settled."""
        settled = {row.event_id for row in self._rows(EventSettled)}
        return [row for row in self.events() if row.event_id not in settled]

    def is_settled(self, event_id: int) -> bool:
        """Whether the logs show an event as settled."""
        return bool(self._rows(EventSettled, event_id=event_id))

    def settled_at(self, event_id: int) -> int:
        """Unix time at which an event was settled."""
        (settled,) = self._rows(EventSettled, event_id=event_id)
        with self._index.snapshot() as snapshot:
            return snapshot.time(settled.block)

    def unpaid(self) -> list[EventState]:
        """The settled events with a prize of which something was not paid yet."""
        with self._index.snapshot() as snapshot:
            return [event for event in snapshot.events() if event.unpaid]

    def forfeited(self) -> list[tuple[int, str]]:
        """Predictions that can be purged: event and account."""
        with self._index.snapshot() as snapshot:
            return [(prediction.event_id, prediction.account) for prediction in snapshot.forfeited()]

    def predicting(self, event_id: int, outcome: int) -> list[str]:
        """Whose prediction of an event is that outcome and counts."""
        with self._index.snapshot() as snapshot:
            predictions = snapshot.predictors(event_id)
        return [made.account for made in predictions if made.outcome == outcome and not made.forfeited]

    def winners(self, event_id: int) -> Winners:
        """Who was right about a settled event and is not paid yet."""
        skipped = {row.account: row.reason for row in self._rows(PrizeClaimSkipped, event_id=event_id)}
        with self._index.snapshot() as snapshot:
            unpaid = [prediction.account for prediction in snapshot.winners(event_id)]
        # Whoever was skipped for another reason has nothing to get, whatever the logs leave out.
        refused = [account for account in unpaid if skipped.get(account) == REFUSED]
        return Winners([account for account in unpaid if account not in skipped], refused)

    def retired_assets(self) -> list[str]:
        """Assets that were taken off the list and not added again."""
        retired: dict[str, None] = {}
        for row in self._rows(AssetAdded, AssetRetired):
            if isinstance(row, AssetRetired):
                retired[row.asset] = None
            else:
                retired.pop(row.asset, None)
        return list(retired)

    def stakers(self, asset: str) -> list[str]:
        """Whoever has principal of an asset."""
        principal: dict[str, int] = {}
        for row in self._rows(Staked, Withdrawn, asset=asset):
            change = row.amount if isinstance(row, Staked) else -row.amount
            principal[row.account] = principal.get(row.account, 0) + change
        return [account for account, amount in principal.items() if amount > 0]

    def unsettled_markets(self) -> list[MarketState]:
        """The friends' markets that have no final outcome."""
        with self._index.snapshot() as snapshot:
            settled = {row.market_id for row in snapshot.rows(MarketFinalized)}
            return [market for market in snapshot.markets() if market.market_id not in settled]

    def is_settled_market(self, market_id: int) -> bool:
        """Whether the logs show a friends' market as settled."""
        return bool(self._rows(MarketFinalized, market_id=market_id))

    def bettors(self, market_id: int) -> set[str]:
        """Whoever bet in a friends' market."""
        return {bet.account for bet in self._rows(BetPlaced, market_id=market_id)}

    def unpaid_bettors(self) -> dict[int, list[str]]:
        """Who has something to get of each settled market, and did not get it."""
        with self._index.snapshot() as snapshot:
            outcomes = {row.market_id: row.outcome for row in snapshot.rows(MarketFinalized)}
            paid = {
                (int.from_bytes(row.pot), row.account) for row in snapshot.rows(Entry, kind=[Kind.PAYOUT, Kind.REFUND])
            }
            bets = list(snapshot.rows(BetPlaced))
        unpaid: dict[int, dict[str, None]] = {}
        for bet in bets:
            outcome = outcomes.get(bet.market_id)
            if outcome in (bet.side, Outcome.INVALID) and (bet.market_id, bet.account) not in paid:
                unpaid.setdefault(bet.market_id, {})[bet.account] = None
        return {market_id: list(accounts) for market_id, accounts in unpaid.items()}

    def revenue(self) -> list[Revenue]:
        """What came into the prize pool, from whom, and the weeks that were closed, in the chain's order."""
        return self._rows(Harvested, RevenueAdded, PrizeTaken, PeriodClosed)

    def _rows(self, *kinds: type[E], **equal) -> list[E]:
        with self._index.snapshot() as snapshot:
            return list(snapshot.rows(*kinds, **equal))
