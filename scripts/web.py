"""The page on a devnet of its own, until Ctrl-C.

`python scripts/web.py` builds web/ (needs Node 20 or later), starts scripts/devnet.py, and serves the page with the
deployment.json that tells it where the chain is. The devnet's other people say what happened and close the weeks, so
that whoever lets time pass on the page is paid.
"""

import functools
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import click

from tessera.chain import ChainError, Tessera
from tessera.deployment.artifacts import ROOT
from tessera.local.bots import Bots
from tessera.local.devnet import PAGE, running

WEB = ROOT / "web"
DIST = WEB / "dist"
DEVNET = [sys.executable, "-u", "scripts/devnet.py"]
LOOK_SECONDS = 1


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


class Handler(SimpleHTTPRequestHandler):
    """Files of web/dist, and deployment.json."""

    def __init__(self, *arguments, deployment: bytes, **options):
        self.deployment = deployment
        super().__init__(*arguments, directory=str(DIST), **options)

    def do_GET(self):
        if self.path.partition("?")[0] != "/deployment.json":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.deployment)))
        self.end_headers()
        self.wfile.write(self.deployment)

    def log_message(self, *_):
        pass


@contextmanager
def serving(deployment: dict, port: int) -> Iterator[str]:
    """Serves the built page for a deployment; yields its address. Port 0: a free one."""
    handler = functools.partial(Handler, deployment=json.dumps(deployment).encode())
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise click.ClickException(
            f"port {port} cannot be had ({error.strerror}): python scripts/web.py --port 0 takes a free one"
        ) from None
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


@contextmanager
def devnet(port: int, into: Path) -> Iterator[tuple[subprocess.Popen, dict, Tessera]]:
    """Runs scripts/devnet.py and prints what it says; yields its process, what it tells pages, and its contracts."""
    process = subprocess.Popen(  # noqa: S603
        [*DEVNET, "--port", str(port), "--into", str(into)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout:
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
def bots(tessera: Tessera) -> Iterator[None]:
    """Lets the devnet's other people act whenever its chain has grown."""
    stopped, web3 = Event(), tessera.web3

    def act(others: Bots) -> None:
        seen = web3.eth.block_number
        while not stopped.wait(LOOK_SECONDS):
            try:
                if (newest := web3.eth.block_number) != seen:
                    others.act()
                    seen = newest
            except ChainError:
                pass  # somebody else was faster, or the chain is about to stop

    thread = Thread(target=act, args=(Bots(tessera),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@click.command(help=__doc__)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Of the page; 0: a free one."
)
@click.option("--chain-port", type=click.IntRange(0, 65535), default=8545, show_default=True, help="Of the chain.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT,
    help="Folder for the devnet's files; default: this checkout.",
)
def cli(port: int, chain_port: int, into: Path):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the devnet ends, too
    build()
    with (
        devnet(chain_port, into) as (process, deployment, tessera),
        serving(deployment, port) as address,
        bots(tessera),
    ):
        click.echo(f"\nThe page: {address}\n")
        try:
            process.wait()
            raise click.ClickException("the devnet stopped")
        except KeyboardInterrupt:
            click.echo("stopped")


if __name__ == "__main__":
    cli()
