"""Alarms: what an operator has to hear of. A line in the log, a metric, and a command of the operator's."""

import logging
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Gauge

from tessera.chain import Wallet
from tessera.keeper.plan import Plan
from tessera.keeper.round import Round
from tessera.keeper.steps import close, pay, settle
from tessera.keeper.steps.base import Status
from tessera.keeper.view import View
from tessera.model.dates import utc
from tessera.model.prizes import period_of

log = logging.getLogger("tessera.keeper")
COMMAND_SECONDS = 60
REPEAT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Limits:
    """When a keeper looks and when it raises an alarm: seconds, and wei."""

    every: float = 300
    late_after: float = 6 * 3600  # of weeks, winners, steps and the node
    panel_notice: float = 24 * 3600  # before an undecided event's deadline
    low_balance: int = 5 * 10**16


class Alarms:
    """Each kind of alarm is on or off. Going on is logged and runs the command, and again each day; going off is
    logged."""

    def __init__(self, gauge: Gauge, command: Sequence[str] = ()):
        """The command gets the kind and the text as two more arguments."""
        self._gauge, self._command = gauge, list(command)
        self._raised_at: dict[str, float] = {}

    def set(self, kind: str, text: str | None) -> None:
        """Switches an alarm on with its text, or off with None."""
        self._gauge.labels(kind).set(text is not None)
        if text is None:
            if self._raised_at.pop(kind, None) is not None:
                log.warning("alarm is over: %s", kind)
        elif time.monotonic() - self._raised_at.get(kind, -REPEAT_SECONDS) >= REPEAT_SECONDS:
            self._raised_at[kind] = time.monotonic()
            log.error("ALARM, %s: %s", kind, text)
            self._run(kind, text)

    def _run(self, kind: str, text: str) -> None:
        if not self._command:
            return
        try:
            subprocess.run([*self._command, kind, text], timeout=COMMAND_SECONDS, check=True)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            log.error("the alarm's command failed: %s", error)


class Watch:
    """Looks at a deployment after each round and says which alarms are on; each method returns a text, or None."""

    def __init__(self, view: View, wallet: Wallet, limits: Limits):
        self.view, self.wallet, self.limits = view, wallet, limits
        self._undone_since: dict[str, float] = {}

    def late(self) -> str | None:
        """Weeks that are over and not closed."""
        if not self.view.has_tickets:
            return None
        now, period = self.view.clock(), self.view.prizes.period()
        hours = close.late(now, period) / 3600
        if hours * 3600 <= self.limits.late_after:
            return None
        weeks = period_of(now.time) - period
        if weeks == 1:
            return f"a week ended {hours:.1f} h ago and is not closed"
        return (
            f"{weeks} weeks are over and not closed, the first ended {hours / 24:.1f} days ago: "
            "their events' winners lose most of their prizes to later weeks"
        )

    def winners(self) -> str | None:
        """Winners who wait for their prizes."""
        if not self.view.has_tickets:
            return None
        now = self.view.clock().time
        for event_id, count, settled_at in pay.waiting(self.view):
            if now - settled_at > self.limits.late_after:
                hours = (now - settled_at) / 3600
                return f"{self.view.title(event_id)}: {count:,} winners wait for {hours:.1f} h"
        return None

    def panel(self) -> str | None:
        """A panel that has not decided, near its deadline."""
        if not self.view.has_tickets:
            return None
        now = self.view.clock()
        for state in settle.ended(self.view, now):
            seconds = state.event.result_deadline - now.time
            if not state.is_final and 0 <= seconds < self.limits.panel_notice:
                title, deadline = self.view.title(state.event.event_id), utc(state.event.result_deadline)
                return f"{title}: the panel has not decided, and the event is INVALID after {deadline}"
        return None

    def undone(self, plan: Plan, done: Round | None) -> str | None:
        """Steps that stay undone; of a round that did not even begin (None), all of its plan."""
        ends = {outcome.step.key: outcome.message for outcome in done.of(Status.UNDONE)} if done else {}
        if done is None:
            ends = {step.key: "the round did not begin" for step in plan.steps}
        now = time.monotonic()
        self._undone_since = {key: self._undone_since.get(key, now) for key in ends}
        for key, since in self._undone_since.items():
            if now - since > self.limits.late_after:
                return f"{key} is left undone for {(now - since) / 3600:.1f} h: {ends[key]}"
        return None

    def gas_money(self, gas: int) -> str | None:
        """An account that runs low: below the limit, or less than the next round takes."""
        balance = self.wallet.balance()
        if balance >= max(self.limits.low_balance, gas * self.wallet.gas_price().total):
            return None
        return f"{self.wallet.address} has {balance / 1e18:.6f} ETH left"
