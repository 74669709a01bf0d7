"""The keeper that stays: looks every few minutes whether something is due, and does it."""

import logging
import time
from collections.abc import Callable
from threading import Event

from tessera.chain import ChainError, NodeError, Wallet
from tessera.keeper.alarms import Alarms, Limits, Watch
from tessera.keeper.metrics import Metrics
from tessera.keeper.plan import Plan, due
from tessera.keeper.round import Round, run
from tessera.keeper.steps import close
from tessera.keeper.view import View
from tessera.model.text import visible

log = logging.getLogger("tessera.keeper")
FIRST_WAIT = 5  # seconds after a failure of the node, twice as long after the next


class Loop:
    """Looks at once and then every so often. One look is a round if something is due."""

    def __init__(
        self,
        view: View,
        wallet: Wallet,
        metrics: Metrics,
        alarms: Alarms,
        *,
        limits: Limits | None = None,
        budget: int | None = None,
        ended: Callable[[Round], None] = lambda _: None,
    ):
        """`budget` is what each round may spend on gas, wei. `ended` gets every round that sent something, or that
        ended otherwise than the one before."""
        self.view, self.wallet, self.metrics, self.alarms = view, wallet, metrics, alarms
        self.limits, self.budget, self.ended = limits or Limits(), budget, ended
        self._watch = Watch(view, wallet, self.limits)
        self._failures = 0
        self._answered = time.monotonic()
        self._last: list[tuple] = []

    def keep(self, stopping: Event) -> None:
        """Looks until `stopping` is set, also between two transactions of a round."""
        while not stopping.is_set():
            self.look(stopping)
            stopping.wait(self.wait)

    @property
    def wait(self) -> float:
        """Seconds to the next look: longer and longer while the node fails, at most the usual time."""
        if not self._failures:
            return self.limits.every
        return min(self.limits.every, FIRST_WAIT * 2 ** (self._failures - 1))

    def look(self, stopping: Event) -> None:
        """One look, whatever goes wrong."""
        try:
            self._round(stopping)
        except NodeError as error:
            self._failed(error)
        except ChainError as error:
            log.error("%s", error)
        # Whatever else goes wrong in a look is logged in full, and the next look goes on.
        except Exception as error:
            self._failed(error)
        silent = time.monotonic() - self._answered
        self.alarms.set("node", f"no answer for {silent:.0f} s" if silent > self.limits.late_after else None)

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self.metrics.node_failures.inc()
        text = visible(" ".join(str(error).split())[:200])
        known = isinstance(error, NodeError)
        log.warning("the node failed, next look in %.0f s: %s", self.wait, text, exc_info=not known)

    def _round(self, stopping: Event) -> None:
        plan = due(self.view)
        self.metrics.looked(plan, time.time())
        self._answered, self._failures = time.monotonic(), 0
        # All of it, should the round not even begin.
        self.metrics.undone.set(len(plan.steps))
        try:
            done = run(self.view, self.wallet, plan, budget=self.budget, stopping=stopping.is_set)
        except BaseException:
            self._check(plan, None)
            raise
        self._check(plan, done)
        self.metrics.ended(done)
        self._report(done)

    def _report(self, done: Round) -> None:
        ends = [(outcome.step.key, outcome.status, outcome.message) for outcome in done.outcomes]
        if done.gas_used or ends != self._last:
            for outcome in done.outcomes:
                message = f", {outcome.message}" if outcome.message else ""
                log.info("%s", visible(f"{outcome.step.what}: {outcome.status}{message}"))
            if done.outcomes:
                self.ended(done)
        self._last = ends

    def _check(self, plan: Plan, done: Round | None) -> None:
        self.alarms.set("logs", plan.hole or None)
        self.alarms.set("undone", self._watch.undone(plan, done))
        self.metrics.balance.set(self.wallet.balance() / 1e18)
        self.alarms.set("gas money", self._watch.gas_money(plan.gas))
        if self.view.has_tickets:
            self.metrics.late.set(close.late(self.view.clock(), self.view.prizes.period()))
        self.alarms.set("late", self._watch.late())
        self.alarms.set("winners", self._watch.winners())
        self.alarms.set("panel", self._watch.panel())
