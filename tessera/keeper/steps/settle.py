"""Settle: an event's outcome is fixed and its prize fetched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.prediction_events import EventCreated
from tessera.keeper.steps.base import Call, Step
from tessera.keeper.view import Clock, View
from tessera.model.dates import utc
from tessera.model.prizes import period_of, start_of

NEEDS = "PredictionEvents"
GAS = 140_000
PURGE_HOURS = 24  # PredictionEvents.PURGE_HOURS


@dataclass(frozen=True)
class Settle(Step):
    """An event's outcome is fixed and its prize fetched."""

    event_id: int
    kind: ClassVar[str] = "settle"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.event_id}"

    def calls(self, view: View) -> Iterator[Call]:
        yield Call(view.events, "settle", (self.event_id,))

    def is_done(self, view: View) -> bool:
        return view.events.result_of(self.event_id).settled


@dataclass(frozen=True)
class Ended:
    """An event that predicting has ended in and that is not settled. `waits` says for what; empty: for nothing."""

    event: EventCreated
    is_final: bool  # the panel has decided
    outcome: int | None  # None: INVALID, as far as that can be said
    waits: str


def ended(view: View, now: Clock) -> list[Ended]:
    """The events to settle, now or later, those of the greatest weight first."""
    events = [event for event in view.history.unsettled() if now.block >= event.stop_block]
    if not events:
        return []
    hour = view.events.blocks_per_hour()
    purging = view.pool.total_forfeits() != 0
    states = []
    for event in events:
        final, outcome = view.tessera.panels.result(event.panel_id, event.question_id)
        last, purged = period_of(event.not_before), event.stop_block + PURGE_HOURS * hour
        if not final and now.time <= event.result_deadline:
            waits = f"the panel has not decided; INVALID after {utc(event.result_deadline)}"
        elif last >= period_of(now.time):
            waits = f"its last week ends {utc(start_of(last + 1))}"
        elif purging and now.block < purged:
            waits = f"forfeited predictions can be purged until block {purged}"
        else:
            waits = ""
        states.append(Ended(event, final, outcome if final and outcome < len(event.outcomes) else None, waits))
    return sorted(states, key=lambda state: -state.event.weight)


def due(view: View, now: Clock) -> Iterator[Step | str]:
    """Each event whose result is final and whose last week is over."""
    for state in ended(view, now):
        event = state.event
        title = view.title(event.event_id)
        if state.waits:
            yield f"{title}: {state.waits}"
            continue
        named = "INVALID" if state.outcome is None else event.outcomes[state.outcome]
        why = f"the panel decided: {named}" if state.is_final else "no result until the deadline: INVALID"
        yield Settle(f"settle {title}", why, GAS, event_id=event.event_id)
