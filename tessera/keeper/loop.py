"""The keeper that stays: looks every few minutes whether something is due, and does it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from tessera.chain import ChainError
from tessera.keeper.metrics import Alarms, Metrics
from tessera.keeper.plan import due, late
from tessera.keeper.round import Round, run
from tessera.keeper.scene import Scene
from tessera.keeper.sender import NODE_ERRORS, Sender

log = logging.getLogger("tessera.keeper")
FIRST_WAIT = 5  # seconds after a failure of the node, twice as long after the next


@dataclass(frozen=True)
class Limits:
    """When a keeper looks and when it cries: seconds, seconds, wei."""

    every: float = 300
    late_after: float = 6 * 3600
    low_balance: int = 5 * 10**16


class Loop:
    """Looks at once and then every so often. One look is a round if something is due."""

    def __init__(
        self,
        scene: Scene,
        sender: Sender,
        metrics: Metrics,
        alarms: Alarms,
        *,
        limits: Limits = Limits(),
        buy_back: bool = True,
        ended: Callable[[Round], None] = lambda _: None,
    ):
        """`ended` gets every round that sent something, or that ended otherwise than the one before."""
        self.scene, self.sender, self.metrics, self.alarms = scene, sender, metrics, alarms
        self.limits, self.buy_back, self.ended = limits, buy_back, ended
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
        except ChainError as error:
            log.error("%s", error)
        # Whatever a node answers; what is no failure that nodes are known for is logged in full.
        except Exception as error:
            self._failures += 1
            self.metrics.node_failures.inc()
            text = " ".join(str(error).split())[:200]
            known = isinstance(error, NODE_ERRORS)
            log.warning("the node failed, next look in %.0f s: %s", self.wait, text, exc_info=not known)
        silent = time.monotonic() - self._answered
        self.alarms.set("node", f"no answer for {silent:.0f} s" if silent > self.limits.late_after else None)

    def _round(self, stopping: Event) -> None:
        plan = due(self.scene, buy_back=self.buy_back)
        self.metrics.looked(plan, time.time())
        self._answered, self._failures = time.monotonic(), 0
        # All of it, should the round not even begin.
        self.metrics.undone.set(len(plan.steps))
        try:
            done = run(self.scene, self.sender, plan, stopping=stopping.is_set)
        finally:
            self._check(plan.gas)
        self.metrics.ended(done)
        self._tell(done)

    def _tell(self, done: Round) -> None:
        ends = [(one.step.key, one.status, one.message) for one in done.outcomes]
        if done.gas_used or ends != self._last:
            for one in done.outcomes:
                log.info("%s: %s%s", one.step.what, one.status, f", {one.message}" if one.message else "")
            if done.outcomes:
                self.ended(done)
        self._last = ends

    def _check(self, gas: int) -> None:
        behind = late(self.scene.clock(), self.scene.prizes.period())
        self.metrics.late.set(behind)
        text = f"a week ended {behind / 3600:.1f} h ago and is not closed"
        self.alarms.set("late", text if behind > self.limits.late_after else None)
        balance = self.sender.balance()
        self.metrics.balance.set(balance / 1e18)
        is_low = balance < max(self.limits.low_balance, gas * sum(self.sender.price()))
        self.alarms.set("gas money", f"{self.sender.address} has {balance / 1e18:.6f} ETH left" if is_low else None)
