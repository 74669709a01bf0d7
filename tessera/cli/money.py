"""`tessera join | deposit | withdraw | consent | limits`: the betting balance, and who may use it."""

from decimal import Decimal, InvalidOperation

import click

from tessera.chain import sign_permit
from tessera.cli.markets import YES_TO_ALL, own_limits
from tessera.cli.session import Commands, Session
from tessera.cli.show import Moment, card, eur, sent

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
    """Moves EUR tokens of yours into your balance, in one transaction with a permit."""
    escrow, wallet = session.tessera.escrow, session.wallet
    if not session.as_json:
        card(session, "Deposit", {"amount": eur(amount), "from": wallet.address})
    session.confirm(yes)
    permit = sign_permit(session.web3, wallet.account, escrow.token(), escrow.address, amount)
    done = escrow.deposit_with_permit(wallet, permit, consent=escrow.consent_of(wallet.address))
    card(session, "Done", {"balance": eur(escrow.balance_of(wallet.address)), **sent(done)})


@click.command()
@click.argument("amount", type=Money(all_=True))
@click.option("--to", "receiver", metavar="ADDRESS", help="Who gets it; default: you.")
@click.pass_obj
def withdraw(session: Session, amount: int | str, receiver: str | None):
    """Moves EUR out of your balance, to you: an amount, or all."""
    escrow, wallet = session.tessera.escrow, session.wallet
    amount = escrow.balance_of(wallet.address) if amount == ALL else amount
    done = escrow.withdraw(wallet, amount, receiver=receiver and session.who(receiver))
    card(session, "Done", {"paid": eur(amount), "balance": eur(escrow.balance_of(wallet.address)), **sent(done)})


@click.command()
@click.argument("products", required=False, type=click.IntRange(0, 2**256 - 1))
@click.pass_obj
def consent(session: Session, products: int | None):
    """Shows which products may use your balance, or changes it: a bit mask (markets: 1), 0 for none."""
    escrow, done = session.tessera.escrow, {}
    if products is not None:
        done = sent(escrow.set_consent(session.wallet, products))
    now = escrow.consent_of(session.wallet.address)
    allowed = {}
    for index in range(now.bit_length()):
        if now >> index & 1:
            allowed[f"product {index}"] = escrow.products(index)
    card(session, "Who may use your balance", {"mask": now, **allowed, **done})


@click.group(cls=Commands)
def limits():
    """Your own limit on what goes into markets in 24 h: tighter at once, looser after a day."""


@limits.command()
@click.pass_obj
def show(session: Session):
    """The limit as it is."""
    _limit(session, own_limits(session).of(session.wallet.address))


@limits.command("set")
@click.argument("amount", type=Money(all_=True), metavar="EUR|all")
@click.pass_obj
def set_(session: Session, amount: int | str):
    """Sets the limit; `all` takes it away, a day from now."""
    _limit(session, own_limits(session).set(session.wallet.address, None if amount == ALL else amount))


def _limit(session: Session, limit) -> None:
    text = {None: "none"}
    found = {"limit": text.get(limit.amount) or eur(limit.amount)}
    if limit.changes_at:
        found |= {"next": text.get(limit.next_amount) or eur(limit.next_amount), "from": Moment(limit.changes_at)}
    card(session, "Your limit, in 24 h", found)
