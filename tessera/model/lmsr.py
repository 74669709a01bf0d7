"""The logarithmic market scoring rule for two outcomes, exact to 60 digits.

What the contract's arithmetic is measured against: the cost of y YES and n NO shares is b ln(e^(y/b) + e^(n/b)), a bet
buys the shares that raise it by the stake, and the price of a side is the slope (R. Hanson, "Combinatorial information
market design", 2003). One share pays 1. How far the contract may be away is proved in docs/lmsr-error-bound.md.

Amounts (b, shares, stakes, gaps) are in any one unit, EUR or WAD integers, and so are the results: the rule has no unit
of its own. A gap is the shares of the other side less those of this side. Nothing is rounded: `mpf` comes out.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mpmath import mp

from tessera.model.units import WAD, Outcome, odds_text  # noqa: F401  whoever computes with the rule needs them

exact: Any = mp.clone()  # mpmath gives a context its functions when it is made
exact.dps = 60
mpf = exact.mpf


def opening(p0, seed) -> tuple[mpf, mpf]:
    """The liquidity b and the head start of the likelier side for which C(start) = seed.

    b = seed / -ln(min(p0, 1 - p0)), head start = b ln(p / (1 - p)) with p = max(p0, 1 - p0); 0 < p0 < 1.
    """
    p0 = mpf(p0)
    low = min(p0, 1 - p0)
    b = mpf(seed) / -exact.log(low)
    return b, b * exact.log((1 - low) / low)


def cost(b, yes, no) -> mpf:
    """What `yes` and `no` shares have cost altogether; never less than the greater of them."""
    least, most = sorted((mpf(yes), mpf(no)))
    return most + b * exact.log(1 + exact.exp((least - most) / b))


def price(b, gap) -> mpf:
    """The probability of a side, 0 to 1."""
    return 1 / (1 + exact.exp(gap / mpf(b)))


def shares(b, gap, stake) -> mpf:
    """What `stake` buys of a side: the s for which C rises by the stake.

    Of the 60 digits as many are lost as stake / b has zeros behind the point.
    """
    b = mpf(b)
    return b * exact.log(1 + (exact.exp(stake / b) - 1) * (1 + exact.exp(gap / b)))


def odds(probability) -> mpf:
    """What 1 staked pays at a price; infinite at 0."""
    return 1 / mpf(probability) if probability else exact.inf


def brier(forecast, happened: bool) -> mpf:
    """The Brier score of one forecast, 0 (certain and right) to 1 (certain and wrong)."""
    return (mpf(forecast) - happened) ** 2


class Quote(NamedTuple):
    """What a stake would buy: `shares` is also the most it can pay."""

    stake: mpf
    shares: mpf
    price_after: mpf

    @property
    def odds(self) -> mpf:
        """Effective odds: what 1 staked pays."""
        return self.shares / self.stake


@dataclass
class Market:
    """A market from its first price: bet after bet, with prices and the creator's position in between."""

    p0: mpf
    seed: mpf = 10
    b: mpf = field(init=False)
    start: dict[Outcome, mpf] = field(init=False)
    sold: dict[Outcome, mpf] = field(init=False)
    staked: mpf = field(init=False)

    def __post_init__(self):
        self.p0, self.seed = mpf(self.p0), mpf(self.seed)
        self.b, head_start = opening(self.p0, self.seed)
        likelier = Outcome.YES if 2 * self.p0 > 1 else Outcome.NO
        self.start = {likelier: head_start, likelier.other: mpf(0)}
        self.sold = {Outcome.YES: mpf(0), Outcome.NO: mpf(0)}
        self.staked = mpf(0)

    def outstanding(self, side: Outcome) -> mpf:
        """The shares of a side that the price is made of: the head start and those sold."""
        return self.start[side] + self.sold[side]

    def gap(self, side: Outcome) -> mpf:
        """Shares of the other side less shares of this side."""
        return self.outstanding(side.other) - self.outstanding(side)

    def cost(self) -> mpf:
        """C of what is outstanding: at every time the seed and all stakes."""
        return cost(self.b, self.outstanding(Outcome.YES), self.outstanding(Outcome.NO))

    def price(self, side: Outcome) -> mpf:
        """The market's probability of a side, 0 to 1."""
        return price(self.b, self.gap(side))

    def quote(self, side: Outcome, stake=1) -> Quote:
        """What `stake` on a side would buy now. A stake of n is what n stakes of 1 in a row would buy."""
        bought = shares(self.b, self.gap(side), mpf(stake))
        return Quote(mpf(stake), bought, price(self.b, self.gap(side) - bought))

    def bet(self, side: Outcome, stake=1) -> mpf:
        """Buy and get the shares."""
        bought = self.quote(side, stake).shares
        self.sold[side] += bought
        self.staked += stake
        return bought

    def gain(self, outcome: Outcome) -> mpf:
        """What the creator gains (less than 0: loses) if the market ended so now; INVALID gives all stakes back."""
        return mpf(0) if outcome == Outcome.INVALID else self.staked - self.sold[outcome]

    @property
    def max_loss(self) -> mpf:
        """The most that the creator can lose whatever is still bet: C is above every share count, and was the seed."""
        return self.seed
