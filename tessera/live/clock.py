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
    """What must agree before a bet is taken. `watches_drift` where a time server is set.

    `follows_chain` is for local chains, whose time may be moved ahead, and which mine a block only where somebody sends
    a transaction: the clock then goes as the chain's.
    """

    def __init__(
        self, now: Callable[[], int] = wall_clock, *, watches_drift: bool = False, follows_chain: bool = False
    ):
        self._clock, self._lead = now, 0
        self.watches_drift, self.follows_chain = watches_drift, follows_chain
        self.block_at = 0  # unix seconds of the newest block
        self.drift: int | None = None  # milliseconds that the clock is ahead of the time server's
        self._drift_noted_at = 0

    def now(self) -> int:
        """Unix milliseconds."""
        return self._clock() + self._lead

    def note_block(self, at: int) -> None:
        """Notes the time of the newest block, in unix seconds."""
        self.block_at = at
        if self.follows_chain:
            self._lead = max(self._lead, at * MS - self._clock())
            self.block_at = self.now() // MS  # that a block has which is mined now

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
