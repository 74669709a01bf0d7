"""Expected loss of bets, exactly; odds with a stated edge; what is shown beside every quote.

Chances and edges are parts per million, odds thousandths (1,800 pays 1.8 for 1), money the smallest unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tessera.model.sessions.states import ODDS_UNIT, liability_of

PPM = 1_000_000


class LossError(ValueError):
    """A chance, edge or limit out of its range. `str(error)` says which."""


def _check_chance(chance_ppm: int) -> None:
    if not 0 < chance_ppm < PPM:
        raise LossError("a chance is above 0 and below 1,000,000 parts per million")


def odds_of(chance_ppm: int, edge_ppm: int) -> int:
    """Odds at which the house keeps at least an edge of each stake: (1 - edge) / chance, rounded down.

    Raises LossError where chance or edge are out of range, or the odds would not be above 1.
    """
    _check_chance(chance_ppm)
    if not 0 <= edge_ppm < PPM:
        raise LossError("an edge is from 0 to below 1,000,000 parts per million")
    odds = ODDS_UNIT * (PPM - edge_ppm) // chance_ppm
    if odds <= ODDS_UNIT:
        raise LossError("the choice is too likely for odds above 1")
    return odds


def edge_of(odds: int, chance_ppm: int) -> Fraction:
    """The part of a stake that a bet loses on average: 1 - chance * odds. Negative where the player has the edge."""
    _check_chance(chance_ppm)
    return 1 - Fraction(chance_ppm * odds, PPM * ODDS_UNIT)


def margin_of(odds: Sequence[int]) -> Fraction:
    """The edge that odds have by themselves, where one of the choices must win: 1 - 1 / sum(1 / odds).

    It needs nobody's estimate: it is what is lost by somebody who covers every choice.
    """
    return 1 - 1 / sum((Fraction(ODDS_UNIT, of_choice) for of_choice in odds), Fraction(0))


@dataclass(frozen=True)
class Bet:
    """A stake at odds, and the chance that it wins."""

    stake: int
    odds: int
    chance_ppm: int


@dataclass(frozen=True)
class Expected:
    """Expected money of bets: stakes lost (`gross`), winnings, and what is lost on balance (`net`)."""

    gross: Fraction
    winnings: Fraction

    @property
    def net(self) -> Fraction:
        return self.gross - self.winnings


def expected_loss(bets: Iterable[Bet]) -> Expected:
    """Sums stake * chance to lose, and liability * chance to win. Liabilities are rounded down, as in a session."""
    gross = winnings = Fraction(0)
    for bet in bets:
        _check_chance(bet.chance_ppm)
        gross += Fraction(bet.stake * (PPM - bet.chance_ppm), PPM)
        winnings += Fraction(liability_of(bet.stake, bet.odds) * bet.chance_ppm, PPM)
    return Expected(gross, winnings)


@dataclass(frozen=True)
class Disclosure:
    """What a player sees with a quote, for each choice: the house's estimate of its chance, and both losses.

    `loss_ppm` is the expected net loss of a unit staked, `gross_loss_ppm` the expected part of it that is lost before
    winnings; both are rounded up. `margin_ppm` is the edge of the odds by themselves, rounded up; None where it may be
    that no choice wins.
    """

    chances_ppm: tuple[int, ...]
    loss_ppm: tuple[int, ...]
    gross_loss_ppm: tuple[int, ...]
    margin_ppm: int | None


def disclosure(odds: Sequence[int], chances_ppm: Sequence[int]) -> Disclosure:
    """What must be shown with odds. Raises LossError unless there is a chance for each choice, in sum at most 1."""
    if len(odds) != len(chances_ppm):
        raise LossError("as many chances as odds")
    if sum(chances_ppm) > PPM:
        raise LossError("chances sum to at most 1,000,000 parts per million")
    return Disclosure(
        tuple(chances_ppm),
        tuple(_ppm_up(edge_of(*pair)) for pair in zip(odds, chances_ppm, strict=True)),
        tuple(PPM - chance for chance in chances_ppm),
        _ppm_up(margin_of(odds)) if sum(chances_ppm) == PPM else None,
    )


def _ppm_up(value: Fraction) -> int:
    return -(-value.numerator * PPM // value.denominator)
