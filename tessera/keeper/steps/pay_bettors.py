"""Pay bettors: whoever has something to get of a settled friends' market gets it, in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tessera.chain.errors import ChainError
from tessera.chain.lmsr_markets import Status
from tessera.chain.waiting import LAG_SECONDS, wait_until
from tessera.keeper.steps import settle_market
from tessera.keeper.steps.base import MAX_BATCH, Call, Step, fits
from tessera.keeper.view import Clock, View

NEEDS = "LmsrMarkets"
SETTLED = (Status.RESOLVED, Status.INVALID)
GAS, GAS_OF_BETTOR = 50_000, 15_000


@dataclass(frozen=True)
class PayBettors(Step):
    """The winners of a market, or after INVALID all who bet, are paid into their Escrow balances."""

    market_id: int
    count: int
    kind: ClassVar[str] = "pay bettors"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.market_id} {self.count}"

    @property
    def size(self) -> int:
        return self.count

    def calls(self, view: View) -> Iterator[Call]:
        accounts = self._owed(view)
        while accounts:
            batch = accounts[:MAX_BATCH]
            while len(batch) > 1 and not fits(view, self._call(view, batch)):
                batch = batch[: len(batch) // 2]
            yield self._call(view, batch)
            accounts = accounts[len(batch) :]

    def is_done(self, view: View) -> bool:
        return not self._owed(view)

    def _owed(self, view: View) -> list[str]:
        """Whom the logs show as unpaid and the contract, too."""
        market = view.markets.market(self.market_id)
        outcome = market.outcome
        if market.status not in SETTLED or outcome is None:
            return []  # an early proposal was refused
        if not wait_until(lambda: self._is_logged(view), LAG_SECONDS):
            raise ChainError(f"the logs lag behind the state: they do not show that market {self.market_id} is settled")
        return [
            account
            for account in view.history.unpaid_bettors().get(self.market_id, [])
            if view.markets.position(self.market_id, account).payoff(outcome)
        ]

    def _is_logged(self, view: View) -> bool:
        view.history.sync()
        return view.history.is_settled_market(self.market_id)

    def _call(self, view: View, batch: list[str]) -> Call:
        return Call(view.markets, "claim_many", (self.market_id, batch), people=len(batch))


def due(view: View, now: Clock) -> Iterator[Step | str]:
    """The bettors of each market that is settled, and all of each that will be before."""
    unpaid = [(market_id, len(accounts), "is") for market_id, accounts in view.history.unpaid_bettors().items()]
    for step in settle_market.due(view, now):
        if bettors := view.history.bettors(step.market_id):
            unpaid.append((step.market_id, len(bettors), "will be"))
    for market_id, count, is_ in unpaid:
        people = f"{count:,} bettor{'' if count == 1 else 's'} of market {market_id}"
        if view.choices.pay:
            why = f"the market {is_} settled"
            yield PayBettors(f"pay {people}", why, GAS + GAS_OF_BETTOR * count, market_id=market_id, count=count)
        else:
            yield f"{people}: paying is left to others (--no-pay)"
