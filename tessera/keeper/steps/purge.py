"""Purge: a forfeited prediction leaves its outcome's total before the event is settled. Afterwards its share could only
go back to the pool."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.keeper.steps.base import Call, Step, refusal
from tessera.keeper.view import Clock, View

NEEDS = "PredictionEvents"
GAS = 60_000


@dataclass(frozen=True)
class Purge(Step):
    """A forfeited prediction leaves its outcome's total, so that the winners share all of the prize."""

    event_id: int
    account: str
    kind: ClassVar[str] = "purge"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.event_id} {self.account}"

    def calls(self, view: View) -> Iterator[Call]:
        yield self._call(view)

    def is_done(self, view: View) -> bool:
        return refusal(view, self._call(view)) is not None

    def _call(self, view: View) -> Call:
        return Call(view.events, "purge", (self.event_id, self.account))


def due(view: View, now: Clock) -> Iterator[Step]:
    """Each forfeited prediction in an event that is not settled."""
    for event_id, account in view.history.forfeited():
        what = f"purge {account} in event {event_id}"
        why = "a withdrawal of which PredictionEvents was not notified forfeited it"
        yield Purge(what, why, GAS, event_id=event_id, account=account)
