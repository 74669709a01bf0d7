"""The page on a devnet of its own, until Ctrl-C.

`python scripts/web.py` builds web/ (needs Node 20 or later), starts scripts/devnet.py, and serves the page with the
deployment.json that tells it where the chain is. The devnet's other people say what happened and close the weeks, so
that whoever lets time pass on the page is paid.

With `--host 0.0.0.0` phones in the same network can play, too. The page and what it needs of the node are behind one
address; the node itself, whose keys everybody knows, stays on this machine.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import click

from tessera.deployment.artifacts import ROOT
from tessera.local import site
from tessera.local.newcomers import Newcomers
from tessera.local.page import DIST, EVERYWHERE, HERE, address_in_network, bots, build, devnet
from tessera.local.site import Answers, Site


def gifts(newcomers: Newcomers) -> Answers:
    """What a page can ask of a devnet: to be funded, and time."""
    return {
        "fund": lambda asked: newcomers.fund(asked["account"]),
        "pass": lambda asked: newcomers.let_pass(asked["days"]),
    }


@contextmanager
def serving(
    deployment: dict, port: int, *, host: str = HERE, node: str | None = None, answers: Answers | None = None
) -> Iterator[str]:
    """Serves the built page for a deployment; yields an address that can be opened. Port 0: a free one.

    `node` is the URL of a node that the page reaches through this address, `answers` what it can ask of a devnet.
    """
    page = Site(DIST, deployment, node=node, answers=answers)
    try:
        with site.serving(page, host, port) as port:
            yield f"http://{HERE if host in EVERYWHERE else host}:{port}/"
    except OSError as error:
        raise click.ClickException(
            f"{host}:{port} cannot be had ({error.strerror}): python scripts/web.py --port 0 takes a free port"
        ) from None


@click.command(help=__doc__)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Of the page; 0: a free one."
)
@click.option("--host", default=HERE, show_default=True, help="Where the page listens; 0.0.0.0: for phones, too.")
@click.option("--chain-port", type=click.IntRange(0, 65535), default=8545, show_default=True, help="Of the chain.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT,
    help="Folder for the devnet's files; default: this checkout.",
)
def cli(port: int, host: str, chain_port: int, into: Path):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the devnet ends, too
    build()
    lock = Lock()
    with (
        devnet(chain_port, into) as (process, deployment, tessera),
        bots(tessera, lock) as others,
        serving(
            deployment,
            port,
            host=host,
            node=deployment["rpcUrl"],
            answers=gifts(Newcomers(others.local, lock)),
        ) as address,
    ):
        click.echo(f"\nThe page: {address}")
        if host in EVERYWHERE:
            if (outside := address_in_network()) is None:
                click.echo("This machine is in no network: only this machine can open it.")
            else:
                click.echo(f"On a phone in the same network: {address.replace(HERE, outside)}")
        click.echo()
        try:
            process.wait()
            raise click.ClickException("the devnet stopped")
        except KeyboardInterrupt:
            click.echo("stopped")


if __name__ == "__main__":
    cli()
