"""The engine's clock, and when it is not to be trusted: it must agree with a time server and with the chain."""

import time
from collections.abc import Callable

from tessera.live.refusals import Code, Refused

MS = 1_000
MOST_DRIFT_MS = 500  # from the time server's clock
OLDEST_BLOCK_MS = 30_000
AHEAD_MS = 60_000  # that a question may lock after the newest block
FORGET_DRIFT_MS = 600_000  # without an answer of the time server for so long, the clock is not known to be right


def wall_clock() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Guard:
    """What must agree before a bet is taken. `watches_drift` where a time server is set."""

    def __init__(self, now: Callable[[], int] = wall_clock, *, watches_drift: bool = False):
        self.now = now
        self.watches_drift = watches_drift
        self.block_at = 0  # unix seconds of the newest block
        self.drift: int | None = None  # milliseconds that the clock is ahead of the time server's
        self._drift_noted_at = 0

    def note_drift(self, drift: int) -> None:
        """Notes how far ahead of a time server's clock this one is, in milliseconds."""
        self.drift, self._drift_noted_at = drift, self.now()

    def check(self, now: int, lock: int) -> None:
        """Raises Refused unless a bet on a question that locks at `lock` may be taken now."""
        if self.watches_drift and (
            self.drift is None
            or abs(self.drift) > MOST_DRIFT_MS
            or not 0 <= now - self._drift_noted_at <= FORGET_DRIFT_MS
        ):
            raise Refused(Code.CLOCK, drift_ms=self.drift)
        block_at = self.block_at * MS
        if now - block_at > OLDEST_BLOCK_MS:
            raise Refused(Code.CHAIN_STALE, block_at=self.block_at)
        # A block carries whole seconds.
        if block_at > now:
            raise Refused(Code.CHAIN_AHEAD, block_at=self.block_at)
        if lock > block_at + AHEAD_MS:
            raise Refused(Code.LOCK_TOO_FAR, latest=block_at + AHEAD_MS)
