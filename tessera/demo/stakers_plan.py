"""Who stakes, predicts and leaves in the six weeks, and when: hours since the Friday 00:00 UTC on which they begin."""

from dataclasses import dataclass

from tessera.chain import WAD
from tessera.chain.panels import INVALID
from tessera.local.chain import DAY, INTEREST_BPS, UNITS

WEEK_HOURS, WEEKS = 168, 6
BLOCKS_PER_HOUR = 2
BLOCKS_PER_YEAR = BLOCKS_PER_HOUR * 24 * 365
BET_PER_BLOCK = 2 * WAD
MINING = (200, 100_000)  # begins after the first stake
BET_CAP = 10_000_000 * WAD
PARAMETERS = {
    "blocks_per_hour": BLOCKS_PER_HOUR,
    "min_blocks": 7 * 24 * BLOCKS_PER_HOUR,
    "bet_cap": BET_CAP,
    "bet_per_block": BET_PER_BLOCK,
    "mining": MINING,
    "delay": 2 * DAY,  # of the treasury
}
LENDING = {asset: (bps, 10_000) for asset, bps in INTEREST_BPS.items()}  # a year, as a fraction
LOSS = (2, 100)  # of all that the DAI vault holds, in the end
KEEPER = 14  # its account
LATE = 2  # the week that nobody closes in time
# The average price of the buyback needs one noted a day before the last week is closed.
POKE, SNAPSHOT, CRASH = 980, 1_001, 1_014
ILLIQUID, LIQUID_AGAIN = 609, 640


@dataclass(frozen=True)
class Staker:
    """A person: `moves` are (hour, asset, whole dollars), less than 0: taken out."""

    name: str
    habit: str
    moves: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True)
class Plan:
    """An event: hours of creation and length, first multiplier in hundredths, weight, what the panel says, and
    (person, hour, outcome) of each prediction."""

    title: str
    outcomes: tuple[str, ...]
    at: int
    hours: int
    e0: int
    weight: int
    truth: int
    predictions: tuple[tuple[str, int, int], ...]


STAKERS = (
    Staker("Mira", "stays from the first day to the last", ((2, "USDC", 8_000),)),
    Staker("Noor", "saves in DAI", ((5, "DAI", 12_000),)),
    Staker("Otto", "adds more when the second week begins", ((20, "USDC", 3_000), (260, "USDC", 4_000))),
    Staker("Pia", "starts small and takes some out", ((30, "DAI", 500), (400, "DAI", -200))),
    Staker("Quinn", "wants out while the vault has lent too much", ((50, "USDC", 6_000), (610, "USDC", -6_000))),
    Staker("Rosa", "comes late with the largest stake", ((380, "USDC", 15_000),)),
    Staker("Sami", "holds both and changes sides", ((10, "USDC", 1_000), (12, "DAI", 2_500))),
    Staker("Tess", "leaves in the third week", ((100, "DAI", 4_000), (500, "DAI", -4_000))),
    Staker("Umar", "has 25 dollars and is always early", ((15, "USDC", 25),)),
    Staker("Vera", "goes and comes back", ((200, "USDC", 10_000), (450, "USDC", -10_000), (560, "USDC", 3_000))),
)
PLANS = (
    Plan(
        "Who wins the cup match?",
        ("home", "draw", "away"),
        *(60, 192, 250, 100, 0),
        (
            *(("Mira", 61, 0), ("Umar", 62, 0), ("Sami", 63, 2), ("Noor", 80, 1), ("Otto", 90, 0), ("Pia", 100, 1)),
            *(("Tess", 120, 0), ("Sami", 201, 0), ("Quinn", 240, 0)),
        ),
    ),
    Plan(
        "Does the bill pass?",
        ("no", "yes"),
        *(70, 340, 400, 300, 1),
        (
            *(("Mira", 71, 1), ("Umar", 72, 1), ("Noor", 75, 1), ("Sami", 91, 0), ("Tess", 130, 1), ("Vera", 210, 0)),
            *(("Otto", 300, 0), ("Sami", 330, 1), ("Rosa", 385, 1)),
        ),
    ),
    Plan(
        "Which city gets the games?",
        ("Oslo", "Porto", "Riga", "Split"),
        *(180, 200, 150, 50, 3),
        (("Mira", 185, 0), ("Noor", 190, 1), ("Vera", 220, 2), ("Quinn", 230, 0)),
    ),
    Plan(
        "Is it the warmest month on record?",
        ("yes", "no"),
        *(350, 260, 1_000, 200, 0),
        (
            *(("Quinn", 352, 0), ("Umar", 353, 0), ("Mira", 354, 0), ("Vera", 355, 1), ("Pia", 361, 0)),
            *(("Rosa", 390, 0), ("Noor", 401, 1), ("Sami", 499, 1)),
        ),
    ),
    Plan(
        "Who opens the festival?",
        ("the choir", "the band"),
        *(362, 196, 200, 20, INVALID),
        (("Mira", 365, 0), ("Otto", 370, 1), ("Noor", 382, 1)),
    ),
    Plan(
        "Who wins the final?",
        ("home", "draw", "away"),
        *(690, 180, 200, 150, 2),
        (
            *(("Mira", 691, 2), ("Umar", 692, 2), ("Rosa", 693, 1), ("Sami", 694, 0), ("Otto", 696, 2)),
            *(("Noor", 700, 2), ("Pia", 701, 2), ("Vera", 839, 2)),
        ),
    ),
)


def funds(staker: Staker, asset: str) -> int:
    """What a person brings: all that is ever put in and was not taken out before, in the asset's unit."""
    most = balance = 0
    for _, other, dollars in staker.moves:
        if other == asset:
            balance += dollars
            most = max(most, balance)
    return most * UNITS[asset]


def closed_at(week: int) -> int:
    """The hour at which somebody closes a week, counted from 0."""
    return (week + (2 if week == LATE else 1)) * WEEK_HOURS + 1
