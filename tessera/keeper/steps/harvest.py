"""Harvest: an asset's yield goes to the prize pool, before a week ends and again for the week that has just ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.errors import ChainError, Reverted
from tessera.chain.staking_pool import ALL
from tessera.keeper.steps.base import BPS, Call, Step, refusal
from tessera.keeper.view import Clock, View
from tessera.model.dates import utc
from tessera.model.prizes import period_of, start_of

NEEDS = "StakingPool"
GAS = 260_000  # measured on anvil, as all gas of a step: snapshots/gas.json, benchmarks/keeper.json
# Before a week ends, so that a vault that cannot pay at its end (its liquidity is lent out) holds back the interest of
# hours and not of days. As long as the timer of docs/ops waits between two rounds.
EARLY_SECONDS = 6 * 3600
HARVEST_BPS = 50  # of an asset's principal in a week, at most
HALVINGS = 12  # of a part that its market is too thin for
MAX_PARTS = 8  # in one round


@dataclass(frozen=True)
class Harvest(Step):
    """An asset's yield goes to the prize pool, in parts where the market that it is sold on is thin.

    It is done when the contract says that nothing of it was due at `since` or later.
    """

    asset: str
    since: int
    kind: ClassVar[str] = "harvest"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.asset}"

    def calls(self, view: View) -> Iterator[Call]:
        sent = 0
        while not self.is_done(view) and sent < MAX_PARTS:
            call = self._part(view)
            if call is None and sent:
                raise ChainError("its market takes no more of it now: the rest waits for the next round")
            # With its reason, where no part is taken.
            yield call or self._call(view, ALL)
            if call is None:
                return
            sent += 1

    def is_done(self, view: View) -> bool:
        return view.pool.asset_state(self.asset).harvested_at >= self.since

    def advice(self, refusal: Reverted) -> str:
        return f"{super().advice(refusal)} The yield stays in the vault; the week can be closed 24 h after its end."

    def _part(self, view: View) -> Call | None:
        """The harvest of all, or else of as much as the contract takes now, to a factor of two; None: of nothing."""
        if refusal(view, whole := self._call(view, ALL)) is None:
            return whole
        if self.asset == view.prize_token.address:
            return None  # nothing is sold
        most = view.pool.asset_state(self.asset).principal * HARVEST_BPS // BPS
        for halving in range(1, HALVINGS + 1):
            part = self._call(view, most >> halving)
            if most >> halving and refusal(view, part) is None:
                return part
        return None

    def _call(self, view: View, most: int) -> Call:
        return Call(view.pool, "harvest", (self.asset, most))


def due(view: View, now: Clock) -> Iterator[Step | str]:
    """Each asset that was not harvested since the newest week began, or in the last hours before the next one; one that
    was retired where it brings something, since no week waits for it."""
    boundary, following = start_of(period_of(now.time)), start_of(period_of(now.time) + 1)
    early = following - EARLY_SECONDS
    listed = view.assets()
    for asset in [*listed, *(view.token(address) for address in view.history.retired_assets())]:
        harvested_at = view.pool.asset_state(asset.address).harvested_at
        last = f"harvested {utc(harvested_at)}" if harvested_at else "never harvested"
        is_late = harvested_at < boundary
        is_early = now.time >= early > harvested_at and not is_late
        if asset in listed and not view.pool.is_seeded(asset.address):
            yield f"{asset.symbol} is listed and nobody can stake it: seed_asset opens it, with 10 tokens or more"
        elif is_late and (asset in listed or _is_worth(view, asset.address)):
            why = f"last week ended {utc(boundary)}, {last}"
            yield Harvest(f"harvest {asset.symbol}", why, GAS, asset=asset.address, since=boundary)
        elif is_early and _is_worth(view, asset.address):
            why = f"the week ends {utc(following)}, {last}"
            yield Harvest(f"harvest {asset.symbol} early", why, GAS, asset=asset.address, since=early)


def _is_worth(view: View, asset: str) -> bool:
    """Whether a harvest would bring one prize token or more."""
    try:
        return view.pool.read("harvest", asset, ALL) >= 10**view.prize_token.decimals
    except Reverted:
        return False  # after the week's end it is tried all the same, and its reason is said
