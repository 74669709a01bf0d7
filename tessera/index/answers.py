"""What queries answer. Amounts are integers in the smallest unit; the read API writes them as decimal strings."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer

from tessera.chain.escrow import Kind
from tessera.chain.lmsr_markets import Status
from tessera.model.lmsr import Outcome


def _names_of(kind: type[Enum]) -> PlainSerializer:
    names: Any = Literal[tuple(value.name for value in kind)]
    return PlainSerializer(lambda value: value.name, return_type=names)


# As JSON numbers they would be rounded by whoever reads them as floats.
DecimalText = Annotated[int, PlainSerializer(str, return_type=str)]
Eur = Annotated[DecimalText, Field(description="1e-6 EUR")]
Usd = Annotated[DecimalText, Field(description="1e-6 USD")]
Wad = Annotated[DecimalText, Field(description="1e-18")]
PrizeToken = Annotated[DecimalText, Field(description="the prize token's smallest unit")]
Asset = Annotated[DecimalText, Field(description="the asset's smallest unit")]
Bet = Annotated[DecimalText, Field(description="1e-18 BET")]
Number = Annotated[DecimalText, Field(description="an integer that may be greater than 2**53")]
MarketStatus = Annotated[Status, _names_of(Status)]
MarketOutcome = Annotated[Outcome, _names_of(Outcome)]
EntryKind = Annotated[Kind, _names_of(Kind)]


@dataclass(frozen=True)
class Price:
    """The price of YES from a time on."""

    timestamp: int
    p_yes: Wad


@dataclass(frozen=True)
class MarketState:
    """A friends' market: what was said at its creation, and where it stands. Times in unix seconds."""

    market_id: int
    creator: str
    referee: str | None  # None: the bettors vote
    question: str
    yes: str
    no: str
    rules: str
    source: str
    p0: Wad
    b: Wad
    created_at: int
    event_start_at: int  # 0: not said
    closes_at: int
    expected_result_at: int
    dispute_window: int
    status: MarketStatus
    outcome: MarketOutcome | None  # proposed or final
    p_yes: Wad  # after the last bet
    bets: int
    staked: Eur


@dataclass(frozen=True)
class EventState:
    """An event of staked tickets: what was fixed at its creation, and where it stands."""

    event_id: int
    panel_id: Number
    question_id: str
    description: str
    outcomes: list[str]
    start_block: int
    stop_block: int
    e0: int  # hundredths
    weight: int
    not_before: int
    result_deadline: int
    is_open: bool  # to predictions
    is_settled: bool
    outcome: int | None  # the index of the right one; None: not settled, or INVALID
    tickets: Number  # of the winners, as the log has it: 1e-12 USD-blocks
    prize: PrizeToken  # shared by the winners; 0 where there are none
    unpaid: PrizeToken  # of the prize


@dataclass(frozen=True)
class Prediction:
    """What an account predicts in an event, as the contract's `prediction_of`. A forfeited one counts nowhere."""

    event_id: int
    account: str
    outcome: int
    forfeited: bool


@dataclass(frozen=True)
class LedgerLine:
    """A movement of an Escrow balance; the pot is a market's number."""

    block: int
    log_index: int
    transaction: str
    timestamp: int
    product: str
    pot: Number
    kind: EntryKind
    amount: Eur
    balance_after: Eur


@dataclass(frozen=True)
class Holding:
    """What an account has in a market, as bettor or creator; its bets as they were placed, claimed or not.

    `profit` is `tessera.accounting.profit`: what came back of the pot so far less what went into it.
    """

    market_id: int
    status: MarketStatus
    outcome: MarketOutcome | None
    yes_shares: Wad
    yes_staked: Eur
    yes_odds: Wad | None  # average: what 1 EUR staked pays; None where nothing is staked
    no_shares: Wad
    no_staked: Eur
    no_odds: Wad | None
    put_in: Eur
    got: Eur
    profit: Eur


@dataclass(frozen=True)
class Principal:
    """What an account is owed of an asset, before any loss of the vault."""

    asset: str
    amount: Asset


@dataclass(frozen=True)
class Prize:
    """What an account was paid for an event."""

    event_id: int
    amount: PrizeToken
    timestamp: int


@dataclass(frozen=True)
class Portfolio:
    """All that an account has: balance and markets of the friends, stakes, predictions not paid, prizes, BET mined."""

    account: str
    balance: Eur
    put_in: Eur
    got: Eur
    profit: Eur
    markets: list[Holding]
    stake: Usd
    principal: list[Principal]
    predictions: list[Prediction]
    prizes: list[Prize]
    mined: Bet


@dataclass(frozen=True)
class Standing:
    """An account in the leaderboard: profit and loss in all markets, and how good its bets were as forecasts.

    `brier` is the mean Brier score, 0 to 1, less is better, of the probabilities at which its bets break even, in
    markets that ended YES or NO; None without any. `running` is what its bets and seeds that are not paid back yet are
    worth at present prices: `profit` has them as if lost.
    """

    account: str
    profit: Eur
    running: Eur
    put_in: Eur
    got: Eur
    bets: int
    brier: float | None


@dataclass(frozen=True)
class Week:
    """A closed prize week: where its pool came from and went. Times in unix seconds."""

    period: int
    starts_at: int
    closed_at: int
    revenue: PrizeToken
    pool: PrizeToken
    to_events: PrizeToken
    buyback: PrizeToken
    carried: PrizeToken
    weight: int
