"""Offer the bets of a file, take players' bets over WebSocket, land, confirm, settle and pay them: see docs/host.md.

\b
    ape run host --bets bets.ini --panel NUMBER --network ethereum:sepolia --account host --passphrase-file FILE

All it knows it reads from the chain and from its database: killed anywhere, it is simply started again. SIGTERM or
Ctrl-C end it after the transaction that is under way. --dry-run says what it would offer, and signs and sends nothing.
"""

import logging
import sys
from pathlib import Path
from threading import Thread

import click
import uvicorn
from ape.api import ProviderAPI
from ape.logging import LogLevel, logger

from tessera.chain import Deployment, Tessera
from tessera.chain.deployments import history_of
from tessera.chain.erc20 import Token
from tessera.chain.fees import GWEI
from tessera.deployment.ape_accounts import account_of, record_path, wallet_of
from tessera.deployment.artifacts import ROOT
from tessera.deployment.operators import OneCommand, passphrase_of, wei_of
from tessera.host.bets_file import Bet, read_bets
from tessera.host.frames import MOST_BYTES, iso
from tessera.host.node import Node
from tessera.host.server import app_of
from tessera.host.store import Store
from tessera.index import Index
from tessera.keeper.terminal import stopped_by_signal

FOLDER = ROOT / ".cache" / "host"
ETHER = 10**18
CLOSING_SECONDS = 5  # that players' connections get to end in
FILE = click.Path(dir_okay=False, path_type=Path)

logger.set_level(LogLevel.ERROR)  # Ape tells of every connection and signature


@click.command(cls=OneCommand, help=__doc__)
@click.option("--bets", "bets_file", type=FILE, required=True, help="The bets: docs/host.md says what it may contain.")
@click.option("--panel", help="Number of the panel that decides where the file names none.")
@click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0.")
@click.option("--passphrase-file", type=FILE, help="Whose first line unlocks the account.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address that players connect to.")
@click.option("--port", type=click.IntRange(1, 65535), default=8700, show_default=True)
@click.option("--domain", help="Name that players' wallets show when they sign in. Default: address and port.")
@click.option("--budget", type=click.FloatRange(0), default=0.1, show_default=True, help="ETH for gas, each 24 hours.")
@click.option("--max-gas-price", type=click.FloatRange(0, min_open=True), help="Gwei, tip included.")
@click.option("--every", type=click.FloatRange(0.1), default=2, show_default=True, help="Seconds between looks.")
@click.option("--record", type=FILE, help="Of the deployment. Default: deployments/<network>.json.")
@click.option("--database", help="Of the host, for SQLAlchemy. Default: SQLite in .cache/host.")
@click.option("--index", "index_url", help="Of the event index, which hosts can share. Default: SQLite in .cache/host.")
@click.option("--dry-run", is_flag=True, help="Say what would be offered; sign and send nothing.")
def cli(
    provider: ProviderAPI,
    bets_file: Path,
    panel: str | None,
    account: str | None,
    passphrase_file: Path | None,
    listen: str,
    port: int,
    domain: str | None,
    budget: float,
    max_gas_price: float | None,
    every: float,
    record: Path | None,
    database: str | None,
    index_url: str | None,
    dry_run: bool,
):
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("tessera.host").setLevel(logging.INFO)
    path = record or record_path(provider)
    deployment = Deployment.load(path)
    tessera = Tessera(provider.web3, deployment)
    decimals = Token.of(provider.web3, tessera.escrow.token()).decimals
    bets = read_bets(bets_file, decimals=decimals, defaults={} if panel is None else {"panel": panel})
    address = account_of(provider, account)
    if dry_run:
        show(bets, address, decimals)
        return
    wallet = wallet_of(provider, account, passphrase_of(account, passphrase_file))
    wallet.alone, wallet.max_gas_price = True, wei_of(max_gas_price, GWEI)
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = history_of(provider.web3, deployment)
    node = Node(
        tessera,
        Index(index_url or f"sqlite:///{FOLDER / f'index-{name}-{address[:10]}.db'}", provider.web3, deployment),
        Store(database or f"sqlite:///{FOLDER / f'host-{name}.db'}", address),
        wallet,
        bets,
        decimals=decimals,
        budget=wei_of(budget, ETHER),
    )
    over = sum(not node.view.is_open(offered) for offered in node.catalogue.offered)
    click.echo(f"{len(bets)} bets{f', {over} of them over,' if over else ''} as {address} at ws://{listen}:{port}/")
    # The server hears a signal first, ends, and raises it again: without a handler the process would end right there.
    with stopped_by_signal() as stopping:
        worker = Thread(target=node.run, args=(stopping, every), name="host")
        worker.start()
        try:
            app = app_of(node, domain or f"{listen}:{port}", deployment.chain_id)
            uvicorn.run(
                app,
                host=listen,
                port=port,
                # What is a little too large is answered with an error, what is much too large ends the connection.
                ws_max_size=4 * MOST_BYTES,
                timeout_graceful_shutdown=CLOSING_SECONDS,
                log_level="warning",
            )
        finally:
            stopping.set()
            node.stop()
            worker.join()
    click.echo("stopped")


def show(bets: list[Bet], address: str, decimals: int) -> None:
    """Prints what a host would offer."""
    for bet in bets:
        least, most = (f"{amount / 10**decimals:g}" for amount in (bet.min_stake, bet.max_stake))
        parts = [", ".join(bet.predictions), f"{least} to {most}"]
        if bet.odds:
            parts.append(f"odds {', '.join(f'{profit / 10:g}%' for profit in bet.odds)}, edge {bet.edge:.2%}")
        ends = "24 h after it is first offered" if bet.closes_at is None else f"at {iso(bet.closes_at)}"
        click.echo(f"  {bet.number}  {bet.description}: {'; '.join([*parts, f'ends {ends}'])}")
    click.echo(f"{len(bets)} bets as {address}. Nothing was signed or sent.")
