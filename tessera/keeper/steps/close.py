"""Close: what came in during weeks that are over is shared among their events."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.keeper.steps.base import Call, Step
from tessera.keeper.view import Clock, View
from tessera.model.dates import utc
from tessera.model.prizes import period_of, start_of

NEEDS = "PrizePool"
MAX_PERIODS = 520  # closed in one call
GAS, GAS_OF_MORE_WEEKS = 125_000, 6_000


@dataclass(frozen=True)
class Close(Step):
    """Weeks that are over are closed, all of them."""

    first: int
    running: int
    kind: ClassVar[str] = "close"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.first} to {self.running - 1}"

    def calls(self, view: View) -> Iterator[Call]:
        for _ in range(self.first, self.running, MAX_PERIODS):
            yield Call(view.prizes, "close_periods", (view.prizes.period(), MAX_PERIODS))

    def is_done(self, view: View) -> bool:
        return view.prizes.period() >= self.running


def due(view: View, now: Clock) -> Iterator[Step]:
    """All weeks that are over and not closed, in one step."""
    first, running = view.prizes.period(), period_of(now.time)
    weeks = running - first
    if weeks > 0:
        what = f"close {weeks} week{'s' if weeks > 1 else ''}"
        why = f"the {'first' if weeks > 1 else 'week'} ended {utc(start_of(first + 1))}"
        yield Close(what, why, GAS + (weeks - 1) * GAS_OF_MORE_WEEKS, first=first, running=running)


def late(now: Clock, period: int) -> int:
    """Seconds since the end of the first week that is not closed; 0 before it."""
    return max(0, now.time - start_of(period + 1))
