"""Poke: the market's price is noted, for the average that bounds the buyback."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.keeper.steps import close
from tessera.keeper.steps.base import Call, Step, refusal
from tessera.keeper.view import Clock, View

NEEDS = "PrizePool"
GAS = 140_000
POKED = "prizes: poked within 24 h"


@dataclass(frozen=True)
class Poke(Step):
    """The market's price is noted."""

    kind: ClassVar[str] = "poke"

    def calls(self, view: View) -> Iterator[Call]:
        yield _call(view)

    def is_done(self, view: View) -> bool:
        return refusal(view, _call(view)) == POKED


def due(view: View, now: Clock) -> Iterator[Step]:
    """Where there is something to buy back, or will be once a week is closed."""
    if not view.choices.buy_back:
        return
    fills = view.prizes.buyback_bucket() >= 10**view.prize_token.decimals or any(close.due(view, now))
    if fills and refusal(view, _call(view)) != POKED:
        yield Poke("note the market's price", "the buyback is bounded by an average of 24 to 72 h", GAS)


def _call(view: View) -> Call:
    return Call(view.prizes, "poke")
