"""`tessera join | deposit | withdraw | consents | limits`: the betting balance, and who may use it."""

from decimal import Decimal, InvalidOperation

import click

from tessera.cli.markets import YES_TO_ALL, own_limits
from tessera.cli.session import Commands, Session
from tessera.cli.show import Moment, ask, card, eur, sent

ALL = "all"


class Money(click.ParamType):
    """An amount, as integer of the smallest unit; ALL where that is allowed."""

    name = "amount"

    def __init__(self, decimals: int = 6, *, all_: bool = False):
        self.decimals, self.all = decimals, all_

    def convert(self, value, param, ctx):
        if self.all and value == ALL:
            return ALL
        try:
            units = Decimal(value).scaleb(self.decimals)
        except InvalidOperation:
            self.fail(f"{value}: say an amount like 12.50" + " or all" * self.all, param, ctx)
        if not units.is_finite() or units <= 0 or units != int(units):
            self.fail(f"{value}: more than 0, at most {self.decimals} digits behind the point", param, ctx)
        return int(units)


@click.command()
@click.pass_obj
def join(session: Session):
    """Takes 50 EUR of play money, once, and lets the markets use your balance."""
    done = session.tessera.play_euro.join(session.wallet, consent=1)
    card(session, "Welcome", {"balance": eur(session.tessera.escrow.balance_of(session.wallet.address)), **sent(done)})


@click.command()
@click.argument("amount", type=Money())
@YES_TO_ALL
@click.pass_obj
def deposit(session: Session, amount: int, yes: bool):
    """Moves EUR tokens of yours into your balance, in one transaction where the token knows permits."""
    escrow, wallet = session.tessera.escrow, session.wallet
    ask(session, "Deposit", {"amount": eur(amount), "from": wallet.address}, yes)
    if (permit := session.permit(escrow.token(), escrow.address, amount)) is not None:
        done = escrow.deposit_with_permit(wallet, permit, consent=escrow.consent_of(wallet.address))
    else:
        done = escrow.deposit(wallet, amount, consent=escrow.consent_of(wallet.address))
    card(session, "Receipt", {"balance": eur(escrow.balance_of(wallet.address)), **sent(done)})


@click.command()
@click.argument("amount", type=Money(all_=True))
@click.option("--to", "receiver", metavar="ADDRESS", help="Who gets it; default: you.")
@click.pass_obj
def withdraw(session: Session, amount: int | str, receiver: str | None):
    """Moves EUR out of your balance, to you: an amount, or all."""
    escrow, wallet = session.tessera.escrow, session.wallet
    amount = escrow.balance_of(wallet.address) if amount == ALL else amount
    done = escrow.withdraw(wallet, amount, receiver=receiver and session.who(receiver))
    card(session, "Receipt", {"paid": eur(amount), "balance": eur(escrow.balance_of(wallet.address)), **sent(done)})


PRODUCT = click.argument("product", required=False, default=0, type=click.IntRange(0, 255))


@click.group(cls=Commands)
def consents():
    """What may take money from your balance. Taking a consent back stops new bets; those that run are not touched."""


@consents.command("show")
@click.argument("account", required=False, metavar="[ADDRESS]")
@click.pass_obj
def show_consents(session: Session, account: str | None):
    """Every product, and whether it may take your bets."""
    _consents(session, session.who(account), {})


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


def _change(session: Session, products: int) -> None:
    done = session.tessera.escrow.set_consent(session.wallet, products)
    _consents(session, session.wallet.address, sent(done))


def _consents(session: Session, account: str, done: dict) -> None:
    escrow, found = session.tessera.escrow, {}
    given = escrow.consent_of(account)
    for index, address in enumerate(escrow.read_all("products")):
        name = "Friends' markets" if address == session.tessera.markets.address else address
        found[f"{index}: {name}"] = "may take your bets" if given >> index & 1 else "may not"
    card(session, "Consents", found | done)


@click.group(cls=Commands)
def limits():
    """Your own limit on what goes into markets in 24 h: tighter at once, looser after a day."""


@limits.command()
@click.pass_obj
def show(session: Session):
    """The limit as it is."""
    _limit(session, own_limits(session).of(session.wallet.address))


@limits.command("set")
@click.argument("amount", type=Money(), metavar="EUR")
@click.pass_obj
def set_(session: Session, amount: int):
    """Sets the limit: at once where it is tighter, a day from now where it is looser."""
    _limit(session, own_limits(session).set(session.wallet.address, amount))


@limits.command()
@click.pass_obj
def remove(session: Session):
    """Takes the limit away, a day from now."""
    _limit(session, own_limits(session).set(session.wallet.address, None))


def _limit(session: Session, limit) -> None:
    text = {None: "none"}
    found = {"limit": text.get(limit.amount) or eur(limit.amount)}
    if limit.changes_at:
        found |= {"next": text.get(limit.next_amount) or eur(limit.next_amount), "from": Moment(limit.changes_at)}
    card(session, "Your limit, in 24 h", found)
