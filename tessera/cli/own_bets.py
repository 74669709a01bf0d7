"""`tessera bets`, once they are placed: what is mine, and being paid without any host."""

from typing import TYPE_CHECKING

import click

from tessera.cli.bets import bets, listed, short
from tessera.cli.failures import Refused
from tessera.cli.inputs import BET
from tessera.cli.session import Session
from tessera.cli.show import Said, card, eur, rows, sent

if TYPE_CHECKING:
    from tessera.chain import Receipt
    from tessera.host.view import ListedBet, Stake
    from tessera.index.snapshot import Snapshot


@bets.command()
@click.pass_obj
def mine(session: Session):
    """Your stakes in hosted bets, the newest first, and what you can do: settle, claim, cancel."""
    from tessera.chain.hosted_bets import BetPlaced
    from tessera.chain.odds_bets import TicketQueued
    from tessera.host.view import listed_bets, stakes_of

    account = session.wallet.address
    with session.index.snapshot() as snapshot:
        ids = {row.bet_id for row in snapshot.rows(BetPlaced, TicketQueued, account=account)}
        known = listed_bets(snapshot, bet_id=list(ids))
        stakes = stakes_of(session.tessera, snapshot, known, account=account).get(account, ())
        next_of = {bet_id: _next(session, snapshot, bet) for bet_id, bet in known.items()}
    rows(
        session, "Your bets", [_stake(known[stake.bet_id], stake, next_of[stake.bet_id]) for stake in reversed(stakes)]
    )


@bets.command()
@BET
@click.pass_obj
def settle(session: Session, bet: str):
    """Settles a bet once its panel has decided, or by giving every stake back once its result deadline is over.

    Anybody may; then whoever was right can claim.
    """
    from tessera.host.catalogue import contract_of

    listed_bet = _listed(session, bet)
    receipt = contract_of(session.tessera, listed_bet.has_odds).settle(session.wallet, listed_bet.bet_id)
    after = _listed(session, bet)
    card(session, "Receipt", {"bet_id": short(listed_bet.bet_id), "outcome": _outcome(after), **sent(receipt)})


@bets.command()
@BET
@click.pass_obj
def claim(session: Session, bet: str):
    """Takes what a settled bet owes you into your balance: what you won, or your stakes where they go back."""
    from tessera.chain.escrow import Entry
    from tessera.host.payout import pay

    wallet, listed_bet = session.wallet, _listed(session, bet)
    if not listed_bet.settled:
        raise Refused("not_found", f"bet {bet} is not settled yet: `tessera bets settle` once its panel has decided")
    receipts = pay(session.tessera, wallet, session.index, listed_bet, account=wallet.address)
    if not receipts:
        raise Refused("not_found", f"bet {bet} owes you nothing: you were paid, or were not right")
    events = [row for receipt in receipts for row in receipt.events]
    paid = sum(row.amount for row in events if isinstance(row, Entry) and row.account == wallet.address)
    card(session, "Receipt", {"bet_id": short(listed_bet.bet_id), "paid": eur(paid), **sent(receipts[-1])})


@bets.command()
@BET
@click.argument("ticket_id", metavar="TICKET", type=click.IntRange(1))
@click.pass_obj
def cancel(session: Session, bet: str, ticket_id: int):
    """Takes back what waits of a TICKET of yours at odds, at any time; `mine` shows its number."""
    from tessera.chain.odds_bets import TicketCancelled

    listed_bet = _listed(session, bet)
    receipt: Receipt = session.tessera.odds.cancel(session.wallet, listed_bet.bet_id, ticket_id)
    back = receipt.event(TicketCancelled).amount
    card(session, "Receipt", {"bet_id": short(listed_bet.bet_id), "came_back": eur(back), **sent(receipt)})


def _listed(session: Session, bet: str) -> "ListedBet":
    """A bet on the chain by its id, or how that begins. Raises Refused."""
    from tessera.host.view import listed_bets

    session.index.sync()
    ids = [row.bet_id for row in listed(session, bet)]
    if not ids:
        raise Refused("not_found", f"no bet {bet} is on the chain: `tessera bets mine` shows the ids of yours")
    with session.index.snapshot() as snapshot:
        return listed_bets(snapshot, bet_id=ids)[ids[0]]


def _next(session: Session, snapshot: "Snapshot", bet: "ListedBet") -> str | None:
    """What its owner can do about a bet now."""
    from tessera.host.payout import due, is_decided

    if not bet.settled:
        is_over = session.now >= bet.listing.closes_at and is_decided(session.tessera, bet, session.now)
        return "settle" if is_over else None
    return "claim" if due(session.tessera, snapshot, bet, account=session.wallet.address) else None


def _stake(bet: "ListedBet", stake: "Stake", next_step: str | None) -> dict:
    waits = stake.status == "pending"
    return {
        "bet_id": short(stake.bet_id),
        "description": bet.listing.description,
        "prediction": bet.listing.predictions[stake.prediction],
        "amount": eur(stake.amount),
        "bet_status": stake.status,
        "ticket_id": stake.ticket_id,
        "outcome": _outcome(bet),
        "next": next_step or ("cancel" if waits else None),
    }


def _outcome(bet: "ListedBet") -> Said | None:
    if not bet.settled:
        return None
    if bet.outcome is None:
        return Said(None, "none: every stake goes back")
    name = bet.listing.predictions[bet.outcome]
    return Said(name, name)
