"""The twelve friends: what each sees, when each looks, and the one simple habit by which each bets.

Prices and chances are those of YES ("the favourite wins"), 0 to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tessera.model.lmsr import Outcome

YES, NO = Outcome.YES, Outcome.NO
LATE = 70 / 95  # of the match is over when the cautious begin to look


@dataclass(frozen=True)
class View:
    """What a friend knows at a moment: `lead` and `fair` by what this friend has seen of the match so far."""

    favourite: str
    teams: tuple[str, str]
    price: float
    first: float  # the market's first price
    fair: float  # the ratings' chance with that score and the time left
    scored: Outcome | None  # whose side the last goal helped
    rng: Random


@dataclass(frozen=True)
class Friend:
    """`delay`: seconds until a goal is seen. `early`, `live`, `late`: looks at each market before kick-off, during the
    match, in its last part. `hands`: looks in a row right after a goal is seen."""

    name: str
    habit: str
    choose: Callable[[View], Outcome | None]
    delay: int = 60
    early: int = 0
    live: int = 0
    late: int = 0
    hands: int = 0


def worth(margin: float) -> Callable[[View], Outcome | None]:
    """Bets where price and fair chance are further apart than the margin."""

    def choose(view: View) -> Outcome | None:
        if view.fair - view.price > margin:
            return YES
        return NO if view.price - view.fair > margin else None

    return choose


def favourite(view: View) -> Outcome | None:
    """Bets on the favourite until that is dear."""
    return YES if view.price < 0.85 else None


def underdog(view: View) -> Outcome | None:
    """Bets against the favourite until that is dear."""
    return NO if view.price > 0.15 else None


def last_scorer(view: View) -> Outcome | None:
    """Bets on whose side the last goal helped."""
    return view.scored


def against_the_move(view: View) -> Outcome | None:
    """Bets that a price which moved by 0.1 comes back."""
    if abs(view.price - view.first) < 0.1:
        return None
    return NO if view.price > view.first else YES


def with_the_move(view: View) -> Outcome | None:
    """Bets that a price which moved goes on."""
    if abs(view.price - view.first) < 0.02:
        return None
    return YES if view.price > view.first else NO


def supporter(team: str) -> Callable[[View], Outcome | None]:
    """Bets on one team, and where it does not play on the team named first."""

    def choose(view: View) -> Outcome | None:
        mine = team if team in view.teams else view.teams[0]
        return YES if mine == view.favourite else NO

    return choose


def coin(view: View) -> Outcome | None:
    """Bets on either side."""
    return view.rng.choice((YES, NO))


def nearly_certain(view: View) -> Outcome | None:
    """Bets on the likelier side once that is likely, and not yet dear."""
    if 0.75 < view.price < 0.93:
        return YES
    return NO if 0.07 < view.price < 0.25 else None


FRIENDS = (
    Friend("Ada", "reads the ratings and waits for a price that is off", worth(0.03), early=3, live=1),
    Friend("Bruno", "sits in the stadium and sees a goal at once", worth(0.08), delay=4, hands=3),
    Friend("Chiara", "listens to the radio, ten seconds behind", worth(0.08), delay=10, hands=3),
    Friend("Dev", "watches television, half a minute behind", worth(0.08), delay=30, hands=2),
    Friend("Elif", "streams, over a minute behind, and bets on whoever scored", last_scorer, delay=75, hands=1),
    Friend("Finn", "loves the underdog", underdog, early=2, live=1),
    Friend("Greta", "loves the favourite", favourite, early=2, live=1),
    Friend("Hugo", "bets against whatever just happened", against_the_move, delay=150, live=1, hands=1),
    Friend("Ines", "follows the crowd", with_the_move, early=2, live=1),
    Friend("Jonas", "is for Germany, else for the team named first", supporter("Germany"), early=2),
    Friend("Kaja", "tosses a coin", coin, early=2, live=1),
    Friend("Luis", "waits until it is nearly certain", nearly_certain, late=3),
)
