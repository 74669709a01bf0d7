"""Golden values of the loss model: `python -m tests.loss_vectors` writes them.

Independent of tessera/model/loss: every line of play is enumerated with fractions, odds are searched for.
"""

import itertools
import json
from fractions import Fraction
from pathlib import Path

PATH = Path(__file__).parent / "vectors" / "loss.json"
PPM = 10**6
BETS = (
    [(1_000_000, 1_900, 500_000)],
    [(1_000_000, 2_000, 450_000), (250_000, 1_800, 550_000), (333_333, 3_300, 290_000)],
    [(100_000 + 7 * i, 1_500 + 100 * i, 600_000 - 40_000 * i) for i in range(8)],
)
CHANCES_AND_EDGES = (
    (500_000, 50_000),
    (450_000, 100_000),
    (333_333, 25_000),
    (12_345, 70_000),
    (900_000, 20_000),
    (500_000, 0),
)
SHARES = (("1/20", "9/20", 6), ("1/10", "9/20", 10), ("3/40", "1/2", 8))
ODDS = ((1_900, 1_900), (1_500, 2_600), (2_900, 2_900, 2_900), (1_100, 9_000))


def ends(chances: list[Fraction]) -> list[tuple[Fraction, tuple[int, ...]]]:
    """Every way in which bets can end (1: won), with its probability."""
    found = []
    for way in itertools.product((0, 1), repeat=len(chances)):
        probability = Fraction(1)
        for has_won, chance in zip(way, chances, strict=True):
            probability *= chance if has_won else 1 - chance
        found.append((probability, way))
    return found


def expected_loss(bets: list[tuple[int, int, int]]) -> dict:
    gross = winnings = Fraction(0)
    for probability, way in ends([Fraction(ppm, PPM) for _, _, ppm in bets]):
        gross += probability * sum(stake for won, (stake, _, _) in zip(way, bets, strict=True) if not won)
        paid = sum(stake * odds // 1_000 - stake for won, (stake, odds, _) in zip(way, bets, strict=True) if won)
        winnings += probability * paid
    return {"bets": bets, "gross": str(gross), "winnings": str(winnings), "net": str(gross - winnings)}


def greatest_odds(chance_ppm: int, edge_ppm: int) -> dict:
    """The greatest odds that leave the house its edge, by search."""
    odds = 1_000
    while 1 - Fraction(chance_ppm, PPM) * Fraction(odds + 1, 1_000) >= Fraction(edge_ppm, PPM):
        odds += 1
    edge = 1 - Fraction(chance_ppm * odds, PPM * 1_000)
    return {"chance_ppm": chance_ppm, "edge_ppm": edge_ppm, "odds": odds, "edge": str(edge)}


def mean_balance(stake_share: str, chance: str, bets: int) -> dict:
    """The mean of a balance of 1 after bets of a share of it at even odds."""
    mean = Fraction(0)
    for probability, way in ends([Fraction(chance)] * bets):
        balance = Fraction(1)
        for has_won in way:
            balance += balance * Fraction(stake_share) * (1 if has_won else -1)
        mean += probability * balance
    return {"stake_share": stake_share, "chance": chance, "bets": bets, "mean": str(mean)}


def margin(odds: tuple[int, ...]) -> dict:
    """What is lost of stakes that cover every choice so that each pays back the same 1."""
    stakes = sum(Fraction(1_000, of_choice) for of_choice in odds)
    return {"odds": odds, "margin": str((stakes - 1) / stakes)}


def vectors() -> dict:
    return {
        "expected_loss": [expected_loss(bets) for bets in BETS],
        "odds": [greatest_odds(*pair) for pair in CHANCES_AND_EDGES],
        "mean_balance": [mean_balance(*play) for play in SHARES],
        "margin": [margin(odds) for odds in ODDS],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1) + "\n")
