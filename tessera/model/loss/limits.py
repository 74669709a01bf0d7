"""Limits that players set for themselves: tighter at once, looser after a day, never waived.

They belong to a wallet, whatever sessions it opens. Money in the smallest unit, times in unix milliseconds.
"""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tessera.model.loss.expected import LossError
from tessera.model.own_limit import Limit

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
LONGEST_COOL_OFF_MS = 6 * WEEK_MS  # longer is self-exclusion, which is on chain
MOST = 2**63 - 1


class Kind(StrEnum):
    """What a limit bounds: losses of a session, of the last 24 hours, of the last 7 days, a stake, or minutes."""

    SESSION_LOSS = "session_loss"
    DAY_LOSS = "day_loss"
    WEEK_LOSS = "week_loss"
    STAKE = "stake"
    SESSION_MINUTES = "session_minutes"


@dataclass(frozen=True)
class Limits:
    """All limits of a wallet, and until when it has asked not to bet."""

    of: dict[Kind, Limit] = field(default_factory=dict)
    cool_off_until: int = 0

    def change(self, kind: Kind, wanted: int | None, now: int) -> "Limits":
        """With another value of one limit. Raises LossError where the value is out of range."""
        if wanted is not None and not 0 <= wanted <= MOST:
            raise LossError("a limit is 0 or more, or none")
        return replace(self, of={**self.of, kind: self.of.get(kind, Limit()).changed(wanted, now, DAY_MS)})

    def cool_off(self, until: int, now: int) -> "Limits":
        """With no bets until a time, which can only be moved later. Raises LossError beyond 6 weeks."""
        if until > now + LONGEST_COOL_OFF_MS:
            raise LossError("a cool-off lasts at most 6 weeks; exclude yourself on chain for longer")
        return replace(self, cool_off_until=max(until, self.cool_off_until))

    def at(self, kind: Kind, now: int) -> int | None:
        """What a limit is at a time; None where there is none."""
        return self.of.get(kind, Limit()).at(now)

    def waiting(self, kind: Kind, now: int) -> tuple[int | None, int] | None:
        """The looser limit that waits, and from when on it holds; None where none does."""
        return self.of.get(kind, Limit()).waiting(now)


class Losses:
    """What a wallet won and lost, kept for as long as the longest limit looks back.

    With running totals the sum after a time is a binary search and a difference, however many bets there were.
    """

    def __init__(self):
        self._times: list[int] = []  # in order
        self._totals = [0]  # won before the first of them, and with each

    def add(self, at: int, gain: int) -> None:
        """Notes a bet's result."""
        place = bisect_right(self._times, at)
        self._times.insert(place, at)
        self._totals.insert(place + 1, self._totals[place] + gain)
        for later in range(place + 2, len(self._totals)):  # none, unless the clock went back
            self._totals[later] += gain
        old = bisect_right(self._times, at - WEEK_MS)
        if 2 * old > len(self._times):  # so that no result is moved more than once for each that is dropped
            del self._times[:old], self._totals[:old]

    @property
    def are_none(self) -> bool:
        """Whether nothing is noted."""
        return not self._times

    def since(self, since: int) -> int:
        """The net loss after a time, of the week before the newest result; negative: a gain."""
        return self._totals[bisect_right(self._times, since)] - self._totals[-1]


def broken(
    limits: Limits, losses: Losses, now: int, *, stake: int, at_risk: int, session_loss: int, session_ms: int
) -> Kind | None:
    """The limit that a bet would break, if it and all other open bets (`at_risk`, of all sessions) were lost.

    `session_loss` is what the bet's session has lost and has at risk without the bet, `session_ms` how long it lasts.
    """
    if not limits.of:
        return None
    worst = {
        Kind.STAKE: stake,
        Kind.SESSION_LOSS: session_loss + stake,
        Kind.DAY_LOSS: losses.since(now - DAY_MS) + at_risk + stake,
        Kind.WEEK_LOSS: losses.since(now - WEEK_MS) + at_risk + stake,
    }
    for kind, amount in worst.items():
        limit = limits.at(kind, now)
        if limit is not None and amount > limit:
            return kind
    minutes = limits.at(Kind.SESSION_MINUTES, now)
    return Kind.SESSION_MINUTES if minutes is not None and session_ms >= minutes * 60_000 else None
