"""The friends' club as tests use it: names for numbers, and the steps that a market takes.

Times are unix seconds, money is in units of 1e-6 EUR, shares and prices are WAD.
"""

import boa

from tessera.chain.escrow import Kind
from tessera.chain.lmsr_markets import Status
from tessera.model.lmsr import WAD, Outcome
from tests.custody import EUR, NOBODY, entry

SEED = 10 * EUR
UNIT = 10**12  # shares worth one unit of money
HOUR = 3600
DAY = 24 * HOUR
BET_INTERVAL = 5
SILENCE = 7 * DAY
VOTING = 24 * HOUR
LONGEST_VOTING = 48 * HOUR
ANSWER = 3 * HOUR  # left after a vote that changes what would be concluded
RULING = 48 * HOUR

YES, NO, INVALID = Outcome
NOT_ONE_OUTCOME = [0, 3, 5, 6, 7]  # what the ABI decoder lets pass besides
# What the three bettors' bets pay if they win: the first three golden values at even odds, cut to a unit.
WINS = 1_935_155, 2_064_554, 1_943_311
TERMS = (
    "Does Spain beat England?",
    "Spain leads after 90 minutes",
    "It does not",
    "Stoppage time counts, extra time does not.",
    "uefa.com",
)


def at(time: int):
    """Set the time of the next transactions."""
    boa.env.timestamp = time


def now() -> int:
    """The time of the next transaction."""
    return boa.env.timestamp


class Club:
    """Members, their markets and the Escrow behind them. Of a market made here: `closes_at`, `due_at`, `window`."""

    window = 12 * HOUR

    def __init__(self, markets, escrow, members: list):
        self.markets, self.escrow = markets, escrow
        self.creator, self.yes_bettor, self.no_bettor, self.third_bettor, self.referee, self.outsider = members[:6]
        self.closes_at = now() + 10 * DAY
        self.due_at = now() + 11 * DAY

    def create(self, sender=None, *, accepted=True, **changes) -> int:
        """Create a market at even odds without a referee, or with the arguments that are named; a referee accepts."""
        arguments = {
            "terms": TERMS,
            "p0": WAD // 2,
            "expected_result_at": self.due_at,
            "closes_at": self.closes_at,
            "event_start_at": 0,
            "referee": NOBODY,
            "dispute_window": self.window,
        }
        assert changes.keys() <= arguments.keys()
        arguments |= changes
        market_id = self.markets.create_market(*arguments.values(), sender=sender or self.creator)
        if accepted and arguments["referee"] != NOBODY:
            self.markets.accept_referee(market_id, sender=arguments["referee"])
        return market_id

    def bet(self, market_id: int, account, outcome: Outcome) -> int:
        """Bet as soon as the market takes the next bet. Returns the shares."""
        at(max(now(), self.markets.market(market_id).last_bet_at + BET_INTERVAL))
        return self.markets.bet(market_id, outcome, 1, sender=account)

    def three_bets(self, market_id: int) -> int:
        """YES, NO, YES by the three bettors: the first three of the golden values. Returns the market's number."""
        self.bet(market_id, self.yes_bettor, YES)
        self.bet(market_id, self.no_bettor, NO)
        self.bet(market_id, self.third_bettor, YES)
        return market_id

    def propose(self, market_id: int, outcome: Outcome, time: int | None = None, sender=None) -> int:
        """Propose an outcome, by the creator at the expected result time unless said. Returns the market's number."""
        at(self.due_at if time is None else time)
        self.markets.propose(market_id, outcome, sender=sender or self.creator)
        return market_id

    def complain(self, market_id: int, outcome: Outcome = NO, sender=None) -> int:
        """Dispute the proposal now: it was NO, says the NO bettor, unless said. Returns the market's number."""
        self.markets.complain(market_id, outcome, "It was a draw", sender=sender or self.no_bettor)
        return market_id

    def vote(self, market_id: int, votes: dict) -> int:
        """Vote, in order, the outcome that each account is given. Returns the market's number."""
        for account, outcome in votes.items():
            self.markets.vote(market_id, outcome, sender=account)
        return market_id

    def settle(self, market_id: int, outcome: Outcome) -> int:
        """Propose and finalize without a dispute. Returns the market's number."""
        self.propose(market_id, outcome)
        at(self.due_at + self.window)
        self.markets.finalize(market_id)
        return market_id

    def pot(self, market_id: int) -> int:
        """What Escrow holds for a market."""
        return self.escrow.pot_balance(self.markets, market_id.to_bytes(32))

    def status(self, market_id: int) -> Status:
        """What a market's status is now."""
        return Status(self.markets.market(market_id).status)

    def entry(self, market_id: int, account, kind: Kind, amount: int, balance_after: int) -> tuple:
        """The event by which Escrow logs a movement between an account and a market's pot."""
        return entry(self.escrow, account, kind, amount, balance_after, self.markets, market_id.to_bytes(32))
