"""How strong the teams are, and what that says about a match: where a market's first price comes from.

Start: the FIFA world ranking of 4 April 2024, the last before the tournament, in four steps of 100 points and no
finer, because rank alone says no more. Then Elo (A. Elo, "The Rating of Chessplayers", 1978) after every match, with
the weight of 50 that eloratings.net gives a continental championship.

A match: goals of both teams are independent Poisson numbers (M. J. Maher, "Modelling association football scores",
1982), 2.5 together (Euro 2016: 108 goals in 51 matches, Euro 2020: 142), and half a goal of difference for 100 points,
which gives Elo's expectation to within 0.04. The same arithmetic with the score and the time left
prices a match while it is played.
"""

from math import exp, factorial

from tessera.observe.matches import Match

START = {
    1800: ("France", "Belgium", "England", "Portugal", "Netherlands", "Spain", "Italy", "Croatia"),  # ranks 2 to 10
    1700: ("Germany", "Switzerland", "Denmark", "Ukraine", "Austria", "Hungary", "Poland"),  # 11 to 30
    1600: ("Serbia", "Czech Republic", "Scotland", "Turkey", "Romania", "Slovakia"),  # 31 to 50
    1500: ("Slovenia", "Albania", "Georgia"),  # beyond
}
WEIGHT = 50
GOALS = 2.5
GOALS_PER_POINT = 0.005
LEAST_GOALS = 0.2  # no team is so weak that it never scores
MOST_GOALS = 12  # of one team in one match: P(more) < 1e-5


class Ratings:
    """Points by team, moved by every match that is told."""

    def __init__(self):
        self.points = {team: float(points) for points, teams in START.items() for team in teams}

    def edge(self, team: str, other: str) -> float:
        """Points that a team has more than another."""
        return self.points[team] - self.points[other]

    def tell(self, match: Match) -> None:
        """Move both teams' points by the score after 90 minutes; what one gains the other loses."""
        score = 1.0 if match.won(match.home) else 0.0 if match.won(match.away) else 0.5
        expected = 1 / (1 + 10 ** (-self.edge(match.home, match.away) / 400))
        self.points[match.home] += WEIGHT * (score - expected)
        self.points[match.away] -= WEIGHT * (score - expected)


def win_chance(edge: float, lead: int = 0, to_play: float = 1.0) -> float:
    """The probability of being ahead at full time.

    `edge` in points, `lead` in goals now, `to_play` the share of the match still to play, 0 to 1.
    """
    ahead = min(max(GOALS / 2 + GOALS_PER_POINT * edge / 2, LEAST_GOALS), GOALS - LEAST_GOALS)
    scored, conceded = _poisson(ahead * to_play), _poisson((GOALS - ahead) * to_play)
    return sum(chance * sum(conceded[: max(0, lead + goals)]) for goals, chance in enumerate(scored))


def first_price(edge: float) -> float:
    """A market's p0: the probability of a win in whole hundredths, 0.05 to 0.95."""
    return min(max(round(win_chance(edge), 2), 0.05), 0.95)


def _poisson(mean: float) -> list[float]:
    return [exp(-mean) * mean**goals / factorial(goals) for goals in range(MOST_GOALS + 1)]
