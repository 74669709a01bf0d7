"""A local chain with everything on it, until Ctrl-C.

`python scripts/devnet.py` starts npm's anvil (needs Node 20 or later), deploys, lets test accounts join, opens two
markets, writes deployments/devnet.json and frontend-abi/devnet.json, and prints addresses and keys. The two files are
there as long as the chain is.
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
from pathlib import Path
from tempfile import NamedTemporaryFile

import click
from web3 import HTTPProvider, Web3

from tessera.chain import EUR, WAD, Outcome, Terms, Tessera, Wallet
from tessera.chain.artifacts import ROOT
from tessera.chain.deploy import deploy
from tessera.chain.embedded import ACCOUNTS, MNEMONIC, known_account
from tessera.chain.markets import MarketCreated

ANVIL = ROOT / "node_modules" / ".bin" / "anvil"
RECORD = "deployments/devnet.json"
PAGE = "frontend-abi/devnet.json"
START_SECONDS = 30
SHORTEST_WINDOW = 60
HOUR = 3600


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
def anvil(port: int) -> Iterator[tuple[subprocess.Popen, str]]:
    """Runs a chain of our own; yields its process and URL. Port 0: a free one. Raises ClickException if it cannot."""
    with NamedTemporaryFile("w+", prefix="anvil-", suffix=".log") as log:
        node = subprocess.Popen(  # noqa: S603
            [ANVIL, "--port", str(port), "--accounts", str(ACCOUNTS), "--mnemonic", MNEMONIC],
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


def populate(web3: Web3, members: int, path: Path) -> Tessera:
    """Deploys all, lets accounts 1 to `members` join, invites the next one, and opens two markets with a bet each."""
    owner, *friends = (Wallet(web3, known_account(index)) for index in range(members + 2))
    record = deploy(owner, "friends", {"shortest_window": SHORTEST_WINDOW}, network="devnet", path=path)
    tessera = Tessera(web3, record)
    tessera.play_euro.invite(owner, [friend.address for friend in friends])
    for friend in friends[:-1]:
        tessera.play_euro.join(friend, consent=1)
    now = web3.eth.get_block("latest")["timestamp"]
    for creator, bettor, question, p0, hours in (
        (friends[0], friends[1], "Will it rain in Vienna tomorrow?", WAD * 62 // 100, 24),
        (friends[1], friends[0], "Will the home team win on Saturday?", WAD * 30 // 100, 7 * 24),
    ):
        terms = Terms(
            question, "It does.", "It does not.", "As reported by the source.", "The newspaper of the day after."
        )
        created = tessera.markets.create_market(
            creator, terms, p0=p0, expected_result_at=now + hours * HOUR, dispute_window=SHORTEST_WINDOW
        )
        tessera.markets.bet(bettor, created.the(MarketCreated).market_id, Outcome.YES, min_shares=WAD)
    return tessera


def tell_pages(tessera: Tessera, url: str, path: Path) -> None:
    """Writes what a page needs to find this chain; the shape is `Devnet` in frontend-abi/ts/addresses.ts."""
    record = tessera.deployment
    found = {
        "chainId": record.chain_id,
        "rpcUrl": url,
        "firstBlock": record.first_block,
        "addresses": record.addresses,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n")


def describe(tessera: Tessera, url: str, members: int) -> None:
    """Prints where everything is and who has which key."""
    click.echo(f"\nchain {tessera.deployment.chain_id} at {url}")
    for name, address in tessera.deployment.addresses.items():
        click.echo(f"  {name:<12} {address}")
    click.echo("\naccounts (keys that everybody knows: never send them anything of value)")
    for index in range(members + 2):
        account = known_account(index)
        role = "owner" if index == 0 else "invited, to join" if index > members else ""
        balance = tessera.escrow.balance_of(account.address)
        role = role or f"member, {balance / EUR:.2f} EUR"
        click.echo(f"  {account.address}  {Web3.to_hex(account.key)}  {role}")


@click.command(help=__doc__)
@click.option("--port", type=click.IntRange(0, 65535), default=8545, show_default=True, help="0: a free one.")
@click.option("--members", type=click.IntRange(2, 18), default=8, show_default=True, help="Accounts that have joined.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT,
    help=f"Folder for {RECORD} and {PAGE}; default: this checkout.",
)
def cli(port: int, members: int, into: Path):
    require_anvil()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    record, page = into / RECORD, into / PAGE
    with anvil(port) as (node, url):
        try:
            tessera = populate(Web3(HTTPProvider(url)), members, record)
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


if __name__ == "__main__":
    cli()
