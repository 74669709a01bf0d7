"""`tessera club`: the node of a club of friends, which invites them, gives them gas and serves the page."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.failures import Refused
from tessera.cli.session import Session
from tessera.cli.show import Moment, as_json, card, rows

if TYPE_CHECKING:
    from tessera.club.node import Node
    from tessera.club.settings import Settings
    from tessera.club.store import Store

CONFIG = click.option(
    "--config",
    metavar="FILE",
    default="club.toml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The club's settings: docs/club.md.",
)


@click.group()
def club():
    """For whoever runs the node of a club of friends: set it up, serve it, invite, see who is in."""


@club.command()
@CONFIG
@click.pass_obj
def serve(session: Session, config: Path):
    """Serves the page and all that phones need, until Ctrl-C. Killed anywhere, it is simply started again."""
    import logging

    import uvicorn

    from tessera.club.app import app_of
    from tessera.club.node import opened

    settings = _settings(config)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("tessera.club").setLevel(logging.INFO)
    node = opened(settings)
    app = app_of(node)
    for line in _doubts(node):
        click.echo(f"Look at this: {line}", err=True)
    click.echo(f"{settings.name}: {settings.url}, as {node.sender.wallet.address}")
    uvicorn.run(
        app,
        host=settings.listen,
        port=settings.port,
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=5,
    )
    click.echo("stopped")


@club.command()
@CONFIG
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--count", type=click.IntRange(1, 256), help="So many without names.")
@click.option("--qr/--no-qr", default=True, show_default=True, help="Show each link as a QR code, too.")
@click.pass_obj
def invite(session: Session, config: Path, names: tuple[str, ...], count: int | None, qr: bool):
    """Makes links, each of which lets one friend in. They are shown now and never again; names are for your own list.

    Who gets a link first is in. Nothing is sent to the chain before a friend opens it.
    """
    settings = _settings(config)
    labels = [*names, *[""] * (count or 0)]
    if not labels:
        raise Refused("usage", "say whom you invite (`tessera club invite Anna Ben`), or how many (--count 12)")
    made = _store(settings).make_codes(labels, days=settings.code_days)
    links = [f"{settings.url}/join#{code}" for code in made]
    if session.as_json:
        answers = [{"name": label, "link": link} for label, link in zip(labels, links, strict=True)]
        as_json({"invitations": answers, "days": settings.code_days})
        return
    import segno

    for number, (label, link) in enumerate(zip(labels, links, strict=True), start=1):
        click.echo(f"\n{number}  {label or 'a friend'}: {link}")
        if qr:
            segno.make(link, micro=False).terminal(compact=True)
    click.echo(f"\nEach link is good for one friend and {settings.code_days} days. Whoever has it first is in.")


@club.command()
@CONFIG
@click.pass_obj
def members(session: Session, config: Path):
    """Who is in and by which invitation, what each was given for gas, and which invitations wait."""
    settings = _settings(config)
    store = _store(settings)
    names = {name.account: name.name for name in store.names()}
    given = store.given(0)
    rows(
        session,
        settings.name,
        [
            {
                "invitation": code.code,
                "for": code.label,
                "account": code.account,
                "name": names.get(code.account or ""),
                "state": _state(code.account, code.revoked),
                "good_until": Moment(code.ends_at),
                "given_wei": str(given.get(code.account or "", 0)),
            }
            for code in store.codes()
        ],
    )


@club.command()
@CONFIG
@click.argument("invitation")
@click.pass_obj
def revoke(session: Session, config: Path, invitation: str):
    """Takes an invitation back, by its first letters in `tessera club members`.

    Before it is used: nobody can use it. Afterwards: its account gets no more gas, cannot sign in here, is shown as
    replaced, and is uninvited unless it has joined. Who has joined keeps money and votes: that is the contract's rule.
    """
    code = _store(_settings(config)).revoke(invitation.lower())
    card(
        session, "Invitation", {"invitation": code.code, "for": code.label, "account": code.account, "state": "revoked"}
    )


def _settings(config: Path) -> "Settings":
    from tessera.club.settings import read_settings

    return read_settings(config)


def _store(settings: "Settings") -> "Store":
    from tessera.club.store import Store

    return Store(settings.database)


def _state(account: str | None, revoked: bool) -> str:
    if account is None:
        return "revoked" if revoked else "waits"
    return "replaced" if revoked else "in"


def _doubts(node: "Node") -> list[str]:
    """What would keep a node from doing its work, in sentences."""
    from tessera.club.settings import BET_GAS, ENTRY_GAS

    wallet, gas, euro = node.sender.wallet, node.settings.gas, node.tessera.play_euro
    doubts = []
    if not euro.is_inviter(wallet.address) and euro.read("owner") != wallet.address:
        doubts.append(
            f"{wallet.address} may not invite: the owner says `tessera members inviter {wallet.address}`, "
            "or friends who open a link wait"
        )
    price = wallet.gas_price()
    if (needed := (ENTRY_GAS + BET_GAS) * (2 * price.base + price.tip)) > gas.quota:
        doubts.append(
            f"at present prices one friend needs {needed / 1e18:.6f} ETH to join and bet, and gets at most "
            f"{gas.quota / 1e18:.6f} a day: raise gas.budget, or lower gas.members"
        )
    if wallet.balance() < gas.quota + gas.own:
        doubts.append(f"{wallet.address} has {wallet.balance() / 1e18:.6f} ETH: send it what the club may spend")
    return doubts
