"""The replay of a football match at any speed: the goal minutes of Euro 2024, as if they happened now."""

import random
from collections.abc import Iterable

from tessera.observe.matches import Match
from tessera.observe.seen import Seen, Topic

MS = 1_000
HOME, AWAY = "H", "A"
TOPICS = (Topic(r"\bgoals?\b|\bscores?\b", "goal"),)


def replay(match: Match, begin: int, speed: float) -> list[Seen]:
    """The goals of a match that kicks off at a time, unix milliseconds, and goes so many times as fast as it did."""
    return [
        Seen(begin + round((goal.at - match.kickoff) * MS / speed), "goal", HOME if goal.team == match.home else AWAY)
        for goal in match.goals
    ]


def length(match: Match, speed: float) -> int:
    """How long the replay goes on, in milliseconds."""
    return round((match.full_time - match.kickoff) * MS / speed)


def with_noise(seen: Iterable[Seen], seed: int, *, jitter_ms: int = 0, missed: float = 0.0) -> list[Seen]:
    """The same as somebody notes it who is late by up to `jitter_ms`, and misses a part."""
    chance = random.Random(seed)  # noqa: S311  a simulation
    kept = [one for one in seen if chance.random() >= missed]
    return [Seen(one.at + chance.randint(0, jitter_ms), one.what, one.symbol) for one in kept]
