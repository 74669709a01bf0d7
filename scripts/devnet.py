"""A local chain with everything on it, until Ctrl-C.

`python scripts/devnet.py` starts npm's anvil (needs Node 20 or later), deploys, lets test accounts join and stake,
opens two markets and two events, writes deployments/devnet.json and frontend-abi/devnet.json, and prints addresses and
keys. The two files are there as long as the chain is. In another terminal:

\b
    python scripts/devnet.py pass --days 7    lets a week pass
    python scripts/devnet.py report 1 0       lets the panel say that event 1 ended with outcome 0
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import click
from web3 import Web3

from tessera.chain import ChainError, Tessera, Wallet, connect
from tessera.chain.embedded import ACCOUNTS, MNEMONIC, known_account
from tessera.chain.prediction_events import EventCreated
from tessera.deployment.artifacts import ROOT
from tessera.local.chain import DAY, LocalChain
from tessera.local.devnet import PAGE, PANEL, RECORD, populate, purse, report, running

ANVIL = ROOT / "node_modules" / ".bin" / "anvil"
START_SECONDS = 30


def require_anvil() -> None:
    """Installs anvil from package-lock.json where it is missing. Raises ClickException without Node."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise click.ClickException(
            f"a devnet needs Node 20 or later, and there is no {' and no '.join(missing)} here. "
            "Install it from nodejs.org or with your system's packages (Debian: apt-get install nodejs npm)."
        )
    if not ANVIL.exists():
        click.echo("installing anvil (npm ci)")
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit"], cwd=ROOT, check=True)  # noqa: S607


@contextmanager
def anvil(port: int, *options: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """Runs a chain of our own; yields its process and URL. Port 0: a free one. Raises ClickException if it cannot."""
    # Old states go to files, gigabytes of them, which an anvil that is told to end leaves behind.
    with NamedTemporaryFile("w+", prefix="anvil-", suffix=".log") as log, TemporaryDirectory(prefix="anvil-") as states:
        settings = ["--port", str(port), "--accounts", str(ACCOUNTS), "--mnemonic", MNEMONIC, "--cache-path", states]
        node = subprocess.Popen(  # noqa: S603
            [ANVIL, *settings, *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield node, f"http://{listening_at(node, Path(log.name))}"
        finally:
            if node.poll() is None:
                os.killpg(node.pid, signal.SIGTERM)
                node.wait()


def listening_at(node: subprocess.Popen, log: Path) -> str:
    """Where the process listens, by its own word: whatever else answers on a port is not it."""
    for _ in range(START_SECONDS * 10):
        text = log.read_text()
        for line in text.splitlines():
            if line.startswith("Listening on "):
                return line.removeprefix("Listening on ").strip()
        if node.poll() is not None:
            raise click.ClickException(f"anvil stopped: {' '.join(text.split()[-30:])}")
        time.sleep(0.1)
    raise click.ClickException(f"anvil did not start in {START_SECONDS} s: {log.read_text()[-500:]}")


def tell_pages(tessera: Tessera, url: str, path: Path) -> None:
    """Writes what a page needs to find this chain; the shape is `Devnet` in frontend-abi/ts/addresses.ts."""
    record = tessera.deployment
    site = {
        "chainId": record.chain_id,
        "rpcUrl": url,
        "firstBlock": record.first_block,
        "addresses": record.addresses,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(site, indent=2) + "\n")


def describe(tessera: Tessera, url: str, members: int) -> None:
    """Prints where everything is and who has which key."""
    click.echo(f"\nchain {tessera.deployment.chain_id} at {url}")
    for name, address in tessera.deployment.addresses.items():
        click.echo(f"  {name:<16} {address}")
    click.echo("\naccounts (keys that everybody knows: never send them anything of value)")
    for index in range(ACCOUNTS):
        account = known_account(index)
        roles = []
        if index == 0:
            roles.append("owner, event manager, keeper")
        elif index <= members + 1:
            roles.append(f"{'member' if index <= members else 'invited, to join'}: {purse(tessera, account.address)}")
        if index in PANEL:
            roles.append("of the panel, two of three")
        if roles:
            click.echo(f"  {account.address}  {Web3.to_hex(account.key)}  {'; '.join(roles)}")
    click.echo("\nevents (their outcomes are counted from 0)")
    for created in (row for row in tessera.log_reader().read() if isinstance(row, EventCreated)):
        outcomes = " / ".join(created.outcomes)
        click.echo(f"  {created.event_id}  {created.description} {outcomes}; until {date(created.not_before)}")


def date(timestamp: int) -> str:
    """Friday, 27 Nov 2026, 00:00 UTC."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%A, %d %b %Y, %H:%M} UTC"


INTO = click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT,
    help=f"Folder for {RECORD} and {PAGE}; default: this checkout.",
)


@click.group(help=__doc__, invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8545, show_default=True, help="0: a free one.")
@click.option("--members", type=click.IntRange(2, 18), default=8, show_default=True, help="Accounts that have joined.")
@INTO
@click.pass_context
def cli(context: click.Context, port: int, members: int, into: Path):
    if context.invoked_subcommand is not None:
        return
    require_anvil()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    record, page = into / RECORD, into / PAGE
    with anvil(port) as (node, url):
        try:
            tessera = populate(connect(url), members, record)
            tell_pages(tessera, url, page)
            describe(tessera, url, members)
            click.echo("\nready. Ctrl-C stops it.")
            node.wait()
            raise click.ClickException("anvil stopped")
        except KeyboardInterrupt:
            click.echo("stopped")
        finally:
            record.unlink(missing_ok=True)
            page.unlink(missing_ok=True)


@cli.command("pass")
@click.option("--days", type=click.FloatRange(0, 366, min_open=True), default=7, show_default=True)
@INTO
def let_days_pass(days: float, into: Path):
    """Move the running devnet's clock: blocks are mined, and the vaults earn their interest."""
    try:
        tessera = running(into)
        chain = LocalChain(tessera, Wallet(tessera.web3, known_account(0)))
        chain.let_pass(int(days * DAY))
    except ChainError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"it is {date(chain.now())}, block {tessera.web3.eth.block_number}")


@cli.command("report")
@click.argument("event", type=click.IntRange(1))
@click.argument("outcome", type=click.IntRange(0))
@INTO
def let_panel_report(event: int, outcome: int, into: Path):
    """Let the devnet's panel say that EVENT ended with OUTCOME, counted from 0."""
    try:
        report(running(into), event, outcome)
    except ChainError as error:
        raise click.ClickException(f"{error}. {getattr(error, 'advice', '')}".strip()) from None
    click.echo(f"event {event}: the panel has decided for outcome {outcome}")


if __name__ == "__main__":
    cli()
