"""The weekly prize in exact fractions: what the contracts round, nothing is rounded here.

Source: P_i = carry * P_(i-1) + revenue_i; the event share of P_i goes to the period's events by weight
(docs/tickets.md).
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

EVENT_SHARE = Fraction(90, 100)
BUYBACK_SHARE = Fraction(3, 100)
WEEK = 7 * 24 * 3600
FIRST_FRIDAY = 24 * 3600


def period_of(timestamp: int) -> int:
    """Index of the prize week that a unix time lies in: Friday 00:00 UTC, inclusive, to the next."""
    return (timestamp - FIRST_FRIDAY) // WEEK


def start_of(period: int) -> int:
    """First second of a prize week."""
    return period * WEEK + FIRST_FRIDAY


class Period(NamedTuple):
    """A closed period: `pool` is P of it, and the sum of the three that follow."""

    period: int
    revenue: Fraction
    pool: Fraction
    to_events: Fraction
    buyback: Fraction
    carried: Fraction


@dataclass
class PrizeWeeks:
    """Revenue shared week by week. `period` is the first that is not closed."""

    period: int
    split: tuple[Fraction, Fraction] = (EVENT_SHARE, BUYBACK_SHARE)
    waiting: Fraction = Fraction(0)
    carried: Fraction = Fraction(0)
    bucket: Fraction = Fraction(0)
    closed: list[Period] = field(default_factory=list)
    _events: dict = field(default_factory=dict)
    _splits: dict[int, tuple[Fraction, Fraction]] = field(default_factory=dict)

    def add_revenue(self, amount: Fraction | int) -> None:
        """Revenue of the periods not closed."""
        self.waiting += amount

    def open_event(self, event, weight: int, last: int) -> None:
        """An event that shares from the running period to `last`, inclusive. Raises ValueError if that is over."""
        if last < self.period:
            raise ValueError(f"period {last} is closed")
        self._events[event] = (weight, self.period, last)

    def set_split(self, running: int, event_share: Fraction, buyback_share: Fraction) -> None:
        """Shares of events and buyback from the week after the running one on."""
        self._splits[running + 1] = event_share, buyback_share

    def close(self, running: int, most: int | None = None) -> None:
        """Closes periods before `running`, at most `most` of them; those still to close share what waits equally."""
        until = running if most is None else min(running, self.period + most)
        while self.period < until:
            revenue = self.waiting / (running - self.period)
            pool = self.carried + revenue
            self.split = self._splits.pop(self.period, self.split)
            live = bool(self._live(self.period))
            to_events, buyback = (pool * share if live else Fraction(0) for share in self.split)
            self.carried = pool - to_events - buyback
            self.bucket += buyback
            self.waiting -= revenue
            self.closed.append(Period(self.period, revenue, pool, to_events, buyback, self.carried))
            self.period += 1

    def prize(self, event) -> Fraction:
        """An event's prize from the periods closed so far."""
        weight, first, last = self._events[event]
        return sum(
            (
                closed.to_events * weight / sum(self._live(closed.period))
                for closed in self.closed
                if first <= closed.period <= last
            ),
            Fraction(0),
        )

    def _live(self, period: int) -> list[int]:
        """Weights of the events of a period."""
        return [weight for weight, first, last in self._events.values() if first <= period <= last]
