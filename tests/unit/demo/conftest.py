"""A recorded season of one market, small enough to check by hand, as the rows that a chain would log."""

from dataclasses import dataclass

import pytest

from tessera.chain import EUR, WAD, ZERO_ADDRESS, EventLog, Outcome, Terms
from tessera.chain.escrow import Entry, Kind, pot_id
from tessera.chain.lmsr_markets import (
    BetPlaced,
    MarketCreated,
    MarketFinalized,
    OutcomeDisputed,
    OutcomeProposed,
    VoteCast,
)
from tessera.demo.plan import Fixture, plan
from tessera.observe.matches import HOUR

MARKETS = "0x" + "aa" * 20
ESCROW = "0x" + "ee" * 20
CREATOR, EARLY, FAST = (f"0x{number:040x}" for number in (1, 2, 3))
NAMES = {CREATOR: "Ada", EARLY: "Bruno", FAST: "Chiara"}


@dataclass(frozen=True)
class Recorded:
    rows: list[EventLog]
    fixtures: list[Fixture]


def _row(event, contract=MARKETS, /, **fields):
    return event(contract=contract, block=1, log_index=0, transaction="0x00", **fields)


def _entry(account, kind, amount):
    return _row(
        Entry,
        ESCROW,
        account=account,
        product=MARKETS,
        pot=pot_id(1),
        kind=kind,
        amount=amount,
        balance_after=0,
        timestamp=0,
    )


@pytest.fixture(scope="session")
def record_of():
    """Returns the rows of the final, Spain 2–1 England, that ended with the outcome given.

    Bruno bets on NO an hour before kick-off (1.6 shares) and Chiara on YES ten seconds after 1–0 (1.25 shares).
    """

    def record_of(outcome):
        (fixture,) = plan(1, 1_800_000_000)
        match = fixture.match
        payout = {Outcome.YES: (0, 1_250_000), Outcome.NO: (1_600_000, 0), Outcome.INVALID: (EUR, EUR)}[outcome]
        kind = Kind.REFUND if outcome is Outcome.INVALID else Kind.PAYOUT
        bets = [
            (EARLY, Outcome.NO, match.kickoff - HOUR, 16 * WAD // 10, 60 * WAD // 100),
            (FAST, Outcome.YES, match.goals[0].at + 10, 125 * WAD // 100, 45 * WAD // 100),
        ]
        rows = [
            _row(
                MarketCreated,
                market_id=1,
                creator=CREATOR,
                referee=ZERO_ADDRESS,
                terms=Terms(**fixture.terms()),
                p0=WAD * 46 // 100,
                b=12 * WAD,
                expected_result_at=fixture.expected_result_at,
                closes_at=fixture.closes_at,
                event_start_at=match.kickoff,
                dispute_window=HOUR,
                timestamp=fixture.opens_at,
            ),
            _entry(CREATOR, Kind.DEPOSIT_SEED, 10 * EUR),
        ]
        for account, side, at, shares, after in bets:
            rows += [
                _row(
                    BetPlaced,
                    market_id=1,
                    account=account,
                    side=side,
                    shares=shares,
                    stake=EUR,
                    price_after=after,
                    effective_odds=shares,
                    timestamp=at,
                ),
                _entry(account, Kind.BET_DEBIT, EUR),
            ]
        end = fixture.expected_result_at
        rows += [
            _row(OutcomeProposed, market_id=1, proposer=CREATOR, outcome=Outcome.NO, ends_at=end, timestamp=end),
            _row(OutcomeDisputed, market_id=1, account=FAST, outcome=outcome, reason="2–1 <b>&", timestamp=end + 1),
            _row(
                VoteCast,
                market_id=1,
                account=FAST,
                outcome=outcome,
                stake=EUR,
                conclusion=outcome,
                ends_at=end + 24 * HOUR,
                timestamp=end + 1,
            ),
            _row(
                MarketFinalized,
                market_id=1,
                outcome=outcome,
                creator_amount=12 * EUR - sum(payout),
                timestamp=end + 24 * HOUR,
            ),
            _entry(CREATOR, Kind.REFUND if outcome is Outcome.INVALID else Kind.RESIDUE, 12 * EUR - sum(payout)),
        ]
        rows += [_entry(account, kind, amount) for account, amount in zip((EARLY, FAST), payout, strict=True) if amount]
        return Recorded(rows, [fixture])

    return record_of
