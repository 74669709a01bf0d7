"""Revalue: a stake in a vault that lost money counts what it is worth, or it would earn the prize of a good one.

Only downwards, and only where it counts at least 1,000 USD too much: that is what is worth the gas to everybody else.
After a recovery a stake counts more again when its owner, or anybody, calls `revalue`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain import WAD
from tessera.chain.staking_pool import USD
from tessera.keeper.steps.base import Call, Step, refusal
from tessera.keeper.view import Clock, View

NEEDS = "StakingPool"
GAS = 200_000
LEAST = 1_000 * USD  # that a stake counts too much
MATURE_SECONDS, LIVE_SECONDS = 24 * 3600, 72 * 3600  # of a note


@dataclass(frozen=True)
class Revalue(Step):
    """A stake counts what it is worth."""

    account: str
    asset: str
    kind: ClassVar[str] = "revalue"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.account} {self.asset}"

    def calls(self, view: View) -> Iterator[Call]:
        yield self._call(view)

    def is_done(self, view: View) -> bool:
        return refusal(view, self._call(view)) is not None

    def _call(self, view: View) -> Call:
        return Call(view.pool, "revalue", (self.account, self.asset))


def due(view: View, now: Clock) -> Iterator[Step]:
    """The stakes that count at least 1,000 USD too much by a loss that was noted a day ago, the greatest first."""
    for asset in view.assets():
        loss = view.pool.loss_of(asset.address)
        if loss is None:
            continue  # noting losses says so
        lasting = min(loss.now, loss.noted)
        if not lasting or not MATURE_SECONDS <= now.time - loss.noted_at < LIVE_SECONDS:
            continue
        excess = {}
        for account in view.history.stakers(asset.address):
            counted, full = view.pool.value_of(account, asset.address)
            excess[account] = counted - (full - full * lasting // WAD)
        for account in sorted(excess, key=lambda account: -excess[account]):
            what = f"revalue the stake of {account} in {asset.symbol}"
            step = Revalue(what, f"its vault has lost {lasting / WAD:.1%}", GAS, account=account, asset=asset.address)
            if excess[account] >= LEAST and not step.is_done(view):
                yield step
