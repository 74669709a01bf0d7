"""`tessera join | deposit | withdraw | consents | limits`: the betting balance, and who may use it."""

from typing import TYPE_CHECKING

import click

from tessera.cli.inputs import ACCOUNT, YES_TO_ALL, Address, Money, MoneyOrAll
from tessera.cli.limits import Limit, limits_of
from tessera.cli.session import Session
from tessera.cli.show import Moment, Said, ask, card, eur, rows, sent

if TYPE_CHECKING:
    from tessera.chain import Receipt


@click.command()
@click.pass_obj
def join(session: Session):
    """Takes 50 EUR of play money, once, and lets the markets use your balance."""
    _balance(session, "Welcome", session.tessera.play_euro.join(session.wallet, consent=1))


@click.command()
@click.argument("amount", type=Money())
@YES_TO_ALL
@click.pass_obj
def deposit(session: Session, amount: int, yes: bool):
    """Moves EUR tokens of yours into your balance, in one transaction where the token knows permits."""
    escrow, wallet = session.tessera.escrow, session.wallet
    ask(session, "Deposit", {"amount": eur(amount), "from": wallet.address}, yes)
    consent = escrow.consent_of(wallet.address)
    if (permit := session.permit(escrow.token(), escrow.address, amount)) is not None:
        receipt = escrow.deposit_with_permit(wallet, permit, consent=consent)
    else:
        receipt = escrow.deposit(wallet, amount, consent=consent)
    _balance(session, "Receipt", receipt, amount=eur(amount))


@click.command()
@click.argument("amount", type=MoneyOrAll())
@click.option("--to", "receiver", metavar="ADDRESS", type=Address(), help="Who gets it; default: you.")
@click.pass_obj
def withdraw(session: Session, amount: int | str, receiver: str | None):
    """Moves EUR out of your balance, to you: an amount, or all."""
    escrow, wallet = session.tessera.escrow, session.wallet
    units = escrow.balance_of(wallet.address) if isinstance(amount, str) else amount
    _balance(session, "Receipt", escrow.withdraw(wallet, units, receiver=receiver), amount=eur(units))


def _balance(session: Session, title: str, receipt: "Receipt", **values) -> None:
    balance = session.tessera.escrow.balance_of(session.wallet.address)
    card(session, title, {**values, "balance": eur(balance), **sent(receipt)})


NAMES = {
    "LmsrMarkets": "Friends' markets",
    "ProrataBets": "Hosted bets, pools",
    "OddsBets": "Hosted bets at odds",
    "MicroSessions": "Micro-bets",
}
PRODUCT = click.argument("product", required=False, default=0, type=click.IntRange(0, 255))


@click.group()
def consents():
    """What may take money from your balance. Taking a consent back stops new bets; those that run are not touched."""


@consents.command("show")
@ACCOUNT
@click.pass_obj
def show_consents(session: Session, account: str | None):
    """Every product, and whether it may take your bets."""
    rows(session, "Consents", _products(session, session.who(account)))


@consents.command()
@PRODUCT
@click.pass_obj
def allow(session: Session, product: int):
    """Lets a product, 0 (the markets) if none is named, take your bets from your balance."""
    _change(session, session.tessera.escrow.consent_of(session.wallet.address) | 1 << product)


@consents.command("take-back")
@PRODUCT
@click.pass_obj
def take_back(session: Session, product: int):
    """Takes the consent for a product, 0 (the markets) if none is named, back."""
    _change(session, session.tessera.escrow.consent_of(session.wallet.address) & ~(1 << product))


def _change(session: Session, consent: int) -> None:
    receipt = session.tessera.escrow.set_consent(session.wallet, consent)
    products = _products(session, session.wallet.address)
    lines = (
        f"{product['product']}: {product['name']} {'may' if product['allowed'] else 'may not'}" for product in products
    )
    card(session, "Who may take your bets", {"products": Said(products, *lines), **sent(receipt)})


def _products(session: Session, account: str) -> list[dict]:
    escrow = session.tessera.escrow
    consent = escrow.consent_of(account)
    names = {address: NAMES[name] for name, address in session.deployment.addresses.items() if name in NAMES}
    return [
        {
            "product": number,
            "name": names.get(address, "unknown"),
            "address": address,
            "allowed": bool(consent >> number & 1),
        }
        for number, address in enumerate(escrow.read_all("products"))
    ]


@click.group()
def limits():
    """Your own limit on what goes into markets and bets in 24 h: tighter at once, looser a day later. 0: no bets."""


@limits.command()
@click.pass_obj
def show(session: Session):
    """The limit as it is."""
    _limit(session, limits_of(session).of(session.wallet.address))


@limits.command("set")
@click.argument("amount", type=Money(zero=True), metavar="EUR")
@click.pass_obj
def set_(session: Session, amount: int):
    """Sets the limit: at once where it is tighter, a day from now where it is looser."""
    _change_limit(session, amount)


@limits.command()
@click.pass_obj
def remove(session: Session):
    """Takes the limit away, a day from now."""
    _change_limit(session, None)


def _change_limit(session: Session, amount: int | None) -> None:
    limits, account = limits_of(session), session.wallet.address
    limit = limits.of(account).changed(amount, limits.now)
    if session.dry_run:
        click.echo("dry run: this is what the limit would be; nothing was written", err=True)
    else:
        limits.keep(account, limit)
    _limit(session, limit)


def _limit(session: Session, limit: Limit) -> None:
    def text(amount: int | None):
        return Said(None, "none") if amount is None else eur(amount)

    values = {"amount": text(limit.amount), "next_amount": None, "changes_at": Moment(limit.changes_at)}
    if limit.changes_at:
        values["next_amount"] = text(limit.next_amount)
    card(session, "Your limit, in 24 h", values)
