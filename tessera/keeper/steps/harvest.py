"""Harvest: an asset's yield goes to the prize pool, for the week that has just ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.errors import Reverted
from tessera.chain.staking_pool import ALL
from tessera.keeper.steps.base import Call, Step
from tessera.keeper.view import Clock, View
from tessera.model.dates import utc
from tessera.model.prizes import period_of, start_of

NEEDS = "StakingPool"
GAS = 260_000  # measured on anvil, as all gas of a step: snapshots/gas.json, benchmarks/keeper.json


@dataclass(frozen=True)
class Harvest(Step):
    """An asset's yield goes to the prize pool."""

    asset: str
    since: int
    kind: ClassVar[str] = "harvest"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.asset}"

    def calls(self, view: View) -> Iterator[Call]:
        yield Call(view.pool, "harvest", (self.asset, ALL))

    def is_done(self, view: View) -> bool:
        return view.pool.asset_state(self.asset).harvested_at >= self.since

    def advice(self, refusal: Reverted) -> str:
        return f"{super().advice(refusal)} The yield stays in the vault; the week can be closed 24 h after its end."


def due(view: View, now: Clock) -> Iterator[Step]:
    """Each asset that was not harvested since the newest week began."""
    boundary = start_of(period_of(now.time))
    for asset in view.assets():
        harvested_at = view.pool.asset_state(asset.address).harvested_at
        if harvested_at < boundary:
            last = f"harvested {utc(harvested_at)}" if harvested_at else "never harvested"
            why = f"last week ended {utc(boundary)}, {last}"
            yield Harvest(f"harvest {asset.symbol}", why, GAS, asset=asset.address, since=boundary)
