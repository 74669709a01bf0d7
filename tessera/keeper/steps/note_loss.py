"""Note a loss: what an asset's vault has lost is noted, so that a day later stakes count what they are worth; a note of
a loss that is made up is taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain import WAD
from tessera.chain.staking_pool import LossState
from tessera.keeper.steps.base import Call, Step, refusal
from tessera.keeper.view import Clock, View

NEEDS = "StakingPool"
GAS = 90_000
MIN_LOSS = WAD // 100  # StakingPool's
LIVE_SECONDS = 72 * 3600  # of a note


@dataclass(frozen=True)
class NoteLoss(Step):
    """A vault's loss is noted, or its note is taken back."""

    asset: str
    lost: bool
    kind: ClassVar[str] = "note loss"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.asset}"

    def calls(self, view: View) -> Iterator[Call]:
        yield Call(view.pool, "note_loss", (self.asset,))

    def is_done(self, view: View) -> bool:
        loss = view.pool.loss_of(self.asset)
        return loss is not None and not _is_due(view, self.asset, loss, view.clock())


def due(view: View, now: Clock) -> Iterator[Step | str]:
    """Each asset that lost 1 % or more of all principal without a note, or has a note and no loss.

    A loss that grows while it is noted waits: the contract takes no deeper note for 72 h.
    """
    for asset in view.assets():
        loss = view.pool.loss_of(asset.address)
        if loss is None:
            yield f"{asset.symbol}: its vault does not say what it is worth"
        elif _is_due(view, asset.address, loss, now):
            lost = loss.now >= MIN_LOSS
            what = f"note the loss of {asset.symbol}" if lost else f"take the note of a loss of {asset.symbol} back"
            why = f"its vault has lost {loss.now / WAD:.1%}" if lost else "the loss is made up"
            yield NoteLoss(what, why, GAS, asset=asset.address, lost=lost)


def _is_due(view: View, asset: str, loss: LossState, now: Clock) -> bool:
    noted = bool(loss.noted) and now.time < loss.noted_at + LIVE_SECONDS
    if (loss.now >= MIN_LOSS) == noted:
        return False
    return refusal(view, Call(view.pool, "note_loss", (asset,))) is None
