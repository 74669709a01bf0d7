"""How fast a balance falls: what the factors of a way to play expect, what a session shows, and when to warn.

Money in the smallest unit, times in unix milliseconds.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

MINUTE_MS = 60_000
WINDOW_MS = 5 * MINUTE_MS  # over which a live velocity is taken
FAST_MINUTES = 15  # a balance that would be gone sooner falls fast


@dataclass(frozen=True)
class Play:
    """A way to play. `stake_share` is a part of the balance, `chance` that a bet wins, `odds` what it pays for 1."""

    window_seconds: Fraction
    bets_per_window: Fraction
    stake_share: Fraction
    chance: Fraction
    odds: Fraction

    @property
    def edge(self) -> Fraction:
        """The part of a stake that is lost on average."""
        return 1 - self.chance * self.odds

    @property
    def bets_per_minute(self) -> Fraction:
        return 60 / self.window_seconds * self.bets_per_window

    @property
    def rate(self) -> Fraction:
        """The part of the balance that is lost in a minute on average: bets per minute * stake share * edge."""
        return self.bets_per_minute * self.stake_share * self.edge


def factors(play: Play, base: Play) -> dict[str, Fraction]:
    """What each trait of a way to play multiplies the base's rate by: `play.rate` is `base.rate` times all of them.

    Raises ZeroDivisionError where the base's bets cost nothing.
    """
    return {
        "bet frequency": play.bets_per_window / base.bets_per_window,
        "stake size": play.stake_share / base.stake_share,
        "outcome probability": play.edge / base.edge,
        "window length": base.window_seconds / play.window_seconds,
    }


class Velocity:
    """The live velocity dB/dt of one session, from its net after each result."""

    def __init__(self, begun: int):
        self._begun = begun
        self._nets: deque[tuple[int, int]] = deque([(begun, 0)])

    def add(self, at: int, net: int) -> None:
        """Notes what the player has won or lost so far. Times must not go back."""
        self._nets.append((at, net))
        self._forget(at)

    def per_minute(self, now: int) -> int:
        """Change of the net in a minute, over the last five or since the beginning; negative: a loss. Rounded down.

        A session younger than a minute counts as one minute old.
        """
        self._forget(now)
        span = min(max(now - self._begun, MINUTE_MS), WINDOW_MS)
        return (self._nets[-1][1] - self._nets[0][1]) * MINUTE_MS // span

    def _forget(self, now: int) -> None:
        """Leaves the last net from before the window, which it is compared with."""
        while len(self._nets) > 1 and self._nets[1][0] <= now - WINDOW_MS:
            self._nets.popleft()


class LossWarning(StrEnum):
    """What a player is told of by the engine and cannot switch off."""

    LOST_QUARTER = "lost_quarter"
    LOST_HALF = "lost_half"
    LOST_THREE_QUARTERS = "lost_three_quarters"
    FALLS_FAST = "falls_fast"


LOST = {25: LossWarning.LOST_QUARTER, 50: LossWarning.LOST_HALF, 75: LossWarning.LOST_THREE_QUARTERS}  # per cent


def warnings(put_in: int, net: int, per_minute: int) -> list[LossWarning]:
    """What to warn of: how much of what was put in is lost, and whether the rest would be gone in 15 minutes."""
    found = []
    passed = [warning for percent, warning in LOST.items() if -net * 100 >= put_in * percent]
    if put_in > 0 and passed:
        found.append(passed[-1])
    if per_minute < 0 and put_in + net <= -per_minute * FAST_MINUTES:
        found.append(LossWarning.FALLS_FAST)
    return found
