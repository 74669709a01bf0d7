"""Settle a market: a friends' market whose dispute or vote is over is finalized, one that nobody moved on expires."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.lmsr_markets import Status
from tessera.keeper.steps.base import Call, Step, refusal
from tessera.keeper.view import Clock, View

NEEDS = "LmsrMarkets"
GAS = 60_000
WHY = {
    "finalize": "the time to dispute, vote or rule is over",
    "expire": "nobody accepted as referee, or proposed an outcome, in time",
}


@dataclass(frozen=True)
class SettleMarket(Step):
    """The outcome of a market is final, or an early proposal is refused; `function` does it."""

    market_id: int
    function: str
    kind: ClassVar[str] = "settle market"

    @property
    def key(self) -> str:
        return f"{self.function} market {self.market_id}"

    def calls(self, view: View) -> Iterator[Call]:
        yield self._call(view)

    def is_done(self, view: View) -> bool:
        return refusal(view, self._call(view)) is not None

    def _call(self, view: View) -> Call:
        return Call(view.markets, self.function, (self.market_id,))


def due(view: View, now: Clock) -> Iterator[SettleMarket]:
    """Each market that the contract would settle now."""
    for market in view.history.unsettled_markets():
        if market.status in (Status.PENDING, Status.DISPUTED):
            function = "finalize"
        elif now.time >= market.closes_at:
            function = "expire"
        else:
            continue
        if refusal(view, Call(view.markets, function, (market.market_id,))) is None:
            what = f"{function} market {market.market_id}, {market.question!r}"
            yield SettleMarket(what, WHY[function], GAS, market_id=market.market_id, function=function)
