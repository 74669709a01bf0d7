"""Where markets, events and predictions stand, from their rows alone."""

from collections.abc import Iterable

from tessera.accounting.profit import results
from tessera.chain.blocks import Block
from tessera.chain.contract import ZERO_ADDRESS, EventLog
from tessera.chain.escrow import Entry
from tessera.chain.lmsr_markets import (
    STAKE,
    BetPlaced,
    MarketClosed,
    MarketCreated,
    MarketFinalized,
    MarketReopened,
    OutcomeDisputed,
    OutcomeProposed,
    Position,
    RefereeAccepted,
    Status,
    price_history,
)
from tessera.chain.prediction_events import EventCreated, EventSettled
from tessera.index.answers import EventState, Holding, MarketState
from tessera.model.lmsr import Outcome

# What moves a market from one status to another.
STEPS = (RefereeAccepted, MarketClosed, OutcomeProposed, OutcomeDisputed, MarketReopened, MarketFinalized)


def place(row: EventLog) -> tuple[int, int]:
    """Where a row is on the chain: what rows are sorted by."""
    return row.block, row.log_index


def market_state(
    created: MarketCreated, bets: int, last_bet: BetPlaced | None, steps: Iterable[EventLog], head: Block
) -> MarketState:
    """A market as of a block, with so many bets; `steps` are its rows of STEPS."""
    status, outcome = status_of(created, steps := list(steps), head)
    reopened = [row.expected_result_at for row in steps if isinstance(row, MarketReopened)]
    return MarketState(
        market_id=created.market_id,
        creator=created.creator,
        referee=None if created.referee == ZERO_ADDRESS else created.referee,
        **created.terms._asdict(),
        p0=created.p0,
        b=created.b,
        created_at=created.timestamp,
        event_start_at=created.event_start_at,
        closes_at=created.closes_at,
        expected_result_at=[created.expected_result_at, *reopened][-1],
        dispute_window=created.dispute_window,
        status=status,
        outcome=outcome,
        p_yes=price_history([created, *([last_bet] if last_bet else [])], created.market_id)[-1].p_yes,
        bets=bets,
        staked=bets * STAKE,
    )


def status_of(created: MarketCreated, steps: Iterable[EventLog], head: Block) -> tuple[Status, Outcome | None]:
    """Status and outcome (proposed or final) of a market as of a block."""
    betting = Status.OPEN if head.timestamp < created.closes_at else Status.CLOSED
    status, outcome = betting if created.referee == ZERO_ADDRESS else Status.AWAITING, None
    for row in steps:
        match row:
            case RefereeAccepted():
                status = betting
            case MarketClosed():
                status = Status.CLOSED
            case OutcomeProposed():
                status, outcome = Status.PENDING, row.outcome
            case OutcomeDisputed():
                status = Status.DISPUTED
            case MarketReopened():
                status, outcome = Status.CLOSED, None
            case MarketFinalized():
                status, outcome = Status.INVALID if row.outcome == Outcome.INVALID else Status.RESOLVED, row.outcome
    return status, outcome


def holding(
    account: str,
    created: MarketCreated,
    steps: Iterable[EventLog],
    bets: list[BetPlaced],
    entries: list[Entry],
    head: Block,
) -> Holding:
    """What an account has in a market, by its own bets there and its Escrow entries with that pot."""
    status, outcome = status_of(created, steps, head)
    shares: dict[Outcome, int] = dict.fromkeys((Outcome.YES, Outcome.NO), 0)
    staked = dict(shares)
    for bet in bets:
        shares[bet.side] += bet.shares
        staked[bet.side] += bet.stake
    position = Position(shares, staked)
    result = results(entries, entries[0].product)[account]
    return Holding(
        market_id=created.market_id,
        status=status,
        outcome=outcome,
        yes_shares=shares[Outcome.YES],
        yes_staked=staked[Outcome.YES],
        yes_odds=position.average_odds(Outcome.YES),
        no_shares=shares[Outcome.NO],
        no_staked=staked[Outcome.NO],
        no_odds=position.average_odds(Outcome.NO),
        put_in=result.put_in,
        got=result.got,
        profit=result.profit,
    )


def event_state(created: EventCreated, settled: EventSettled | None, paid: int, head: Block) -> EventState:
    """An event as of a block; `paid` is what of its prize has left, residue included."""
    won = settled if settled is not None and settled.tickets != 0 else None
    return EventState(
        event_id=created.event_id,
        panel_id=created.panel_id,
        question_id="0x" + created.question_id.hex(),
        description=created.description,
        outcomes=created.outcomes,
        start_block=created.start_block,
        stop_block=created.stop_block,
        e0=created.e0,
        weight=created.weight,
        not_before=created.not_before,
        result_deadline=created.result_deadline,
        is_open=head.number < created.stop_block and head.timestamp < created.not_before,
        is_settled=settled is not None,
        outcome=settled.outcome if settled is not None and settled.outcome < len(created.outcomes) else None,
        tickets=won.tickets if won else 0,
        prize=won.prize if won else 0,
        unpaid=won.prize - paid if won else 0,
    )
