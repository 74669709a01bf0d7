"""`tessera portfolio`: what a person has, what came of it, and who forecasts best."""

import csv
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import click

from tessera.accounting.ledger import COLLECTED
from tessera.chain import WAD
from tessera.chain.erc20 import Token
from tessera.chain.escrow import Kind
from tessera.cli.session import Commands, Session
from tessera.cli.show import Moment, card, coins, eur, rows, usd, wad
from tessera.index.answers import Holding, LedgerLine, Portfolio
from tessera.model.lmsr import odds_text

WORDS = {
    Kind.DEPOSIT: "deposit",
    Kind.WITHDRAWAL: "withdrawal",
    Kind.DEPOSIT_SEED: "seed",
    Kind.BET_DEBIT: "bet",
    Kind.ACTIVATION: "activation",
    Kind.FUNDING: "funding",
    Kind.PAYOUT: "payout",
    Kind.REFUND: "refund",
    Kind.COMMISSION: "commission",
    Kind.RESIDUE: "what winners left",
}
ACCOUNT = click.argument("account", required=False, metavar="[ADDRESS]")


@click.group(cls=Commands)
def portfolio():
    """What you have, or somebody else: everything here is public."""


@portfolio.command()
@ACCOUNT
@click.pass_obj
def show(session: Session, account: str | None):
    """Balance, markets, stakes, predictions and prizes."""
    who = session.who(account)
    with session.index.snapshot() as snapshot:
        found: Portfolio = snapshot.portfolio(who)
    owed = [coins(Token.of(session.web3, one.asset), one.amount) for one in found.principal]
    card(
        session,
        who,
        {
            "balance": eur(found.balance),
            "put into markets": eur(found.put_in),
            "came back": eur(found.got),
            "profit": eur(found.profit),
            "stake": usd(found.stake),
            **{f"owed {amount.unit}": amount for amount in owed},
            "predictions": _list(f"event {one.event_id}: outcome {one.outcome}" for one in found.predictions),
            "prizes": _list(f"event {one.event_id}: {coins(session.prize_token, one.amount)}" for one in found.prizes),
            "mined": wad(found.mined, "BET"),
        },
    )


@portfolio.command()
@ACCOUNT
@click.pass_obj
def markets(session: Session, account: str | None):
    """Positions in markets, with average odds and profit."""
    with session.index.snapshot() as snapshot:
        found: list[Holding] = snapshot.portfolio(session.who(account)).markets
    rows(
        session,
        "Positions",
        (
            {
                "market": one.market_id,
                "state": one.status,
                "outcome": one.outcome,
                "YES_staked": eur(one.yes_staked),
                "YES_odds": one.yes_odds and odds_text(one.yes_odds / WAD),
                "NO_staked": eur(one.no_staked),
                "NO_odds": one.no_odds and odds_text(one.no_odds / WAD),
                "put_in": eur(one.put_in),
                "came_back": eur(one.got),
                "profit": eur(one.profit),
            }
            for one in found
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
    found = [
        {
            "time": Moment(line.timestamp),
            "kind": line.kind if session.as_json else WORDS[line.kind],
            "market": line.pot or None,
            "amount": eur(_signed(line)),
            "balance_after": eur(line.balance_after),
            "transaction": line.transaction,
        }
        for line in lines
    ]
    rows(session, "Ledger, in EUR", found)


@portfolio.command()
@click.pass_obj
def leaderboard(session: Session):
    """Everybody in the markets: profit, and how good their bets were as forecasts (Brier score, less is better)."""
    with session.index.snapshot() as snapshot:
        found = [
            {
                "rank": rank,
                "account": one.account,
                "profit": eur(one.profit),
                "put_in": eur(one.put_in),
                "bets": one.bets,
                "Brier": None if one.brier is None else f"{one.brier:.3f}",
            }
            for rank, one in enumerate(snapshot.leaderboard(), 1)
        ]
    rows(session, "Leaderboard", found)


def _signed(line: LedgerLine) -> int:
    return -line.amount if line.kind in (Kind.WITHDRAWAL, *COLLECTED) else line.amount


def _write_csv(lines: Iterable[LedgerLine]) -> None:
    """The page's file, to the letter."""

    def exact(units: int) -> str:
        return f"{Decimal(units).scaleb(-6):f}"

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["time", "kind", "product", "pot", "amount_eur", "balance_after_eur", "transaction"])
    for line in lines:
        time = f"{datetime.fromtimestamp(line.timestamp, UTC):%Y-%m-%dT%H:%M:%SZ}"
        amount, after = exact(_signed(line)), exact(line.balance_after)
        out.writerow([time, line.kind.name, line.product, line.pot, amount, after, line.transaction])


def _list(found: Iterable[str]) -> str | None:
    return ", ".join(found) or None
