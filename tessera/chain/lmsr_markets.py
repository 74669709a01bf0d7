"""LmsrMarkets: friends' markets, quotes, positions, and what a person gained."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

from tessera.chain.blocks import BlockName
from tessera.chain.contract import EUR, WAD, WAD_PER_UNIT, ZERO_ADDRESS, Contract, EventLog, Receipt
from tessera.chain.wallet import Wallet
from tessera.model.lmsr import Outcome

STAKE = EUR  # every bet
SEED = 10 * EUR
BET_INTERVAL = 5  # seconds between two bets on a market, at least


class Status(IntFlag):
    """Where a market is in its life, with its number in the contract."""

    AWAITING = 1
    OPEN = 2
    CLOSED = 4
    PENDING = 8
    DISPUTED = 16
    RESOLVED = 32
    INVALID = 64


class Terms(NamedTuple):
    """What is bet on. None empty; at most 256 bytes of UTF-8 each, the rules 1024."""

    question: str
    yes: str
    no: str
    rules: str
    source: str


@dataclass(frozen=True, kw_only=True)
class MarketCreated(EventLog):
    market_id: int
    creator: str
    referee: str
    terms: Terms
    p0: int
    b: int
    expected_result_at: int
    closes_at: int
    event_start_at: int
    dispute_window: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class BetPlaced(EventLog):
    market_id: int
    account: str
    side: Outcome
    shares: int
    stake: int
    price_after: int
    effective_odds: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class RefereeAccepted(EventLog):
    market_id: int
    referee: str
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class MarketClosed(EventLog):
    market_id: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class OutcomeProposed(EventLog):
    market_id: int
    proposer: str
    outcome: Outcome
    ends_at: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class OutcomeDisputed(EventLog):
    market_id: int
    account: str
    outcome: Outcome
    reason: str
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class VoteCast(EventLog):
    market_id: int
    account: str
    outcome: Outcome
    stake: int
    conclusion: Outcome  # Outcome(0): an early proposal would be refused
    ends_at: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class OutcomeRuled(EventLog):
    market_id: int
    referee: str
    outcome: Outcome
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class MarketReopened(EventLog):
    market_id: int
    expected_result_at: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class MarketFinalized(EventLog):
    market_id: int
    outcome: Outcome
    creator_amount: int
    timestamp: int


@dataclass(frozen=True, kw_only=True)
class ClaimSkipped(EventLog):
    market_id: int
    account: str
    reason: str


@dataclass(frozen=True)
class Market:
    """All that is stored of a market; money in units, b in WAD, times in unix seconds, 0: not yet."""

    creator: str
    referee: str
    status: Status
    outcome: Outcome | None  # proposed or final
    b: int
    closes_at: int
    expected_result_at: int
    dispute_window: int
    early_refused: bool
    terms_hash: bytes
    bets: int
    last_bet_at: int
    owed_if_yes: int
    owed_if_no: int
    proposer: str
    proposed_at: int
    window_ends_at: int
    replaced: bool
    disputed_at: int


@dataclass(frozen=True)
class Tally:
    """The votes of a dispute: people, and their stakes in money units, for each outcome. Times in unix seconds."""

    heads: dict[Outcome, int]
    stakes: dict[Outcome, int]
    staked: int  # everything in the market
    early: bool
    conclusion: Outcome | None  # what `finalize` would settle if nothing else happened; None: refuse, or nothing
    ends_at: int  # 0: there is nothing to finalize
    doubt_only_from: int


@dataclass(frozen=True)
class Quote:
    """What bets of 1 EUR in a row on one side, placed now, would get. Shares and prices in WAD, money in units."""

    outcome: Outcome
    stake: int
    shares: int
    price: int  # of the side, before
    price_after: int

    @property
    def odds(self) -> int:
        """Effective odds, WAD: what 1 EUR staked pays if the side wins. Rounded down."""
        return self.shares * EUR // self.stake

    @property
    def max_payoff(self) -> int:
        """Money paid if the side wins. Rounded down, as `claim` does where nothing else is held on that side."""
        return self.shares // WAD_PER_UNIT

    @property
    def price_impact(self) -> int:
        """How far the bet itself moves the price, WAD."""
        return self.price_after - self.price

    @property
    def expected_loss(self) -> int:
        """Money lost on average if the price before the bet is the true probability. Rounded up."""
        return -((self.shares * self.price // WAD - self.stake * WAD_PER_UNIT) // WAD_PER_UNIT)


@dataclass(frozen=True)
class Position:
    """What an account holds in a market that it has not claimed from. Shares in WAD, money in units."""

    shares: dict[Outcome, int]
    staked: dict[Outcome, int]

    def average_odds(self, side: Outcome) -> int | None:
        """What 1 EUR staked on a side pays on average, WAD, rounded down; None where nothing is staked."""
        return self.shares[side] * EUR // self.staked[side] if self.staked[side] else None

    def payoff(self, outcome: Outcome) -> int:
        """Money that `claim` would pay if the market ended so: rounded down, or every stake back if INVALID."""
        if outcome == Outcome.INVALID:
            return sum(self.staked.values())
        return self.shares[outcome] // WAD_PER_UNIT

    def profit(self, outcome: Outcome) -> int:
        """Gain (less than 0: loss) if the market ended so: payoff less all stakes."""
        return self.payoff(outcome) - sum(self.staked.values())


class PricePoint(NamedTuple):
    """The price of YES, WAD, from a time on."""

    timestamp: int
    p_yes: int


class LmsrMarkets(Contract):
    """Binary markets: 1 EUR a bet, prices by a logarithmic market scoring rule."""

    NAME = "LmsrMarkets"
    EVENTS = (
        MarketCreated,
        BetPlaced,
        RefereeAccepted,
        MarketClosed,
        OutcomeProposed,
        OutcomeDisputed,
        VoteCast,
        OutcomeRuled,
        MarketReopened,
        MarketFinalized,
        ClaimSkipped,
    )

    def market_count(self) -> int:
        """How many markets there are; they are numbered from 1."""
        return self.read("market_count")

    def market(self, market_id: int, *, block: BlockName = "latest") -> Market:
        """All that is stored of a market, with its status as of the block."""
        creator, referee, status, outcome, *rest = self.read("market", market_id, block=block)
        return Market(creator, referee, Status(status), _outcome(outcome), *rest)

    def tally(self, market_id: int) -> Tally:
        """The votes of the present or last dispute, and what would be settled if nothing else happened."""
        heads, stakes, staked, early, conclusion, *times = self.read("tally", market_id)
        by_outcome = dict(zip(Outcome, heads, strict=True)), dict(zip(Outcome, stakes, strict=True))
        return Tally(*by_outcome, staked, early, _outcome(conclusion), *times)

    def vote_of(self, market_id: int, account: str) -> Outcome | None:
        """What an account votes for in the present or last dispute; None: no vote."""
        return _outcome(self.read("vote_of", market_id, account))

    def prices(self, market_id: int) -> dict[Outcome, int]:
        """The market's probability of YES and of NO, WAD, 1e18 together."""
        yes, no = self.read("prices", market_id)
        return {Outcome.YES: yes, Outcome.NO: no}

    def quote(self, market_id: int, outcome: Outcome, *, bets: int = 1) -> Quote:
        """What 1 to 100 bets in a row on one side would get now. Raises Reverted where the market is not open."""
        shares, after = self.read("depth", market_id, outcome, bets)
        return Quote(outcome, bets * STAKE, shares, self.prices(market_id)[outcome], after)

    def exposure(self, market_id: int) -> dict[Outcome, int]:
        """What the creator gains (less than 0: loses) in each outcome as bets stand, money."""
        yes, no = self.read("exposure", market_id)
        return {Outcome.YES: yes, Outcome.NO: no, Outcome.INVALID: 0}

    def max_loss(self, market_id: int) -> int:
        """The most that the creator can lose, money."""
        return self.read("max_loss", market_id)

    def position(self, market_id: int, account: str) -> Position:
        """What an account holds in a market; claiming empties what was paid."""
        yes_shares, yes_staked, no_shares, no_staked = self.read("position", market_id, account)
        return Position(
            {Outcome.YES: yes_shares, Outcome.NO: no_shares}, {Outcome.YES: yes_staked, Outcome.NO: no_staked}
        )

    def create_market(
        self,
        sender: Wallet,
        terms: Terms,
        *,
        p0: int,
        expected_result_at: int,
        dispute_window: int,
        closes_at: int = 0,
        event_start_at: int = 0,
        referee: str = ZERO_ADDRESS,
    ) -> Receipt:
        """Opens a market with 10 EUR of the sender as seed; its number is in `done.event(MarketCreated)`."""
        return self.write(
            sender,
            "create_market",
            tuple(terms),
            p0,
            expected_result_at,
            closes_at,
            event_start_at,
            referee,
            dispute_window,
        )

    def accept_referee(self, sender: Wallet, market_id: int) -> Receipt:
        """Opens a market that named the sender as referee."""
        return self.write(sender, "accept_referee", market_id)

    def cancel(self, sender: Wallet, market_id: int) -> Receipt:
        """Ends a market whose referee has not accepted; the seed comes back. Creator only."""
        return self.write(sender, "cancel", market_id)

    def bet(self, sender: Wallet, market_id: int, outcome: Outcome, *, min_shares: int) -> Receipt:
        """Bets 1 EUR; what was bought is in `done.event(BetPlaced)`. `min_shares` (WAD) is never 0."""
        return self.write(sender, "bet", market_id, outcome, min_shares)

    def close(self, sender: Wallet, market_id: int) -> Receipt:
        """Ends betting early. Creator only."""
        return self.write(sender, "close", market_id)

    def propose(self, sender: Wallet, market_id: int, outcome: Outcome) -> Receipt:
        """Says what happened and starts the dispute window, or replaces the sender's own proposal, once."""
        return self.write(sender, "propose", market_id, outcome)

    def complain(self, sender: Wallet, market_id: int, outcome: Outcome, reason: str) -> Receipt:
        """Disputes a proposal: `outcome` happened instead, which is the sender's vote where there is no referee."""
        return self.write(sender, "complain", market_id, outcome, reason)

    def vote(self, sender: Wallet, market_id: int, outcome: Outcome) -> Receipt:
        """Votes on a dispute, or changes the sender's vote."""
        return self.write(sender, "vote", market_id, outcome)

    def rule(self, sender: Wallet, market_id: int, outcome: Outcome) -> Receipt:
        """Ends a dispute by the referee's word."""
        return self.write(sender, "rule", market_id, outcome)

    def finalize(self, sender: Wallet, market_id: int) -> Receipt:
        """Settles a market whose time to dispute, vote or rule has passed. Anyone."""
        return self.write(sender, "finalize", market_id)

    def expire(self, sender: Wallet, market_id: int) -> Receipt:
        """Settles as INVALID a market whose referee has not accepted, or that nobody proposed on, in time. Anyone."""
        return self.write(sender, "expire", market_id)

    def claim(self, sender: Wallet, market_id: int) -> Receipt:
        """Pays the sender's winnings, or stakes after INVALID, into the Escrow balance."""
        return self.write(sender, "claim", market_id)

    def claim_many(self, sender: Wallet, market_id: int, accounts: Sequence[str]) -> Receipt:
        """Pays many people what they would claim, at most 256. Anyone; skipped ones are rows ClaimSkipped."""
        return self.write(sender, "claim_many", market_id, list(accounts))


def _outcome(number: int) -> Outcome | None:
    return Outcome(number) if number else None


def price_history(rows: Iterable[EventLog], market_id: int) -> list[PricePoint]:
    """How the price of YES moved: its start and then one point a bet, in the rows' order."""
    history = []
    for row in rows:
        if isinstance(row, MarketCreated) and row.market_id == market_id:
            history.append(PricePoint(row.timestamp, row.p0))
        elif isinstance(row, BetPlaced) and row.market_id == market_id:
            p_yes = row.price_after if row.side == Outcome.YES else WAD - row.price_after
            history.append(PricePoint(row.timestamp, p_yes))
    return history
