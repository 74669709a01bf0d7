"""Many sessions at once: how balances are distributed as a session goes on. With numpy, a million in seconds.

`PHASES` are the documented parameters: a session that starts slowly and speeds up, as on a live stream. Their mean
balance at the end of each phase is in `EXPECTED`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tessera.model.loss.velocity import Play

CHUNK = 50_000  # sessions whose balances stay in a processor's cache
LEAST_STAKE = 0.005  # of the deposit; less than that cannot be bet


@dataclass(frozen=True)
class Phase:
    """A way to play until a minute of the session."""

    until: int
    play: Play


# Even odds that win 45 times of 100: an edge of 10 %.
_CHANCE, _ODDS = Fraction(45, 100), Fraction(2)
PHASES = (
    Phase(5, Play(Fraction(10), Fraction(1), Fraction(5, 100), _CHANCE, _ODDS)),  # a bet in each window of 10 s
    Phase(15, Play(Fraction(10), Fraction(2), Fraction(75, 1000), _CHANCE, _ODDS)),  # two, and half as much again
    Phase(30, Play(Fraction(10), Fraction(2), Fraction(10, 100), _CHANCE, _ODDS)),  # stakes that chase losses
)
# Per cent of the deposit, at the end of each phase.
EXPECTED = {5: (80, 100), 15: (30, 60), 30: (0, 20)}


@dataclass(frozen=True)
class Progress:
    """Balances minute by minute, parts of the deposit: `balances[m, i]` is session i's after m minutes.

    `gross_loss` and `winnings` are the mean sums of stakes lost and of winnings.
    """

    balances: np.ndarray
    gross_loss: float
    winnings: float

    def mean(self) -> np.ndarray:
        """The mean balance after each minute."""
        return self.balances.mean(axis=1, dtype=np.float64)

    def quantile(self, share: float) -> np.ndarray:
        """The balance that so many of the sessions do not exceed, after each minute."""
        return np.quantile(self.balances, share, axis=1)


def bet_times(phases: Sequence[Phase]) -> list[tuple[Fraction, Play]]:
    """When bets are decided, minutes of the session, and how they are played."""
    times, begun = [], Fraction(0)
    for phase in phases:
        count = (phase.until - begun) * phase.play.bets_per_minute
        times += [(begun + (i + 1) / phase.play.bets_per_minute, phase.play) for i in range(int(count))]
        begun = Fraction(phase.until)
    return times


def expected_balance(phases: Sequence[Phase], minute: int) -> Fraction:
    """The mean balance after a minute, a part of the deposit, exactly, where any stake can be bet."""
    balance = Fraction(1)
    for at, play in bet_times(phases):
        if at <= minute:
            balance *= 1 - play.stake_share * play.edge
    return balance


def simulate(
    sessions: int,
    seed: int,
    phases: Sequence[Phase] = PHASES,
    *,
    least_stake: float = LEAST_STAKE,
    loss_limit: float | None = None,
) -> Progress:
    """Plays sessions bet by bet. `loss_limit` is the part of the deposit that each player allows to be lost.

    The same seed gives the same balances.
    """
    minutes = phases[-1].until
    times = bet_times(phases)
    chance = np.random.default_rng(seed)
    balances = np.empty((minutes + 1, sessions), dtype=np.float32)
    gross = winnings = 0.0
    for first in range(0, sessions, CHUNK):
        chunk = balances[:, first : first + CHUNK]
        balance = np.ones(chunk.shape[1])
        chunk[0], minute = 1, 1
        for at, play in times:
            while at > minute:
                chunk[minute] = balance
                minute += 1
            stake = np.maximum(float(play.stake_share) * balance, least_stake)
            stake[stake > balance] = 0
            if loss_limit is not None:
                stake[1 - balance + stake > loss_limit] = 0
            has_won = chance.random(len(balance), dtype=np.float32) < float(play.chance)
            gain = stake * (float(play.odds) - 1) * has_won
            loss = stake * ~has_won
            balance += gain - loss
            gross += loss.sum()
            winnings += gain.sum()
        chunk[minute:] = balance
    return Progress(balances, gross / sessions, winnings / sessions)
