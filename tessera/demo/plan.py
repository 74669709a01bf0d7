"""What is known before the season begins: which markets open when, at what price, and how each is to end."""

from dataclasses import dataclass
from enum import Enum

from tessera.demo.ratings import Ratings, first_price, win_chance
from tessera.observe.matches import DAY, HOUR, Match, ahead


class Ending(Enum):
    """How a market's outcome comes about, in words for people."""

    PLAIN = "undisputed"
    VOTED = "disputed: more than two thirds of the heads flipped it"
    RULED = "disputed, then ruled by the referee"
    UNCLEAR = "called off: its rules contradicted its question"
    DOUBTED = "disputed: one against one is doubt, all is paid back"
    UNRULED = "disputed: the referee kept silent, all is paid back"
    EARLY = "proposed with the whistle, before the result was due"
    SILENT = "creator silent: a bettor proposed"
    EXPIRED = "nobody proposed: expired"


@dataclass(frozen=True)
class Fixture:
    """A match and the market on it: does the higher rated team win? Times in unix seconds."""

    match: Match
    favourite: str
    other: str
    edge: float
    p0: float
    ending: Ending

    @property
    def opens_at(self) -> int:
        """A day before kick-off."""
        return self.match.kickoff - DAY

    @property
    def closes_at(self) -> int:
        """Betting ends with the 90th minute; what stoppage brings is anybody's luck."""
        return self.match.regular_end

    @property
    def expected_result_at(self) -> int:
        """Two hours after kick-off, when every match is over but for extra time."""
        return self.match.kickoff + 2 * HOUR

    @property
    def happened(self) -> bool:
        """Whether the favourite is ahead after 90 minutes."""
        return self.match.won(self.favourite)

    def fair(self, at: int) -> float:
        """The ratings' chance of YES at a time, given the score and the time left."""
        return win_chance(self.edge, self.match.lead(self.favourite, at), self.match.left(at))

    def terms(self) -> dict[str, str]:
        """The market's texts."""
        counts = "Extra time and penalties count." if self.ending is Ending.UNCLEAR else "Extra time does not count."
        return {
            "question": f"Do {self.favourite} beat {self.other}?",
            "yes": f"{self.favourite} lead after 90 minutes and stoppage time",
            "no": f"A draw, or {self.other} lead, after 90 minutes and stoppage time",
            "rules": f"{counts} A match not played within 48 hours of its kick-off makes the market INVALID.",
            "source": "The official match report",
        }


def plan(count: int, after: int) -> list[Fixture]:
    """The markets on the last `count` matches up to the final, whole weeks later, the first to open after `after`.

    The ratings of a market know every match that was over when it opened. The same arguments give the same plan.
    Raises ValueError unless 1 <= count <= 51.
    """
    matches = ahead(count, after)
    endings = _endings(matches[-count:])
    ratings, rated = Ratings(), 0
    fixtures = []
    for match in matches[-count:]:
        while matches[rated].full_time <= match.kickoff - DAY:
            ratings.tell(matches[rated])
            rated += 1
        favourite, other = sorted(match.teams, key=ratings.points.__getitem__, reverse=True)
        edge = ratings.edge(favourite, other)
        fixtures.append(Fixture(match, favourite, other, edge, first_price(edge), endings.get(match, Ending.PLAIN)))
    return fixtures


def _endings(matches: list[Match]) -> dict[Match, Ending]:
    """One match for each ending that is not plain: those decided after 90 minutes invite a quarrel, so they come first.

    With fewer matches than endings the first endings of the list are played.
    """
    wanted = [
        Ending.VOTED,
        Ending.RULED,
        Ending.UNCLEAR,
        Ending.DOUBTED,
        Ending.UNRULED,
        Ending.EARLY,
        Ending.SILENT,
        Ending.EXPIRED,
    ]
    quarrelsome = sorted(matches, key=lambda match: ("extra time", "penalties", "90 minutes").index(match.decided_in))
    return dict(zip(quarrelsome, wanted, strict=False))
