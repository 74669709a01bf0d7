"""What scripts/web.py and scripts/club.py share: the built page, a devnet in a process of its own, its other people."""

import fcntl
import hashlib
import json
import shutil
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
from tessera.local.bots import Bots
from tessera.local.devnet import PAGE, running

WEB = ROOT / "web"
DIST = WEB / "dist"
MADE, SOURCES = ("dist", "node_modules"), (WEB, ROOT / "frontend-abi")
BUILT = DIST / ".built"  # what it was built from
DEVNET = [sys.executable, "-u", "scripts/devnet.py"]
LOOK_SECONDS = 1
HERE, EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")  # noqa: S104
ELSEWHERE = ("192.0.2.1", 9)  # an address of nobody's (RFC 5737): nothing is sent there


def build() -> None:
    """Builds web/dist where it is not what its sources make, after installing what it needs.

    Of several processes one builds. Raises ClickException without Node or where the build fails."""
    if shutil.which("npm") is None:
        raise click.ClickException(
            "the page needs Node 20 or later: install it from nodejs.org or with your system's packages"
        )
    with (WEB / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = _sources()
        if BUILT.exists() and BUILT.read_text() == sources:
            return
        if not (WEB / "node_modules" / ".package-lock.json").exists():
            npm("ci", "--no-fund", "--no-audit")
        BUILT.unlink(missing_ok=True)
        npm("run", "build", "--", "--logLevel", "warn")
        BUILT.write_text(sources)


def _sources() -> str:
    """A hash of the names and contents of all files that web/dist is made from."""
    digest = hashlib.sha256()
    parts = [part for folder in SOURCES for part in folder.iterdir() if part.name not in MADE]
    files = {path for part in parts for path in (part, *part.rglob("*")) if path.is_file()}
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def npm(*arguments: str) -> None:
    """Runs npm in web/. Raises ClickException where it fails."""
    if subprocess.run(["npm", "--silent", *arguments], cwd=WEB, check=False).returncode:  # noqa: S603, S607
        raise click.ClickException(f"npm {arguments[0]} failed in {WEB}")


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
