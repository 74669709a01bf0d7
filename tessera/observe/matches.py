"""The matches of Euro 2024 as facts, and the clock that says when in the real evening each minute was.

`matches.csv` is compiled from openfootball (CC0): kick-off in UTC, score after 90 minutes, how the match was decided,
and the minute of each goal, extra time included. Nobody publishes the second of a goal or the length of the break, so
the clock is a stated convention: a goal of minute 10 fell at 9:30 of play, and the second half starts 63 minutes after
kick-off (45, three of stoppage, fifteen of rest).
"""

import csv
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

HALF = 45 * MINUTE
BREAK = 18 * MINUTE
REGULAR_END = 2 * HALF + BREAK  # the 90th minute is over; stoppage time begins
STOPPAGE = 5 * MINUTE

TABLE = Path(__file__).with_name("matches.csv")


@dataclass(frozen=True)
class Goal:
    """A goal within 90 minutes and stoppage: unix second, team, and the minute as people write it ("45+1")."""

    at: int
    team: str
    minute: str


@dataclass(frozen=True)
class Match:
    """A match; times in unix seconds, the score is that after 90 minutes."""

    number: int
    kickoff: int
    round: str
    home: str
    away: str
    home_score: int
    away_score: int
    decided_in: str
    winner: str
    goals: tuple[Goal, ...]

    @property
    def teams(self) -> tuple[str, str]:
        return self.home, self.away

    @property
    def regular_end(self) -> int:
        """When the 90th minute is over."""
        return self.kickoff + REGULAR_END

    @property
    def full_time(self) -> int:
        """When the whistle goes after 90 minutes and stoppage."""
        last = self.goals[-1].at if self.goals else 0
        return max(self.regular_end + STOPPAGE, last + MINUTE)

    def won(self, team: str) -> bool:
        """Whether the team is ahead after 90 minutes."""
        return self.lead(team, self.full_time) > 0

    def lead(self, team: str, at: int) -> int:
        """By how many goals the team is ahead at a time; goals of that second count."""
        return sum(1 if goal.team == team else -1 for goal in self.goals if goal.at <= at)

    def score(self, at: int) -> str:
        """The score at a time, home team first: "2–1"."""
        home = sum(goal.team == self.home for goal in self.goals if goal.at <= at)
        away = sum(goal.team == self.away for goal in self.goals if goal.at <= at)
        return f"{home}–{away}"

    def left(self, at: int) -> float:
        """The share of the match, five minutes of stoppage included, still to play at a time, 1 to 0."""
        elapsed = max(0, at - self.kickoff)
        played = min(elapsed, HALF) + max(0, elapsed - HALF - BREAK)
        return max(0.0, 1 - played / (2 * HALF + STOPPAGE))

    def later(self, seconds: int) -> "Match":
        """The same match on another day."""
        goals = tuple(replace(goal, at=goal.at + seconds) for goal in self.goals)
        return replace(self, kickoff=self.kickoff + seconds, goals=goals)


def load() -> list[Match]:
    """All 51 matches in order of kick-off, on their true dates."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [_match(number, row) for number, row in enumerate(csv.DictReader(file), 1)]


def ahead(count: int, after: int) -> list[Match]:
    """All matches moved by the fewest whole weeks that bring the last `count` of them more than 25 hours past `after`.

    Raises ValueError unless 1 <= count <= 51.
    """
    matches = load()
    if not 1 <= count <= len(matches):
        raise ValueError(f"matches: 1 to {len(matches)}, not {count}")
    weeks = max(0, (after + DAY + HOUR - matches[-count].kickoff) // WEEK + 1)
    return [match.later(weeks * WEEK) for match in matches]


def second_of(minute: str) -> int | None:
    """Seconds after kick-off at which a goal of that minute ("38", "45+2", "90+3") fell; None in extra time."""
    regular, _, added = minute.partition("+")
    if int(regular) > 90:
        return None
    played = (int(regular) + int(added or 0)) * MINUTE - MINUTE // 2
    return played + BREAK if int(regular) > 45 else played


def _match(number: int, row: dict[str, str]) -> Match:
    kickoff = int(datetime.fromisoformat(row["kickoff"].replace("Z", "+00:00")).timestamp())
    goals = [
        Goal(kickoff + second, row[side], minute)
        for side in ("home", "away")
        for minute in row[f"{side}_goal_minutes"].split()
        if (second := second_of(minute)) is not None
    ]
    goals.sort(key=lambda goal: goal.at)
    # Two goals of one minute keep a second between them.
    for index, (before, goal) in enumerate(pairwise(goals), 1):
        if goal.at <= before.at:
            goals[index] = replace(goal, at=before.at + 1)
    return Match(
        number=number,
        kickoff=kickoff,
        round=row["round"],
        home=row["home"],
        away=row["away"],
        home_score=int(row["home_90"]),
        away_score=int(row["away_90"]),
        decided_in=row["decided_in"],
        winner=row["winner"],
        goals=tuple(goals),
    )
