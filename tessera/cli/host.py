"""`tessera host`: what a host checks, sees and decides apart from its node (`ape run host`)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.bets import listed, odds_of, short
from tessera.cli.failures import Refused
from tessera.cli.inputs import ACCOUNT, BET, YES_TO_ALL, Money, MoneyOrAll
from tessera.cli.session import Session
from tessera.cli.show import Amount, Moment, Percent, Said, ask, card, eur, rows, sent
from tessera.model.units import WAD

if TYPE_CHECKING:
    from tessera.host.bets_file import Bet
    from tessera.host.view import ListedBet

DECIMALS = 6  # of the club's money
FILE = click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
PANEL = click.option("--panel", metavar="NUMBER", help="The panel that decides where the file names none.")


@click.group()
def host():
    """For hosts of bets: check bets.ini, see what is at stake, end what is open. The node itself is `ape run host`.

    A node sends as your account, and nobody else may meanwhile: stop it before you send anything here.
    """


@host.command()
@FILE
@PANEL
@click.pass_obj
def check(session: Session, file: Path, panel: str | None):
    """Reads a bets.ini and shows its bets; every mistake names its section, its key and what is allowed.

    Needs no node and no account.
    """
    read = _read(file, panel)
    rows(
        session,
        f"Bets of {file}",
        [
            {
                "number": bet.number,
                "description": bet.description,
                "predictions": Said(list(bet.predictions), *bet.predictions),
                "odds": odds_of(bet.odds),
                "min_stake": eur(bet.min_stake),
                "max_stake": eur(bet.max_stake),
                "closes_at": Said(None, "24 h after it is offered") if bet.closes_at is None else Moment(bet.closes_at),
                "edge": None if bet.edge is None else Percent(int(bet.edge * WAD)),
                "bankroll": eur(bet.bankroll) if bet.odds else None,
            }
            for bet in read
        ],
    )


@host.command()
@ACCOUNT
@click.pass_obj
def status(session: Session, account: str | None):
    """A host's money, and its bets on the chain, the newest first: stakes, bankroll, what is free and what waits."""
    from tessera.chain.contract import address_of
    from tessera.host.view import listed_bets

    address = address_of(session.who(account))
    with session.index.snapshot() as snapshot:
        known = list(listed_bets(snapshot, host=address).values())
    values = [_status(session, bet) for bet in reversed(known)]
    total = {name: sum(value[name].units for value in values) for name in ("staked", "bankroll", "free", "waiting")}
    card(
        session,
        f"Host {address}",
        {
            "host": address,
            "balance": eur(session.tessera.escrow.balance_of(address)),
            "gas_money": Amount(session.web3.eth.get_balance(address), WAD, "ETH", 4),
            **{name: eur(units) for name, units in total.items()},
            "bets": Said(values, *map(_sentence, values)),
        },
    )


@host.command()
@BET
@YES_TO_ALL
@click.pass_obj
def close(session: Session, bet: str, yes: bool):
    """Ends betting on a bet now. Its panel still reports from the listed end on."""
    listed_bet = _own(session, bet)
    about = {"description": listed_bet.listing.description, "then": "nobody can stake on it any more"}
    ask(session, "End betting", about, yes)
    receipt = _contract(session, listed_bet).close(session.wallet, listed_bet.bet_id)
    card(session, "Receipt", {"bet_id": short(listed_bet.bet_id), **sent(receipt)})


@host.command()
@FILE
@click.argument("number", type=click.IntRange(0))
@PANEL
@YES_TO_ALL
@click.pass_obj
def revoke(session: Session, file: Path, number: int, panel: str | None, yes: bool):
    """Takes the offer of bet NUMBER of a bets.ini back for good, unless it is listed: nobody can list or take it."""
    from tessera.host.catalogue import contract_of

    bet = next((bet for bet in _read(file, panel) if bet.number == number), None)
    if bet is None:
        raise Refused("not_found", f"{file} has no section [bets:{number}]")
    about = {"description": bet.description, "then": "it can only come back in other words"}
    ask(session, "Take an offer back", about, yes)
    receipt = contract_of(session.tessera, bet.has_odds).revoke(session.wallet, bet.salt)
    card(session, "Receipt", {"number": number, **sent(receipt)})


@host.command()
@BET
@click.argument("amount", type=Money())
@YES_TO_ALL
@click.pass_obj
def fund(session: Session, bet: str, amount: int, yes: bool):
    """Adds AMOUNT of your balance to what backs the odds of a bet."""
    listed_bet = _own(session, bet)
    ask(session, "Back odds", {"description": listed_bet.listing.description, "you can lose": eur(amount)}, yes)
    receipt = session.tessera.odds.fund(session.wallet, listed_bet.bet_id, amount)
    card(session, "Receipt", {"bet_id": short(listed_bet.bet_id), **_bankroll(session, listed_bet), **sent(receipt)})


@host.command()
@BET
@click.argument("amount", type=MoneyOrAll())
@click.pass_obj
def defund(session: Session, bet: str, amount: int | str):
    """Takes AMOUNT, or all, of a bankroll back that no outcome needs."""
    listed_bet = _own(session, bet)
    units = session.tessera.odds_lens.book(listed_bet.bet_id).free if isinstance(amount, str) else amount
    if not units:
        raise Refused("not_found", "all of the bankroll covers stakes: nothing can be taken back")
    receipt = session.tessera.odds.defund(session.wallet, listed_bet.bet_id, units)
    card(session, "Receipt", {"bet_id": short(listed_bet.bet_id), **_bankroll(session, listed_bet), **sent(receipt)})


def _read(file: Path, panel: str | None) -> "list[Bet]":
    from tessera.host.bets_file import read_bets

    return read_bets(file, decimals=DECIMALS, defaults={} if panel is None else {"panel": panel})


def _own(session: Session, bet: str) -> "ListedBet":
    """A listed bet of the session's account. Raises Refused."""
    from tessera.host.view import listed_bets

    ids = [row.bet_id for row in listed(session, bet)]
    with session.index.snapshot() as snapshot:
        own_bets = listed_bets(snapshot, bet_id=ids, host=session.wallet.address)
    if not own_bets:
        raise Refused("not_found", f"you listed no bet {bet}: `tessera host status` shows yours")
    return own_bets[ids[0]]


def _contract(session: Session, listed_bet: "ListedBet"):
    from tessera.host.catalogue import contract_of

    return contract_of(session.tessera, listed_bet.has_odds)


def _bankroll(session: Session, listed_bet: "ListedBet") -> dict:
    book = session.tessera.odds_lens.book(listed_bet.bet_id)
    return {"bankroll": eur(book.bankroll), "free": eur(book.free)}


def _status(session: Session, bet: "ListedBet") -> dict:
    """A bet as its host sees it; once it is settled nothing of it is at stake."""
    from tessera.host.view import phase_of

    lens, every = session.tessera.odds_lens, range(len(bet.listing.predictions))
    pot = session.tessera.escrow.pot_balance(_contract(session, bet).address, bet.bet_id)
    bankroll = free = waiting = 0
    if bet.has_odds:
        book, staked = lens.book(bet.bet_id), [lens.line(bet.bet_id, number).staked for number in every]
        if not bet.settled:
            bankroll, free = book.bankroll, book.free
            waiting = pot - bankroll - sum(staked)
    else:
        staked = [session.tessera.prorata.staked(bet.bet_id, number) for number in every]
    if bet.settled:
        staked = [0 for _ in every]
    return {
        "bet_id": f"0x{bet.bet_id.hex()}",
        "description": bet.listing.description,
        "status": phase_of(bet.closes_at, session.now, settled=bet.settled, refunded=bet.refunded),
        "closes_at": Moment(bet.closes_at),
        "result_deadline": Moment(bet.listing.result_deadline),
        "staked": eur(sum(staked)),
        "bankroll": eur(bankroll),
        "free": eur(free),
        "waiting": eur(waiting),
        "pot": eur(pot),
    }


def _sentence(values: dict) -> str:
    names = ("staked", "bankroll", "free", "waiting")
    money = ", ".join(f"{values[name]} {name}" for name in names if values[name].units)
    return f"{values['bet_id'][:10]} {values['status']}, {values['description']}: {money or 'nothing at stake'}"
