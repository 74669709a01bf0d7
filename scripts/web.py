"""The page on a devnet of its own, until Ctrl-C.

`python scripts/web.py` builds web/ (needs Node 20 or later), starts scripts/devnet.py, and serves the page with the
deployment.json that tells it where the chain is. The devnet's other people say what happened and close the weeks, so
that whoever lets time pass on the page is paid.

With `--host 0.0.0.0` phones in the same network can play, too. The page and what it needs of the node are behind one
address; the node itself, whose keys everybody knows, stays on this machine.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread

import click

from tessera.chain import ChainError, Tessera
from tessera.deployment.artifacts import ROOT
from tessera.local import site
from tessera.local.bots import Bots
from tessera.local.devnet import PAGE, running
from tessera.local.newcomers import Newcomers
from tessera.local.site import Answers, Site

WEB = ROOT / "web"
DIST = WEB / "dist"
DEVNET = [sys.executable, "-u", "scripts/devnet.py"]
LOOK_SECONDS = 1
HERE, EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")  # noqa: S104
ELSEWHERE = ("192.0.2.1", 9)  # an address of nobody's (RFC 5737): nothing is sent there


def build() -> None:
    """Builds web/dist, after installing what it needs. Raises ClickException without Node or where the build fails."""
    if shutil.which("npm") is None:
        raise click.ClickException(
            "the page needs Node 20 or later: install it from nodejs.org or with your system's packages"
        )
    if not (WEB / "node_modules" / ".package-lock.json").exists():
        npm("ci", "--no-fund", "--no-audit")
    npm("run", "build", "--", "--logLevel", "warn")


def npm(*arguments: str) -> None:
    """Runs npm in web/. Raises ClickException where it fails."""
    if subprocess.run(["npm", "--silent", *arguments], cwd=WEB, check=False).returncode:  # noqa: S603, S607
        raise click.ClickException(f"npm {arguments[0]} failed in {WEB}")


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


def address_in_network() -> str | None:
    """This machine's address for others in its network; None where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)  # chooses a way, and sends nothing
        except OSError:
            return None
        return probe.getsockname()[0]


@contextmanager
def devnet(port: int, into: Path) -> Iterator[tuple[subprocess.Popen, dict, Tessera]]:
    """Runs scripts/devnet.py and prints what it says; yields its process, what it tells pages, and its contracts."""
    process = subprocess.Popen(  # noqa: S603
        [*DEVNET, "--port", str(port), "--into", str(into)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            click.echo(line, nl=False)
            if line.startswith("ready"):
                break
        else:
            raise click.ClickException(
                f"the devnet did not start: if port {port} is taken, scripts/web.py --chain-port 0 takes a free one"
            )
        yield process, json.loads((into / PAGE).read_text(encoding="utf-8")), running(into)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def bots(tessera: Tessera, lock: Lock) -> Iterator[Bots]:
    """Lets the devnet's other people act whenever its chain has grown; `lock` is held while they do."""
    stopped, web3, others = Event(), tessera.web3, Bots(tessera)

    def act() -> None:
        last = web3.eth.block_number
        while not stopped.wait(LOOK_SECONDS):
            try:
                if (newest := web3.eth.block_number) != last:
                    with lock:
                        others.act()
                    last = newest
            except ChainError:
                pass  # somebody else was faster, or the chain is about to stop

    thread = Thread(target=act, daemon=True)
    thread.start()
    try:
        yield others
    finally:
        stopped.set()
        thread.join()


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
