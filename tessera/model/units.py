"""What the numbers of a market mean: units of money, shares, prices and odds; outcomes. Quick to import."""

from enum import IntFlag

EUR = 10**6
WAD = 10**18
MOST_ODDS_SHOWN = 1_000_000


class Outcome(IntFlag):
    """An outcome with its number in the contract."""

    YES = 1
    NO = 2
    INVALID = 4

    @property
    def other(self) -> "Outcome":
        """NO of YES and YES of NO. Raises KeyError for INVALID."""
        return {Outcome.YES: Outcome.NO, Outcome.NO: Outcome.YES}[self]


def odds_text(value) -> str:
    """Odds for people: two decimals, and "over 1,000,000" where a price has saturated."""
    return f"over {MOST_ODDS_SHOWN:,}" if value > MOST_ODDS_SHOWN else f"{float(value):,.2f}"
