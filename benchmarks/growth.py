"""How gas grows with what there is more of: live events, missed weeks, predictors, open predictions, checkpoints.

Everything is brought about by transactions of accounts, nothing is written to storage; people and events beyond a
handful come many to a transaction, out of `tests/mocks/Crowd.vy`. What is measured is a receipt of its own block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chains import Chain
from benchmarks.tickets import OUTCOMES, USD, System

Points = dict[int, int]  # gas by how many there are, the fewest first

DAY, WEEK = 24, 7 * 24  # hours
GAS_OF_PERSON, GAS_OF_EVENT = 400_000, 300_000  # at most, in a transaction of the crowd
STAKER = 1


class Grown(System):
    """The staking contracts in their second week, with one staker, and a crowd that may create events."""

    def __init__(self, chain: Chain):
        super().__init__(chain, blocks_per_hour=1)
        self.crowd = chain.deploy("tests/mocks/Crowd")
        chain.send(self.events, "set_manager", self.crowd.address, True)
        self.fund(STAKER, 1_000_000)
        self.stake(STAKER, 1_000)
        # Words that only the first close ever and the first settling ever write from zero are written; and with
        # an odd weight among the events no division by weight is exact, or the remainder would be 0 now and then.
        self.create(51 * WEEK, weight=7)
        first = self.create(DAY)
        chain.send(self.events, "predict", first, 1, by=STAKER)
        self.finish([first])

    def create_many(self, count: int, hours: int) -> None:
        """So many events of two outcomes, out of the crowd."""
        where = (self.events.address, OUTCOMES[:2], hours, self.panel, self.deadline(hours))
        for part in _parts(count, self.chain.limit // GAS_OF_EVENT):
            self.chain.send(self.crowd, "create_events", part, *where)

    def gather(self, event: int, people: int) -> None:
        """So many new people predict an event, a third of them each outcome."""
        where = (self.pool.address, self.events.address, self.usdc.address, 10 * USD, event, len(OUTCOMES))
        for part in _parts(people, self.chain.limit // GAS_OF_PERSON):
            self.chain.send(self.crowd, "gather", part, *where)

    def finish(self, events: Sequence[int]) -> list[int]:
        """Gas of settling each of these events, all created in the running week, for outcome 1."""
        self.next_week(2)
        self.close("")
        for event in events:
            self.report(event, 1)
        return [self.settle(event) for event in events]


def close_by_live_events(chain: Chain, counts: Sequence[int]) -> Points:
    """Gas of closing one week."""
    system = Grown(chain)
    points, live = {}, 1
    for count in counts:
        system.create_many(count - live, 2 * len(counts) * WEEK)
        live = count
        system.next_week()
        points[count] = system.close("")
        assert system.prizes.functions.running_weight().call() == 7 + 100 * (count - 1)
    return points


def close_by_missed_weeks(chain: Chain, counts: Sequence[int]) -> Points:
    """Gas of closing a week and so many that were missed, in each of which an event ends. Fails if a unit is lost."""
    system = Grown(chain)
    points = {}
    for count in counts:
        # No event is longer than 52 weeks and two days.
        for week in range(min(count, 52) + 1):
            system.create(week * WEEK + DAY)
        known, carried = system.chain.web3.eth.block_number + 1, system.prizes.functions.carried().call()
        system.next_week(1 + count)
        points[count] = system.close("")
        closed = system.prizes.events.PeriodClosed().get_logs(from_block=known)
        assert len(closed) == 1 + count
        revenue = sum(log["args"]["amount"] for log in system.prizes.events.RevenueAdded().get_logs(from_block=known))
        assert revenue == sum(log["args"]["revenue"] for log in closed) != 0
        shared = sum(log["args"]["to_events"] + log["args"]["buyback"] for log in closed)
        assert carried + revenue == shared + system.prizes.functions.carried().call()
        assert system.prizes.functions.waiting_revenue().call() == 0
    return points


def settle_by_predictors(chain: Chain, counts: Sequence[int]) -> Points:
    """Gas of settling an event."""
    system = Grown(chain)
    events = [system.create(DAY) for _ in counts]
    for event, people in zip(events, counts, strict=True):
        system.gather(event, people)
    return dict(zip(counts, system.finish(events), strict=True))


def stake_by_open_predictions(chain: Chain, counts: Sequence[int]) -> Points:
    """Gas of the dearer of a stake and a withdrawal of who has so many predictions open."""
    system = Grown(chain)
    events = [system.create(4 * WEEK) for _ in range(max(counts))]
    _stake_change(system)  # the first of an account opens words
    points, predicted = {}, 0
    for count in counts:
        for event in events[predicted:count]:
            chain.send(system.events, "predict", event, 0, by=STAKER)
        predicted = count
        points[count] = _stake_change(system)
    return points


def stake_by_ended_predictions(chain: Chain, counts: Sequence[int]) -> Points:
    """Gas of a stake that finds so many of the staker's predictions ended."""
    system = Grown(chain)
    _stake_change(system)
    points = {}
    for count in counts:
        events = [system.create(WEEK) for _ in range(count)]
        for event in events:
            chain.send(system.events, "predict", event, 0, by=STAKER)
        chain.mine(WEEK)
        points[count] = system.stake(STAKER, 10)
    return points


def history_by_checkpoints(chain: Chain, counts: Sequence[int]) -> Points:
    """Gas of the execution of `stake_blocks`, the dearest found between eight blocks spread over the history."""
    system = Grown(chain)
    points, first, made = {}, chain.web3.eth.block_number, 1
    for count in counts:
        while made < count:
            system.stake(STAKER, 1)
            made += 1
        chain.mine(7)
        last = chain.web3.eth.block_number
        blocks = [first + (last - first) * eighth // 7 for eighth in range(8)]
        asked = [(chain.accounts[STAKER], start, end) for start in blocks for end in blocks if start < end]
        points[count] = max(_execution(system, arguments) for arguments in asked)
    return points


@dataclass(frozen=True)
class Series:
    """What is measured of how many `things`, and the most it may cost where there are `n` of them."""

    title: str
    things: str
    measure: Callable[[Chain, Sequence[int]], Points]
    counts: tuple[int, ...]
    goal: str
    most: Callable[[Points, int], float]


def the_same(points: Points, n: int) -> float:
    """What the fewest cost, and 2 %."""
    return 1.02 * _first(points)


def more_each(gas: int) -> Callable[[Points, int], float]:
    """What the fewest cost, and so much gas for each."""
    return lambda points, n: _first(points) + gas * n


SERIES = {
    "close_by_live_events": Series(
        "Close a week",
        "live events",
        close_by_live_events,
        (1, 100, 10_000),
        "the same within 2 %",
        the_same,
    ),
    "settle_by_predictors": Series(
        "Settle an event",
        "predictors",
        settle_by_predictors,
        (10, 100, 10_000),
        "the same within 2 %",
        the_same,
    ),
    "stake_by_open_predictions": Series(
        "Stake or withdraw, the dearer",
        "open predictions",
        stake_by_open_predictions,
        (0, 1, 2, 4, 8, 16, 32, 64),
        "at most 16,000 more for each",
        more_each(16_000),
    ),
    "close_by_missed_weeks": Series(
        "Close a week and those missed before",
        "missed weeks",
        close_by_missed_weeks,
        (0, 1, 2, 25, 53),
        "at most 25,000 more for each",
        more_each(25_000),
    ),
    "stake_by_ended_predictions": Series(
        "Stake, first after predictions ended",
        "ended predictions",
        stake_by_ended_predictions,
        (0, 1, 16, 64),
        "at most 16,000 more for each",
        more_each(16_000),
    ),
    "history_by_checkpoints": Series(
        "Look up a stake's history (execution)",
        "checkpoints",
        history_by_checkpoints,
        (1, 10, 100, 500),
        "at most 45,000",
        lambda points, n: 45_000,
    ),
}


def _first(points: Points) -> int:
    return next(iter(points.values()))


def _stake_change(system: Grown) -> int:
    staked = system.stake(STAKER, 10)
    taken = system.chain.send(system.pool, "withdraw", system.usdc.address, 5 * USD, 0, by=STAKER)
    return max(staked, taken)


def _execution(system: Grown, arguments: tuple) -> int:
    """What a view costs beyond being a transaction: 21,000, and 4 or 16 for a byte of its data."""
    data = bytes.fromhex(system.pool.encode_abi("stake_blocks", arguments)[2:])
    intrinsic = 21_000 + sum(16 if byte else 4 for byte in data)
    return system.chain.send(system.pool, "stake_blocks", *arguments) - intrinsic


def _parts(count: int, most: int) -> Iterator[int]:
    while count > 0:
        yield min(count, most)
        count -= most
