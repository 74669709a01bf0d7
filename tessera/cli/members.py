"""`tessera members`: who may join a club of friends, and who may invite."""

from typing import TYPE_CHECKING

import click

from tessera.cli.inputs import ACCOUNT, Address
from tessera.cli.session import Session
from tessera.cli.show import card, sent

if TYPE_CHECKING:
    from tessera.chain import Receipt

ACCOUNTS = click.argument("accounts", nargs=-1, required=True, metavar="ADDRESS...", type=Address())


@click.group()
def members():
    """Invitations to a club of friends; for its owner and those whom the owner lets invite."""


@members.command()
@ACCOUNT
@click.pass_obj
def show(session: Session, account: str | None):
    """Whether somebody is invited, has joined, and may invite."""
    who, token = session.who(account), session.tessera.play_euro
    values = {"invited": token.invited(who), "joined": token.joined(who), "is_inviter": token.is_inviter(who)}
    card(session, who, {"account": who, **values})


@members.command()
@ACCOUNTS
@click.pass_obj
def invite(session: Session, accounts: tuple[str, ...]):
    """Lets people join, at most 256 at once."""
    _done(session, session.tessera.play_euro.invite(session.wallet, accounts), accounts)


@members.command()
@ACCOUNTS
@click.pass_obj
def uninvite(session: Session, accounts: tuple[str, ...]):
    """Takes invitations back that were not used."""
    _done(session, session.tessera.play_euro.uninvite(session.wallet, accounts), accounts)


@members.command()
@click.argument("account", metavar="ADDRESS", type=Address())
@click.option("--remove", is_flag=True, help="Take the right back.")
@click.pass_obj
def inviter(session: Session, account: str, remove: bool):
    """Lets somebody invite beside the owner; for the owner."""
    _done(session, session.tessera.play_euro.set_inviter(session.wallet, account, not remove), (account,))


def _done(session: Session, receipt: "Receipt", accounts: tuple[str, ...]) -> None:
    card(session, "Receipt", {"accounts": list(accounts), **sent(receipt)})
