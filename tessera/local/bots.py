"""What the other people of a devnet do while somebody plays on it: they say what happened, and close the weeks.

Needs the compiler (group `ops`), as the devnet does.
"""

from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import TypeVar

from tessera.chain import Outcome, Reverted, Tessera, Wallet
from tessera.chain.embedded import ACCOUNTS, known_account
from tessera.chain.lmsr_markets import Status
from tessera.local.chain import HOUR, LocalChain
from tessera.local.devnet import report
from tessera.model.prizes import start_of

T = TypeVar("T")


def fate(question: str, outcomes: Sequence[T]) -> T:
    """Which of some outcomes a question has: any of them, and the same whenever it is asked."""
    return Random(question).choice(outcomes)  # noqa: S311


class Bots:
    """All accounts of a devnet that somebody plays on."""

    def __init__(self, tessera: Tessera):
        """Raises ChainError where the chain is no devnet."""
        self.tessera = tessera
        self.wallets = [Wallet(tessera.web3, known_account(index)) for index in range(ACCOUNTS)]
        self.local = LocalChain(tessera, self.wallets[0])
        self.earned_until = self.local.now()

    def act(self) -> None:
        """Does what is due by the chain's clock; what is refused now is due again the next time."""
        now = self.local.now()
        if now - self.earned_until >= HOUR:
            self.local.earn(now - self.earned_until)
            self.earned_until = now
        self._end_markets(now)
        self._close_weeks(now)
        self._end_events(now)

    def _end_markets(self, now: int) -> None:
        markets = self.tessera.markets
        creators: dict[str, Wallet] = {wallet.address: wallet for wallet in self.wallets}
        for market_id in range(1, markets.market_count() + 1):
            market = markets.market(market_id)
            waits = market.status in (Status.OPEN, Status.CLOSED) and now >= market.expected_result_at
            if waits and market.creator in creators:
                with suppress(Reverted):  # after seven days nobody can
                    happened = fate(f"market {market_id}", (Outcome.YES, Outcome.NO))
                    markets.propose(creators[market.creator], market_id, happened)

    def _close_weeks(self, now: int) -> None:
        prizes, staking = self.tessera.prizes, self.tessera.staking
        if now < start_of(prizes.period() + 1):
            return
        for asset in staking.assets():
            staking.harvest(self.wallets[0], asset)
        prizes.close_periods(self.wallets[0], prizes.period(), 100)

    def _end_events(self, now: int) -> None:
        events, panels = self.tessera.events, self.tessera.panels
        for event_id in range(1, events.event_count() + 1):
            info = events.event_info(event_id)
            if now < info.not_before or events.result_of(event_id).settled:
                continue
            with suppress(Reverted):  # it is too late, or it waits for its last week or for its time to purge
                if not panels.result(info.panel_id, panels.question_id(events.question(event_id)))[0]:
                    report(self.tessera, event_id, fate(f"event {event_id}", range(info.outcomes)))
                events.settle(self.wallets[0], event_id)
