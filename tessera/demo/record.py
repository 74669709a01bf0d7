"""What happened, from the chain's logs and the plan alone: the numbers behind every table and graph.

Money is in units of 1e-6 EUR; prices and chances are of YES, 0 to 1, as floats for drawing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from tessera.chain.contract import EUR, WAD, WAD_PER_UNIT, ZERO_ADDRESS, EventLog
from tessera.chain.escrow import Entry, Kind, pot_id
from tessera.chain.lmsr_markets import (
    BetPlaced,
    MarketCreated,
    MarketFinalized,
    OutcomeDisputed,
    OutcomeProposed,
    OutcomeRuled,
    VoteCast,
)
from tessera.demo.plan import Fixture
from tessera.model.lmsr import Outcome, brier
from tessera.observe.matches import MINUTE

FRESH = MINUTE  # a goal is news for so long


@dataclass(frozen=True)
class Bet:
    """One bet of 1 EUR. `since_goal`: seconds since the last goal, None before the first one."""

    at: int
    who: str
    side: Outcome
    stake: int
    shares: int
    before: float
    after: float
    fair: float
    since_goal: int | None

    @property
    def implied(self) -> float:
        """The probability of its side at which the bet breaks even: stake over shares. Who bets says: at least that."""
        return self.stake * WAD_PER_UNIT / self.shares

    @property
    def price_paid_for_moving(self) -> float:
        """EUR lost on average if the price before the bet was the true probability: what the bet costs the ignorant."""
        return self._expected_loss(self.before)

    @property
    def expected_gain(self) -> float:
        """EUR gained on average if the ratings' chance, with the score and the time left, is the true probability."""
        return -self._expected_loss(self.fair)

    def _expected_loss(self, chance: float) -> float:
        return self.stake / EUR - self.shares / WAD * (chance if self.side is Outcome.YES else 1 - chance)


@dataclass(frozen=True)
class Step:
    """A step on the way to the outcome. `verb` is one of proposed, disputed, voted, ruled, final."""

    at: int
    verb: str
    who: str | None = None
    outcome: Outcome | None = None
    reason: str = ""


@dataclass
class Game:
    """One market, whole."""

    fixture: Fixture
    market_id: int
    creator: str
    referee: str | None
    opened_at: int
    bets: list[Bet] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    outcome: Outcome | None = None
    seed: int = 0
    residue: int = 0  # what the creator got back
    paid: dict[str, int] = field(default_factory=dict)  # to bettors, by name

    @property
    def staked(self) -> int:
        """All stakes."""
        return sum(bet.stake for bet in self.bets)

    @property
    def creator_gain(self) -> int:
        """Less than 0: the creator lost."""
        return self.residue - self.seed

    @property
    def gains(self) -> dict[str, int]:
        """Payouts less stakes of each bettor, by name."""
        gains = dict.fromkeys((bet.who for bet in self.bets), 0)
        for bet in self.bets:
            gains[bet.who] -= bet.stake
        for who, amount in self.paid.items():
            gains[who] += amount
        return gains

    @property
    def decided_at(self) -> int:
        """When it was finalized, unix seconds."""
        return self.steps[-1].at

    @property
    def decided(self) -> bool:
        """Whether it ended YES or NO."""
        return self.outcome in (Outcome.YES, Outcome.NO)

    def won(self, bet: Bet) -> bool:
        """Whether the bet's side is the outcome; none is of a market that ended INVALID."""
        return bet.side is self.outcome

    def price(self, at: int) -> float:
        """The price of YES at a time; a bet of that second counts."""
        price = self.fixture.p0
        for bet in self.bets:
            if bet.at > at:
                break
            price = bet.after
        return price


@dataclass(frozen=True)
class Standing:
    """What a friend made of the season. `gain` is payouts less stakes, `creator_gain` what came back of seeds less
    the seeds; `brier` is the mean Brier score of the implied probabilities of the bets in markets that ended YES or NO,
    None without any; `curve` is the gain, both kinds, after each market that ended, in the order they ended."""

    name: str
    bets: int
    staked: int
    paid: int
    created: int
    creator_gain: int
    brier: float | None
    curve: list[int]

    @property
    def gain(self) -> int:
        """As a bettor."""
        return self.paid - self.staked

    @property
    def total(self) -> int:
        """As a bettor and as a creator."""
        return self.gain + self.creator_gain


@dataclass(frozen=True)
class Record:
    """A season: its markets in the order they opened, and its friends, best first."""

    games: list[Game]
    standings: list[Standing]
    skipped_for_money: int = 0

    @property
    def bets(self) -> list[tuple[Game, Bet]]:
        """Every bet with its market."""
        return [(game, bet) for game in self.games for bet in game.bets]


@dataclass(frozen=True)
class Group:
    """Bets of one kind together: how many, and per EUR staked what the ratings expected and what came of it."""

    count: int
    expected: float
    realised: float


def read(
    rows: Iterable[EventLog], fixtures: list[Fixture], names: dict[str, str], skipped_for_money: int = 0
) -> Record:
    """The season's record from the logs of its contracts in the chain's order.

    `fixtures` in any order, `names` by address. Raises KeyError where a market is none of the fixtures' (they are told
    apart by kick-off and question).
    """
    by_terms = {(fixture.match.kickoff, fixture.terms()["question"]): fixture for fixture in fixtures}
    games: dict[int, Game] = {}
    pots: dict[bytes, Game] = {}
    for row in rows:
        match row:
            case MarketCreated():
                games[row.market_id] = pots[pot_id(row.market_id)] = Game(
                    fixture=by_terms[row.event_start_at, row.terms.question],
                    market_id=row.market_id,
                    creator=names[row.creator],
                    referee=None if row.referee == ZERO_ADDRESS else names[row.referee],
                    opened_at=row.timestamp,
                )
            case BetPlaced():
                _bet(games[row.market_id], row, names)
            case OutcomeProposed():
                step = Step(row.timestamp, "proposed", names[row.proposer], row.outcome)
                games[row.market_id].steps.append(step)
            case OutcomeDisputed():
                step = Step(row.timestamp, "disputed", names[row.account], reason=row.reason)
                games[row.market_id].steps.append(step)
            case VoteCast():
                games[row.market_id].steps.append(Step(row.timestamp, "voted", names[row.account], row.outcome))
            case OutcomeRuled():
                games[row.market_id].steps.append(Step(row.timestamp, "ruled", names[row.referee], row.outcome))
            case MarketFinalized():
                games[row.market_id].steps.append(Step(row.timestamp, "final", outcome=row.outcome))
                games[row.market_id].outcome = row.outcome
            case Entry() if row.pot in pots:
                _money(pots[row.pot], row, names)
    ordered = list(games.values())
    standings = sorted((_standing(name, ordered) for name in names.values()), key=lambda standing: -standing.total)
    return Record(ordered, standings, skipped_for_money)


def _bet(game: Game, row: BetPlaced, names: dict[str, str]) -> None:
    price_after = row.price_after / WAD
    goals = [goal.at for goal in game.fixture.match.goals if goal.at <= row.timestamp]
    game.bets.append(
        Bet(
            at=row.timestamp,
            who=names[row.account],
            side=row.side,
            stake=row.stake,
            shares=row.shares,
            before=game.bets[-1].after if game.bets else game.fixture.p0,
            after=price_after if row.side is Outcome.YES else 1 - price_after,
            fair=game.fixture.fair(row.timestamp),
            since_goal=row.timestamp - goals[-1] if goals else None,
        )
    )


def _money(game: Game, row: Entry, names: dict[str, str]) -> None:
    who = names[row.account]
    if row.kind is Kind.DEPOSIT_SEED:
        game.seed += row.amount
    elif row.kind in (Kind.PAYOUT, Kind.REFUND, Kind.RESIDUE):
        # The creator cannot bet: all that a pot pays to the creator is what is left of the market, or the seed.
        if who == game.creator:
            game.residue += row.amount
        else:
            game.paid[who] = game.paid.get(who, 0) + row.amount


def _standing(name: str, games: list[Game]) -> Standing:
    bets = [(game, bet) for game in games for bet in game.bets if bet.who == name]
    scores = [float(brier(bet.implied, game.won(bet))) for game, bet in bets if game.decided]
    created = [game for game in games if game.creator == name]
    ended = sorted(games, key=lambda game: game.decided_at)
    steps = [game.gains.get(name, 0) + (game.creator_gain if game.creator == name else 0) for game in ended]
    return Standing(
        name=name,
        bets=len(bets),
        staked=sum(bet.stake for _, bet in bets),
        paid=sum(game.paid.get(name, 0) for game in games),
        created=len(created),
        creator_gain=sum(game.creator_gain for game in created),
        brier=sum(scores) / len(scores) if scores else None,
        curve=list(accumulate(steps, initial=0)),
    )


def price_brier(games: Iterable[Game]) -> tuple[float, float] | None:
    """The mean Brier scores of first prices and of prices at kick-off, over markets that ended YES or NO."""
    scores = [
        (brier(game.fixture.p0, won), brier(game.price(game.fixture.match.kickoff), won))
        for game in games
        if game.decided
        for won in [game.outcome is Outcome.YES]
    ]
    if not scores:
        return None
    first, at_kickoff = (float(sum(column) / len(scores)) for column in zip(*scores, strict=True))
    return first, at_kickoff


def by_information(record: Record) -> dict[str, Group]:
    """All bets in decided markets in three kinds: before kick-off, in the first minute after a goal, at other times."""
    kinds: dict[str, list[tuple[Game, Bet]]] = {
        "before kick-off": [],
        "in the minute after a goal": [],
        "at other times of the match": [],
    }
    for game, bet in record.bets:
        if not game.decided:
            continue
        if bet.at < game.fixture.match.kickoff:
            kinds["before kick-off"].append((game, bet))
        elif bet.since_goal is not None and bet.since_goal <= FRESH:
            kinds["in the minute after a goal"].append((game, bet))
        else:
            kinds["at other times of the match"].append((game, bet))
    return {kind: group(bets) for kind, bets in kinds.items()}


def group(bets: list[tuple[Game, Bet]]) -> Group:
    """Bets together; all 0 where there are none."""
    staked = sum(bet.stake for _, bet in bets) / EUR or 1.0
    paid = sum(bet.shares / WAD for game, bet in bets if game.won(bet))
    expected = sum(bet.expected_gain for _, bet in bets)
    return Group(len(bets), expected / staked, (paid - sum(bet.stake for _, bet in bets) / EUR) / staked)


def unpriced(games: Iterable[Game], horizon: int = 3 * MINUTE, step: int = 3) -> list[tuple[int, float]]:
    """How far the price is from the ratings' chance on average, so many seconds after a goal.

    Goals after which betting is open until the horizon and no other goal falls.
    """
    goals = [
        (game, goal.at)
        for game in games
        for goal in game.fixture.match.goals
        if goal.at + horizon < game.fixture.closes_at
        and not any(goal.at < other.at <= goal.at + horizon for other in game.fixture.match.goals)
    ]
    return [
        (after, sum(abs(game.fixture.fair(at + after) - game.price(at + after)) for game, at in goals) / len(goals))
        for after in range(0, horizon + 1, step)
        if goals
    ]
