"""What a host spends on gas and for whom, and what players may still make it spend.

Whoever bets first on an offered bet has it listed, and whatever is signed is landed: both are the host's gas. In any 24
hours the host spends its budget at most; of it three quarters for players, with what confirms their bets, so that
settling and paying go on; a third on listings that players cause, so that bets on what is listed go on; and a twentieth
for one account. What is refused for this a player can place by an own transaction.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

from tessera.chain.wallet import Wallet
from tessera.host.store import OWN, Cost, Store

HOUR, HOURS = 3_600, 24
# What is sent next is taken to cost so much; afterwards what was paid counts. Rounded up from 175,000 for a listing,
# and from 100,000 for a bet that no other one shares its transaction with.
LIST_GAS, BET_GAS = 180_000, 110_000


@dataclass
class GasLeft:
    """What players may still make a host spend, wei: all together, on listings, and each account its `share` less what
    was `spent` for it. `price` is of a unit of gas."""

    price: int
    together: int
    listings: int
    share: int
    spent: dict[str, int]

    def copy(self) -> Self:
        """The same, to take from."""
        return replace(self, spent=dict(self.spent))

    def refusal(self, account: str, *, lists: bool) -> tuple[str, str] | None:
        """A code and what to do, where a bet (which has to be listed first) costs more than is left; else None."""
        bet, listing = BET_GAS * self.price, LIST_GAS * self.price * lists
        instead = "in 24 hours: place this bet by a transaction of your own"
        if bet + listing > self.together:
            return "no_gas", f"the host has paid as much gas for players as it can {instead}"
        if listing > self.listings:
            return "no_listing", f"the host has listed as many new bets for players as it can pay for {instead}"
        if self.spent.get(account, 0) + bet + listing > self.share:
            return "gas_share", f"the host has paid as much gas for you as it does for anybody {instead}"
        return None

    def take(self, account: str, *, lists: bool) -> None:
        """Counts a bet that will be landed, and listed first."""
        bet, listing = BET_GAS * self.price, LIST_GAS * self.price * lists
        self.spent[account] = self.spent.get(account, 0) + bet + listing
        self.listings -= listing
        self.together -= bet + listing


class Spending:
    """What a wallet spent on gas in the last 24 hours, by the hour and by whom it was spent for; it survives the
    process. `budget` is the most, wei; None: no bound."""

    def __init__(self, store: Store, wallet: Wallet, budget: int | None):
        self._store, self._wallet, self._budget = store, wallet, budget
        self._hours = store.costs()
        self._charged: Counter[Cost] = Counter()
        self.left: GasLeft | None = None

    def look(self, now: int) -> None:
        """Brings up to date what may be spent, as of unix seconds. Asks the chain for the price of gas."""
        if self._budget is None:
            return
        first = now // HOUR - HOURS  # the hour that is not over counts as one more
        self._hours = {hour: costs for hour, costs in self._hours.items() if hour >= first}
        spent: Counter[str] = Counter()
        listings = 0
        for costs in self._hours.values():
            for cost, wei in costs.items():
                spent[cost.account] += wei
                listings += wei * cost.is_listing
        self._wallet.budget = max(0, self._budget - spent.total())
        current = self._wallet.gas_price()
        price = min(current.total, current.ceiling)
        self.left = GasLeft(
            price,
            together=self._budget * 3 // 4 - (spent.total() - spent[OWN.account]),
            listings=self._budget // 3 - listings,
            # Where gas is dear everybody has a first bet all the same, while the budget lasts.
            share=max(self._budget // 20, (LIST_GAS + BET_GAS) * price),
            spent=dict(spent),
        )

    def charge(self, accounts: Sequence[str], wei: int, *, is_listing: bool = False) -> None:
        """Counts what was paid for these accounts, evenly."""
        for account in accounts:
            self._charged[Cost(account, is_listing)] += wei // len(accounts)

    @contextmanager
    def counting(self, now: int, rest: Cost) -> Iterator[None]:
        """Writes down what is spent inside: for whom it was charged, and the rest as `rest`."""
        before, self._charged = self._wallet.budget, Counter()
        try:
            yield
        finally:
            if before is not None and self._wallet.budget is not None and self._wallet.budget < before:
                self._charged[rest] += before - self._wallet.budget - self._charged.total()
                hour = now // HOUR
                self._hours.setdefault(hour, Counter()).update(self._charged)
                self._store.keep_costs(hour, self._hours[hour], before=hour - HOURS)
