"""What six weeks of staking made of each week, event and person, from the logs."""

from dataclasses import dataclass, field
from fractions import Fraction

from tessera.chain import WAD, EventLog, Tessera
from tessera.chain.panels import INVALID
from tessera.chain.prediction_events import Claimed, EventCreated, EventSettled
from tessera.chain.prize_pool import BoughtBack, PeriodClosed
from tessera.chain.staking_pool import RewardsClaimed, Staked, Withdrawn
from tessera.demo.stakers_plan import BET_PER_BLOCK, BLOCKS_PER_YEAR, LATE, LENDING, STAKERS
from tessera.local.chain import UNITS
from tessera.model.apy import YieldFigures, figures
from tessera.model.prizes import period_of


@dataclass
class WeeksPlayed:
    """Six weeks that were played: what the logs say, and what only the chain could say at its time."""

    tessera: Tessera
    names: dict[str, str]  # by address
    start: int
    rows: list[EventLog] = field(default_factory=list)
    tickets: dict[int, dict[str, tuple[int, int]]] = field(default_factory=dict)  # event, address: before settling
    donated: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNITS, 0))
    lost: int = 0
    crash_block: int = 0
    fair: tuple[int, int] = (1, 1)  # DAI after the loss: worth, principal
    snapshot: dict[str, int] = field(default_factory=dict)  # principal by asset when the yield figures are taken
    bet_price: tuple[int, int] = (0, 1)  # USDC and BET in the market then
    left: dict[str, int] = field(default_factory=dict)  # in the vaults when everybody has gone
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Week:
    """A closed week, money in units of USDC; `pool` is P of it."""

    number: int
    late: bool
    closed: PeriodClosed


@dataclass(frozen=True)
class Outcome:
    """An event's end. `prize` is what winners shared, 0 where it went back to the pool; `paid` by name."""

    created: EventCreated
    outcome: str
    prize: int
    paid: dict[str, int]


@dataclass(frozen=True)
class Person:
    """What one person put in and got out. `tickets` are USD-hours over all events, `rate` what the prizes come to in a
    year of that stake; principal by asset in its unit: put in, and paid back."""

    name: str
    habit: str
    tickets: int
    wins: int
    prizes: int
    bet: int
    rate: Fraction
    principal: dict[str, tuple[int, int]]


def weeks(played: WeeksPlayed) -> list[Week]:
    """The weeks in their order, without the empty one before."""
    first = period_of(played.start)
    closed = [row for row in played.rows if isinstance(row, PeriodClosed) and row.period >= first]
    return [Week(row.period - first + 1, row.period - first == LATE, row) for row in closed]


def events(played: WeeksPlayed) -> list[Outcome]:
    """The events in the order of their creation."""
    settled = {row.event_id: row for row in played.rows if isinstance(row, EventSettled)}
    outcomes = []
    for created in (row for row in played.rows if isinstance(row, EventCreated)):
        end = settled[created.event_id]
        paid = [row for row in played.rows if isinstance(row, Claimed) and row.event_id == created.event_id]
        outcome = "INVALID" if end.outcome == INVALID else created.outcomes[end.outcome]
        shares = {played.names[row.account]: row.amount for row in paid}
        outcomes.append(Outcome(created, outcome, end.prize if paid else 0, shares))
    return outcomes


def people(played: WeeksPlayed) -> list[Person]:
    """Everybody, the largest prizes first."""
    assets = {played.tessera.deployment.address_of(f"TestToken:{asset}"): asset for asset in UNITS}
    last = played.tessera.web3.eth.block_number
    persons = []
    for staker in STAKERS:
        (address,) = (address for address, name in played.names.items() if name == staker.name)
        mine = [row for row in played.rows if getattr(row, "account", None) == address]
        prizes = [row.amount for row in mine if isinstance(row, Claimed)]
        principal = {}
        for token, asset in assets.items():
            staked = sum(row.amount for row in mine if isinstance(row, Staked) and row.asset == token)
            if staked:
                back = sum(row.paid for row in mine if isinstance(row, Withdrawn) and row.asset == token)
                principal[asset] = staked, back
        stake_blocks = played.tessera.staking.stake_blocks(address, 0, last)
        persons.append(
            Person(
                name=staker.name,
                habit=staker.habit,
                tickets=sum(tickets[address][0] for tickets in played.tickets.values()) // WAD,
                wins=len(prizes),
                prizes=sum(prizes),
                bet=sum(row.amount for row in mine if isinstance(row, RewardsClaimed)),
                rate=Fraction(sum(prizes) * BLOCKS_PER_YEAR, stake_blocks),
                principal=principal,
            )
        )
    return sorted(persons, key=lambda person: -person.prizes)


def bought_back(played: WeeksPlayed) -> tuple[int, int]:
    """USDC spent and BET bought."""
    rows = [row for row in played.rows if isinstance(row, BoughtBack)]
    return sum(row.spent for row in rows), sum(row.bought for row in rows)


def yields(played: WeeksPlayed) -> YieldFigures:
    """The yearly figures at the end of the last week, by its stakes and the market's price of BET."""
    assets = [(Fraction(amount, UNITS[name]), Fraction(*LENDING[name])) for name, amount in played.snapshot.items()]
    usdc, bet = played.bet_price
    return figures(assets, Fraction(BET_PER_BLOCK, WAD), Fraction(usdc, 10**6) / Fraction(bet, WAD), BLOCKS_PER_YEAR)
