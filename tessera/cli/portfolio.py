"""`tessera portfolio`: what a person has, what came of it, and who forecasts best."""

import csv
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tessera.cli.inputs import ACCOUNT
from tessera.cli.session import Session
from tessera.cli.show import Moment, Odds, Said, card, coins, eur, rows, usd, wad

if TYPE_CHECKING:
    from tessera.index.answers import LedgerLine

# tessera.chain.escrow.Kind in words
WORDS = {
    "DEPOSIT": "deposit",
    "WITHDRAWAL": "withdrawal",
    "DEPOSIT_SEED": "seed",
    "BET_DEBIT": "bet",
    "ACTIVATION": "activation",
    "FUNDING": "funding",
    "PAYOUT": "payout",
    "REFUND": "refund",
    "COMMISSION": "commission",
    "RESIDUE": "what winners left",
}


@click.group()
def portfolio():
    """What you have, or somebody else: everything here is public."""


@portfolio.command()
@ACCOUNT
@click.pass_obj
def show(session: Session, account: str | None):
    """Balance, markets, stakes, predictions and prizes."""
    from tessera.chain.erc20 import Token

    who = session.who(account)
    with session.index.snapshot() as snapshot:
        account_state = snapshot.portfolio(who)
    owed = [(part.asset, coins(Token.of(session.web3, part.asset), part.amount)) for part in account_state.principal]
    prizes = [(prize.event_id, coins(session.prize_token, prize.amount)) for prize in account_state.prizes]
    card(
        session,
        who,
        {
            "account": who,
            "balance": eur(account_state.balance),
            "put_in": eur(account_state.put_in),
            "got": eur(account_state.got),
            "profit": eur(account_state.profit),
            "stake": usd(account_state.stake),
            "principal": Said(
                [{"asset": asset, "amount": amount} for asset, amount in owed], *(str(amount) for _, amount in owed)
            ),
            "predictions": Said(
                [
                    {"event_id": made.event_id, "outcome": made.outcome, "forfeited": made.forfeited}
                    for made in account_state.predictions
                ],
                *(f"event {made.event_id}: outcome {made.outcome}" for made in account_state.predictions),
            ),
            "prizes": Said(
                [{"event_id": event_id, "amount": amount} for event_id, amount in prizes],
                *(f"event {event_id}: {amount}" for event_id, amount in prizes),
            ),
            "mined": wad(account_state.mined, "BET"),
        },
    )


@portfolio.command()
@ACCOUNT
@click.pass_obj
def markets(session: Session, account: str | None):
    """Positions in markets, with average odds and profit."""
    with session.index.snapshot() as snapshot:
        holdings = snapshot.portfolio(session.who(account)).markets
    rows(
        session,
        "Positions",
        (
            {
                "market_id": holding.market_id,
                "status": holding.status,
                "outcome": holding.outcome,
                "yes_staked": eur(holding.yes_staked),
                "yes_odds": None if holding.yes_odds is None else Odds(holding.yes_odds),
                "no_staked": eur(holding.no_staked),
                "no_odds": None if holding.no_odds is None else Odds(holding.no_odds),
                "put_in": eur(holding.put_in),
                "got": eur(holding.got),
                "profit": eur(holding.profit),
            }
            for holding in holdings
        ),
        "no position yet",
    )


@portfolio.command()
@ACCOUNT
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, for a spreadsheet.")
@click.pass_obj
def ledger(session: Session, account: str | None, as_csv: bool):
    """Every movement of a betting balance; what left it is negative."""
    with session.index.snapshot() as snapshot:
        lines = snapshot.ledger(session.who(account))
    if as_csv:
        _write_csv(lines)
        return
    rows(
        session,
        "Ledger, in EUR",
        (
            {
                "timestamp": Moment(line.timestamp),
                "kind": Said(line.kind, WORDS[str(line.kind.name)]),
                "product": Said(line.product, line.product[:8]),
                "pot": Said(str(line.pot), str(line.pot) if line.pot else "-"),
                "amount": eur(_signed(line)),
                "balance_after": eur(line.balance_after),
                "transaction": line.transaction,
            }
            for line in lines
        ),
    )


@portfolio.command()
@click.pass_obj
def leaderboard(session: Session):
    """Everybody in the markets: profit, and how good their bets were as forecasts (Brier score, less is better)."""
    with session.index.snapshot() as snapshot:
        standings = snapshot.leaderboard()
    rows(
        session,
        "Leaderboard",
        (
            {
                "rank": rank,
                "account": standing.account,
                "profit": eur(standing.profit),
                "put_in": eur(standing.put_in),
                "bets": standing.bets,
                "brier": Said(standing.brier, "-" if standing.brier is None else f"{standing.brier:.3f}"),
            }
            for rank, standing in enumerate(standings, 1)
        ),
    )


def _signed(line: "LedgerLine") -> int:
    from tessera.accounting.ledger import COLLECTED
    from tessera.chain.escrow import Kind

    return -line.amount if line.kind in (Kind.WITHDRAWAL, *COLLECTED) else line.amount


def _write_csv(lines: "Iterable[LedgerLine]") -> None:
    """The page's file, to the letter."""

    def exact(units: int) -> str:
        return f"{Decimal(units).scaleb(-6):f}"

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["time", "kind", "product", "pot", "amount_eur", "balance_after_eur", "transaction"])
    for line in lines:
        time = f"{datetime.fromtimestamp(line.timestamp, UTC):%Y-%m-%dT%H:%M:%SZ}"
        amount, after = exact(_signed(line)), exact(line.balance_after)
        out.writerow([time, line.kind.name, line.product, line.pot, amount, after, line.transaction])
