"""A club for phones in the same network, on a devnet of its own, until Ctrl-C.

`python scripts/club.py` builds web/ (needs Node 20 or later), starts scripts/devnet.py, and serves page, chain and
index behind one address. The first invitation is a QR code: scan it with a phone. The chain itself, whose keys
everybody knows, stays on this machine. Everything is gone at the end: play money of an evening.
"""

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import click
import segno

from tessera.chain import ChainError, Wallet
from tessera.chain.embedded import known_account
from tessera.club.node import opened
from tessera.club.server import run
from tessera.club.settings import Settings
from tessera.local.devnet import RECORD
from tessera.local.page import DIST, EVERYWHERE, HERE, address_in_network, bots, build, devnet

NODE = 16  # the devnet's account that invites and gives gas; those above are a panel
DAYS = 1


@click.command(help=__doc__)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="Of the page.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Where it listens; 127.0.0.1: this machine.")  # noqa: S104
@click.option("--chain-port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: a free one.")
@click.option("--count", type=click.IntRange(1, 30), default=8, show_default=True, help="Invitations to begin with.")
def cli(port: int, host: str, chain_port: int, count: int):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the devnet ends, too
    build()
    outside = address_in_network() if host in EVERYWHERE else host
    with TemporaryDirectory(prefix="tessera-club-") as folder:
        into = Path(folder)
        with devnet(chain_port, into) as (_, deployment, tessera), bots(tessera, lock := Lock()):
            settings = Settings.model_validate(
                {
                    "name": "Our club",
                    "url": f"http://{outside or HERE}:{port}",
                    "rpc": deployment["rpcUrl"],
                    "record": into / RECORD,
                    "page": DIST,
                    "database": f"sqlite:///{into}/club.db",
                    "index": f"sqlite:///{into}/index.db",
                    "listen": host,
                    "port": port,
                    "devnet_account": NODE,
                    "gas": {"budget": 100, "members": 100},
                }
            )
            try:
                with lock:
                    owner = Wallet(tessera.web3, known_account(0))
                    tessera.play_euro.set_inviter(owner, known_account(NODE).address, True)
                node = opened(settings)
            except ChainError as error:
                raise click.ClickException(str(error)) from None
            show(settings, node.store.make_codes([""] * count, days=DAYS))
            if outside is None:
                click.echo("This machine is in no network: only this machine can open it.")
            run(node)
            click.echo("stopped")


def show(settings: Settings, codes: list[str]) -> None:
    """Prints the invitations; the first as a QR code, too."""
    links = [settings.invitation_link(code) for code in codes]
    click.echo(f"\nThe club: {settings.url}. Each of these links lets one friend in:")
    for link in links:
        click.echo(f"  {link}")
    click.echo("The first one, for a phone in the same network:")
    segno.make(links[0], micro=False).terminal(compact=True)


if __name__ == "__main__":
    cli()
