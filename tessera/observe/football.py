"""The replay of a football match at any speed: the goal minutes of Euro 2024, as if they happened now."""

import random
from collections.abc import Iterable

from tessera.observe.matches import Match
from tessera.observe.witness import Sighting, Topic

MS = 1_000
HOME, AWAY = "H", "A"
TOPICS = (Topic(r"\bgoals?\b|\bscores?\b", "goal"),)


def replay(match: Match, begin: int, speed: float) -> list[Sighting]:
    """The goals of a match that kicks off at a time, unix milliseconds, and goes so many times as fast as it did."""
    return [
        Sighting(
            begin + round((goal.at - match.kickoff) * MS / speed), "goal", HOME if goal.team == match.home else AWAY
        )
        for goal in match.goals
    ]


def length(match: Match, speed: float) -> int:
    """How long the replay goes on, in milliseconds."""
    return round((match.full_time - match.kickoff) * MS / speed)


def with_noise(sightings: Iterable[Sighting], seed: int, *, jitter_ms: int = 0, missed: float = 0.0) -> list[Sighting]:
    """The same as somebody notes it who is late by up to `jitter_ms`, and misses a part."""
    chance = random.Random(seed)  # noqa: S311  a simulation
    kept = [sighting for sighting in sightings if chance.random() >= missed]
    return [Sighting(s.at + chance.randint(0, jitter_ms), s.what, s.symbol) for s in kept]
