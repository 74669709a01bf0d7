"""Where the revenue of closed weeks came from and went, from the logs."""

from dataclasses import dataclass, field

from tessera.chain.prize_pool import PeriodClosed, PrizeTaken, RevenueAdded
from tessera.chain.staking_pool import Harvested
from tessera.keeper.view import View
from tessera.model.prizes import period_of


@dataclass
class MoneyFlow:
    """Weeks that were closed together, `first` to `last`, in units of the prize token.

    The sum of `sources` is the sum of `sinks`, to the unit.
    """

    first: int
    last: int
    sources: dict[str, int] = field(default_factory=dict)
    sinks: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """What came in, and went."""
        return sum(self.sources.values())


def money_flow(view: View, first: int, last: int) -> MoneyFlow | None:
    """The money of the weeks from `first` to `last`; None where they are not closed.

    An event's part is rounded here, and what that leaves is shown as rounding.
    """
    revenue: dict[str, int] = {}
    closed: list[PeriodClosed] = []
    for row in view.history.revenue():
        match row:
            case PeriodClosed():
                if row.period < first:
                    revenue.clear()
                elif row.period <= last:
                    closed.append(row)
                    if row.period == last:
                        break
            case Harvested():
                _add(revenue, f"{view.token(row.asset).symbol} stakes", row.revenue)
            case RevenueAdded() if row.payer == view.events.address:
                _add(revenue, "what winners left", row.amount)
            case RevenueAdded() if row.payer != view.pool.address:
                _add(revenue, "sponsors", row.amount)
            case PrizeTaken() if not row.paid:
                _add(revenue, "events without winners", row.amount)
    if len(closed) != last - first + 1:
        return None
    start, end = closed[0], closed[-1]
    flow = MoneyFlow(first, last)
    _add(flow.sources, "carried from before", start.pool - start.revenue)
    for name, amount in revenue.items():
        _add(flow.sources, name, amount)
    # Not all revenue is shared at once where weeks are closed one at a time.
    shared, received = sum(row.revenue for row in closed), sum(revenue.values())
    _add(flow.sources, "revenue of earlier weeks", shared - received)
    for row in closed:
        for title, amount in _shares(view, row).items():
            _add(flow.sinks, title, amount)
    _add(flow.sinks, "buyback", sum(row.buyback for row in closed))
    _add(flow.sinks, "carried to the next week", end.carried)
    _add(flow.sinks, "later weeks", received - shared)
    return flow


def _shares(view: View, row: PeriodClosed) -> dict[str, int]:
    hour = view.events.blocks_per_hour()
    shares: dict[str, int] = {}
    for event in view.history.events():
        length = event.stop_block - event.start_block
        created_at = event.not_before - (length * 3600 + hour - 1) // hour
        if row.weight and period_of(created_at) <= row.period <= period_of(event.not_before):
            shares[f"{event.event_id}: {event.description}"] = row.to_events * event.weight // row.weight
    shares["rounding"] = row.to_events - sum(shares.values())
    return shares


def _add(amounts: dict[str, int], name: str, amount: int) -> None:
    if amount > 0:
        amounts[name] = amounts.get(name, 0) + amount
