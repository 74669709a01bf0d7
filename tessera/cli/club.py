"""`tessera club`: the node of a club of friends, which invites them, gives them gas and serves the page."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.failures import Refused
from tessera.cli.inputs import YES_TO_ALL
from tessera.cli.session import Session
from tessera.cli.show import Moment, Said, as_json, ask, card, rows

if TYPE_CHECKING:
    from tessera.club.settings import Settings
    from tessera.club.store import Store

SHORTEST_WINDOW = 12 * 3_600  # seconds to dispute in, at least
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
@click.option("--folder", default=".", type=click.Path(file_okay=False, path_type=Path), help="Where its files go.")
@click.option("--name", prompt="Name of the club", help="As members see it.")
@click.option("--url", prompt="Address that members open (https://club.example)", help="Without a path.")
@click.option("--members", prompt="How many friends at most", type=click.IntRange(1, 1_000), default=40)
@click.option("--budget", type=click.FloatRange(0, min_open=True), help="ETH a day for all. Default: twice a start.")
@click.option(
    "--page", default="web/dist", show_default=True, type=click.Path(path_type=Path), help="Folder of the built page."
)
@YES_TO_ALL
@click.pass_obj
def init(
    session: Session, folder: Path, name: str, url: str, members: int, budget: float | None, page: Path, yes: bool
):
    """Sets a club up: its contracts, the node's own account, and the files that `serve`, systemd and Caddy take.

    \b
        tessera --rpc URL --record deployments/club.json --key-file KEY club init

    Takes the contracts of --record, or deploys them as your account, which then owns the club; started again it goes on
    where it was. As the owner it lets the node's account invite.
    """
    from tessera.chain.fees import gas_price
    from tessera.club import setup
    from tessera.club.settings import BET_GAS, ENTRY_GAS, Gas

    record, missing = Path(session.record), not Path(session.record).exists()
    bets = Gas.model_fields["bets"].default
    if budget is None:
        budget = 2 * members * (bets * BET_GAS + ENTRY_GAS) * gas_price(session.web3).offered / 1e18
    # Before anything is sent: a deployment costs what it costs also where no node takes its settings.
    text = setup.drafted(
        folder,
        name=name,
        url=url,
        rpc=session.rpc,
        record=record,
        page=page,
        budget=f"{budget:.9f}",
        members=members,
    )
    about = {
        "chain": session.web3.eth.chain_id,
        "contracts": f"{'deployed as you, about 9 million gas, into' if missing else 'those of'} {record}",
        "members": members,
        "gas for all": f"at most {budget:.6f} ETH a day",
        "files": f"{setup.CONFIG}, {setup.KEY}, {setup.PASSPHRASE}, {setup.UNIT}, {setup.CADDY} in {folder.resolve()}",
    }
    ask(session, f"A club at {url}", about, yes)
    if session.dry_run:
        click.echo("dry run: nothing was sent and no file was written")
        return
    if missing:
        _deploy(session, record)
    folder.mkdir(parents=True, exist_ok=True)
    address = setup.new_key(folder)
    euro = session.tessera.play_euro
    is_inviter = euro.is_inviter(address)
    if not is_inviter and session.viewer == euro.read("owner"):
        euro.set_inviter(session.wallet, address, True)
        is_inviter = True
    files = setup.write_settings(folder, text)
    todo = [f"send {address} what the club may spend, at least {budget:.6f} ETH"]
    if not is_inviter:
        todo.append(f"have the owner run `tessera members inviter {address}`")
    if not (page / "index.html").exists():
        todo.append(f"build the page into {page}: `npm ci && npm run build` in web/")
    todo += [
        f"`tessera club serve --config {files[0]}`",
        f"`tessera club invite --config {files[0]} --count {members}`",
    ]
    card(session, name, {"node": address, "may_invite": is_inviter, "config": str(files[0]), "then": Said(todo, *todo)})


@club.command()
@CONFIG
@click.pass_obj
def serve(session: Session, config: Path):
    """Serves the page and all that phones need, until Ctrl-C. Killed anywhere, it is simply started again."""
    import logging

    from tessera.club.node import opened
    from tessera.club.server import doubts, run

    if session.dry_run:
        raise Refused("usage", "a node invites and gives gas money by itself: `serve` has no dry run")
    settings = _settings(config)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("tessera.club").setLevel(logging.INFO)
    node = opened(settings)
    for sentence in doubts(node):
        click.echo(f"Look at this: {sentence}", err=True)
    click.echo(f"{settings.name}: {settings.url}, as {node.sender.wallet.address}")
    run(node)
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
    if session.dry_run:
        card(session, settings.name, {"dry_run": True, "invitations": len(labels), "days": settings.code_days})
        return
    made = _store(settings).make_codes(labels, days=settings.code_days)
    links = [settings.invitation_link(code) for code in made]
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
@YES_TO_ALL
@click.pass_obj
def restore(session: Session, config: Path, yes: bool):
    """Takes members up again where the database is lost and there is no copy of it: those whom the chain knows.

    They are whom the node's account invited and who joined. With --dry-run it shows them and changes nothing. Nobody
    gets gas money before the next midnight (UTC), since what was given today is not known; until then
    `tessera club revoke` takes out whoever should not be there. Names and links are lost: make new links for those who
    have not joined.
    """
    from tessera.chain.deployments import Deployment, Tessera
    from tessera.chain.node import connect
    from tessera.club.lost import on_chain, take_up
    from tessera.club.node import account_of

    settings = _settings(config)
    store, deployment = _store(settings), Deployment.load(settings.record)
    tessera = Tessera(connect(settings.rpc), deployment)
    node = account_of(settings, deployment.chain_id).address
    click.echo("reading whom the node has invited ...", err=True)
    known = {member.account for member in store.members()}
    chain = on_chain(tessera, node)
    new = [account for account in chain.joined if account not in known]
    waiting = [account for account in chain.waiting if account not in known]
    about = {
        "node": node,
        "members here": len(known),
        "taken up again": Said(new, *(new or ["nobody"])),
        "need a new link": Said(waiting, *(waiting or ["nobody"])),
    }
    if session.dry_run or not new:
        card(session, settings.name, about)
        return
    ask(session, settings.name, about, yes)
    taken = take_up(store, tessera, node, new, settings.gas)
    card(session, settings.name, {"taken up again": len(taken), "gas money": "from the next midnight (UTC) on"})


@club.command()
@CONFIG
@click.argument("invitation")
@click.pass_obj
def revoke(session: Session, config: Path, invitation: str):
    """Takes an invitation back, by its first letters in `tessera club members`.

    Before it is used: nobody can use it. Afterwards: its account gets no more gas, cannot sign in here, is shown as
    replaced, and is uninvited unless it has joined. Who has joined keeps money and votes: that is the contract's rule.
    """
    store, start = _store(_settings(config)), invitation.lower()
    code = store.code(start) if session.dry_run else store.revoke(start)
    about = {"invitation": code.code, "for": code.label, "account": code.account}
    state = _state(code.account, code.revoked) if session.dry_run else "revoked"
    card(session, "Invitation", {**about, "state": state, **({"dry_run": True} if session.dry_run else {})})


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


def _deploy(session: Session, record: Path) -> None:
    """Deploys PlayEuro, Escrow and LmsrMarkets as the session's account. Raises Refused without the compiler."""
    try:
        from tessera.deployment.deploy import deploy
    except ImportError:
        raise Refused(
            "record",
            f"there is no {record}, and to deploy a club takes a checkout with the compiler: run this there, or name "
            "the record of one that is deployed",
        ) from None
    deploy(
        session.wallet,
        "friends",
        {"shortest_window": SHORTEST_WINDOW},
        network=record.stem,
        path=record,
        report=lambda report: click.echo(f"{report.step}: {report.gas:,} gas", err=True),
    )
