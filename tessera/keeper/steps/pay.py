"""Pay: the winners of an event get their prizes, in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.errors import ChainError
from tessera.chain.fees import gas_price
from tessera.chain.prediction_events import Result
from tessera.chain.waiting import LAG_SECONDS, wait_until
from tessera.keeper.history import Winners
from tessera.keeper.steps import settle
from tessera.keeper.steps.base import MAX_BATCH, Call, Step, fits, gas_room, refusal
from tessera.keeper.view import Clock, View

NEEDS = "PredictionEvents"
GAS, GAS_OF_WINNER = 30_000, 34_000  # as a rule
MOST_GAS, MOST_GAS_OF_WINNER = 150_000, 45_000  # with the residue back to the pool, forfeitures and a first balance


@dataclass(frozen=True)
class Pay(Step):
    """All winners of an event are paid in batches; whom the token refused before, once it takes them.

    Prizes below what the operator's `Choices` name are left.
    """

    event_id: int
    count: int
    kind: ClassVar[str] = "pay"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.event_id} {self.count}"

    @property
    def size(self) -> int:
        return self.count

    def calls(self, view: View) -> Iterator[Call]:
        if not self._result(view).settled:
            raise ChainError("the event is not settled")
        if not wait_until(lambda: self._is_logged(view), LAG_SECONDS):
            raise ChainError(f"the logs lag behind the state: they do not show that event {self.event_id} is settled")
        yield from self._batches(view)
        if wait_until(lambda: self._is_explained(view), LAG_SECONDS):
            return
        if view.history.fill():
            yield from self._batches(view)
        if not self._is_explained(view):
            raise ChainError(
                f"the logs do not show all winners of event {self.event_id}: the node leaves some out. Ask another "
                "node, the index reads again from it by itself"
            )

    def _batches(self, view: View) -> Iterator[Call]:
        winners, least = self._winners(view), least_prize(view)
        accounts = [*winners.payable, *(account for account in winners.refused if self._is_taken(view, account))]
        accounts = [account for account in accounts if self._is_worth(view, account, least)]
        size = batch_size(view)
        while accounts and self._result(view).unpaid:
            batch = accounts[:size]
            call = self._call(view, batch)
            # The bounds are rules, the estimate is what counts.
            while len(batch) > 1 and not fits(view, call):
                batch = batch[: len(batch) // 2]
                call = self._call(view, batch)
            yield call
            unpaid = set(self._winners(view).everybody)
            accounts = [account for account in accounts[len(batch) :] if account in unpaid]

    def is_done(self, view: View) -> bool:
        if not self._result(view).settled or not self._is_logged(view):
            return False
        winners = self._winners(view)
        if not self._result(view).unpaid:
            return True
        if not winners.everybody:
            return False
        least = least_prize(view)
        return not any(self._is_worth(view, account, least) for account in winners.payable) and not any(
            self._is_taken(view, account) and self._is_worth(view, account, least) for account in winners.refused
        )

    def refused(self, view: View) -> list[str]:
        winners = self._winners(view)
        return [who for who in winners.refused if not self._is_taken(view, who)] if self._result(view).unpaid else []

    def note(self, view: View) -> str:
        winners = self._winners(view)
        small = len(winners.payable) if self._result(view).unpaid else 0
        return f"{small} {_small(view)}" if small else ""

    def _result(self, view: View) -> Result:
        return view.events.result_of(self.event_id)

    def _winners(self, view: View) -> Winners:
        view.history.sync()
        return view.history.winners(self.event_id)

    def _is_logged(self, view: View) -> bool:
        view.history.sync()
        return view.history.is_settled(self.event_id)

    def _is_explained(self, view: View) -> bool:
        """Logs can be left out, the contract's sum cannot: what is not paid is somebody's."""
        return not self._result(view).unpaid or bool(self._winners(view).everybody)

    def _is_taken(self, view: View, account: str) -> bool:
        return refusal(view, Call(view.events, "claim", (self.event_id, account))) is None

    def _is_worth(self, view: View, account: str, least: int) -> bool:
        return not least or view.events.prize_of(self.event_id, account) >= least

    def _call(self, view: View, batch: list[str]) -> Call:
        return Call(view.events, "claim_many", (self.event_id, batch), people=len(batch))


def due(view: View, now: Clock) -> Iterator[Step | str]:
    """The winners of each event that is settled, the greatest prize first, and of each that will be before."""
    events = sorted(view.history.unpaid(), key=lambda event: -event.unpaid)
    if not view.choices.pay:
        yield from (f"{view.title(event.event_id)}: its winners are left to others (--no-pay)" for event in events)
        return
    least = least_prize(view)
    for event in events:
        winners = view.history.winners(event.event_id)
        small = [who for who in winners.payable if least and view.events.prize_of(event.event_id, who) < least]
        if small:
            yield f"{view.title(event.event_id)}: {len(small)} {_small(view)}"
        # Of an event that nobody seems to win, too: then the logs leave somebody out, and the step says so.
        if len(small) < len(winners.everybody) or not winners.everybody:
            yield _step(view, event.event_id, len(winners.everybody) - len(small))
    for state in settle.ended(view, now):
        event_id, outcome = state.event.event_id, None if state.waits else state.outcome
        if outcome is not None and (winners := view.history.predicting(event_id, outcome)):
            yield _step(view, event_id, len(winners))


def least_prize(view: View) -> int:
    """The smallest prize that is paid, in units of the prize token; 0: every one."""
    if view.choices.ether_price is None:
        return view.choices.min_prize
    wei = GAS_OF_WINNER * gas_price(view.web3).total
    own_gas = int(wei * view.choices.ether_price * 10**view.prize_token.decimals) // 10**18
    return max(view.choices.min_prize, own_gas)


def batch_size(view: View) -> int:
    """How many winners fit into a transaction by what each takes at most."""
    return max(1, min(MAX_BATCH, (gas_room(view) - MOST_GAS) // MOST_GAS_OF_WINNER))


def _small(view: View) -> str:
    least = view.prize_token.text(least_prize(view))
    return f"prizes below {least} are left: they are not worth the gas (--min-prize, --ether-price)"


def _step(view: View, event_id: int, count: int) -> Step:
    what = f"pay {count:,} winner{'' if count == 1 else 's'} of event {event_id}"
    why = f"{'who was' if count == 1 else 'they were'} right about {view.history.event(event_id).description!r}"
    return Pay(what, why, GAS + GAS_OF_WINNER * count, event_id=event_id, count=count)


def waiting(view: View) -> Iterator[tuple[int, int, int]]:
    """Events whose winners can be paid and are not: number, how many, and when it was settled, unix seconds."""
    least = least_prize(view)
    for event in view.history.unpaid():
        payable = view.history.winners(event.event_id).payable
        count = sum(not least or view.events.prize_of(event.event_id, account) >= least for account in payable)
        if count:
            yield event.event_id, count, view.history.settled_at(event.event_id)
