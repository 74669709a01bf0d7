"""Run the live engine of a stream: takes bets over WebSocket and REST, and closes sessions on chain: see docs/live.md.

\b
    ape run live --stream NUMBER --file stream.toml --operator KEYFILE --house KEYFILE --passphrase-file FILE

All it knows it reads from the chain and from its journal: killed anywhere, it is simply started again. --dry-run says
what it would ask, and signs and sends nothing.
"""

import asyncio
import logging
import secrets
import signal
import sys
from pathlib import Path

import click
import ntplib
import uvicorn
from ape.api import ProviderAPI
from ape.logging import LogLevel, logger
from eth_account.signers.local import LocalAccount
from fastapi import FastAPI

from tessera.chain import Deployment, Tessera, Wallet
from tessera.chain.accounts import from_key_file
from tessera.chain.deployments import history_of
from tessera.chain.embedded import known_account
from tessera.chain.errors import ChainError
from tessera.deployment.ape_accounts import record_path
from tessera.deployment.artifacts import ROOT
from tessera.deployment.operators import OneCommand, passphrase_of
from tessera.live.chain import Watch
from tessera.live.clock import Guard
from tessera.live.engine import Engine
from tessera.live.facts import Facts
from tessera.live.journal import Journal, is_database
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.keys import Key
from tessera.live.memory import Memory
from tessera.live.panel import Panel
from tessera.live.runner import CHAIN_SECONDS, Runner
from tessera.live.server import app_of, server_of
from tessera.live.service import Service
from tessera.live.stream_file import Feed, read_stream
from tessera.live.visitors import MOST_CONNECTIONS

FOLDER = ROOT / ".cache" / "live"
FILE = click.Path(dir_okay=False, path_type=Path)

logger.set_level(LogLevel.ERROR)  # Ape tells of every connection and signature


def account_of(name: str, passphrase_file: Path | None, *, is_local: bool) -> LocalAccount:
    """The account of a key file, or on a local network of TEST::n. Raises ChainError."""
    if name.startswith("TEST::"):
        if not is_local or not name.removeprefix("TEST::").isdecimal():
            raise ChainError(f"{name}: TEST::n is for local networks; name a key file")
        return known_account(int(name.removeprefix("TEST::")))
    passphrase = passphrase_of(name, passphrase_file)
    return from_key_file(name, passphrase or "")


@click.command(cls=OneCommand, help=__doc__)
@click.option("--stream", "stream_id", type=click.IntRange(0), required=True, help="Number of the stream.")
@click.option("--file", "path", type=FILE, required=True, help="Terms and questions, as docs/live.md says.")
@click.option("--operator", required=True, help="Key file of the stream's operator, or TEST::n on a local network.")
@click.option("--house", required=True, help="Key file of the house key, which signs receipts, or TEST::n.")
@click.option("--passphrase-file", type=FILE, help="Whose first line unlocks both key files.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address that players connect to.")
@click.option("--port", type=click.IntRange(1, 65535), default=8800, show_default=True)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=MOST_CONNECTIONS,
    show_default=True,
    help="Of one address, that follow no session.",
)
@click.option("--ntp", help="A time server; bets stop while the clock is more than half a second off.")
@click.option("--record", type=FILE, help="The deployment's record. Default: deployments/NETWORK.json.")
@click.option(
    "--journal", default=str(FOLDER), help="Folder of the journal, or the postgresql:// URL of one that machines share."
)
@click.option("--public", help="HOST:PORT by which gateways reach this engine. Default: that of --listen and --port.")
@click.option(
    "--files",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the public record. Default: one for the stream, in .cache/live.",
)
@click.option("--files-at", metavar="URL", help="Where people find that folder, if not at this engine's own /files/.")
@click.option("--every", type=click.FloatRange(0.1), default=CHAIN_SECONDS, show_default=True, help="Seconds, to look.")
@click.option("--dry-run", is_flag=True, help="Say what it would ask; sign and send nothing.")
def cli(
    provider: ProviderAPI,
    stream_id: int,
    path: Path,
    operator: str,
    house: str,
    passphrase_file: Path | None,
    listen: str,
    port: int,
    connections: int,
    ntp: str | None,
    record: Path | None,
    journal: str,
    public: str | None,
    files: Path | None,
    files_at: str | None,
    every: float,
    dry_run: bool,
):
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("tessera.live").setLevel(logging.INFO)
    deployment = Deployment.load(record or record_path(provider))
    tessera = Tessera(provider.web3, deployment)
    terms, askings = read_stream(path)
    on_chain = tessera.sessions.stream(stream_id)
    if dry_run:
        for asking in askings:
            chances = ", ".join(f"{chance / 10_000:g}%" for chance in asking.chances_ppm)
            click.echo(f"  every {asking.every} s: {asking.text} ({asking.kind.name.lower()}; {chances})")
        click.echo(f"{len(askings)} questions on stream {stream_id}. Nothing was signed or sent.")
        return
    is_local = provider.network.is_dev
    operator_account = account_of(operator, passphrase_file, is_local=is_local)
    house_account = account_of(house, passphrase_file, is_local=is_local)
    if on_chain.operator != operator_account.address:
        raise ChainError(f"{operator_account.address} is not the operator of stream {stream_id}")
    domain, panel_id = tessera.sessions.domain, on_chain.panel_id
    members = tuple(tessera.panels.members_of(panel_id))
    panel = Panel(panel_id, tessera.panels.address, members, tessera.panels.threshold_of(panel_id), domain)
    identity = f"stream {stream_id} of {domain.contract} on chain {domain.chain_id}"
    keys = Key(bytes(house_account.key)), Key(bytes(operator_account.key))
    wallet = Wallet(provider.web3, operator_account, alone=True)

    # A local chain that was begun anew has the same addresses.
    history = history_of(provider.web3, deployment)
    published = files or FOLDER / f"{history}-{stream_id}-public"
    stream_name = f"{identity}, {history}"
    gateway_key = secrets.token_urlsafe()  # which the journal's database tells to gateways

    def open_journal() -> Journal:
        if is_database(journal):
            from tessera.live.journal.postgres import PostgresJournal

            address = f"ws://{public or f'{listen}:{port}'}/ws?gateway={gateway_key}"
            return PostgresJournal(journal, stream_name, address)
        return SqliteJournal(Path(journal) / f"{history}-{stream_id}.db", identity)

    def runner(taken: Journal, memory: Memory, facts: Facts, watch: Watch) -> Runner:
        guard = Guard(watches_drift=ntp is not None, follows_chain=is_local)
        engine = Engine(domain, stream_id, panel, terms, *keys, taken, guard, memory, facts)
        drift = None if ntp is None else lambda: round(-1_000 * ntplib.NTPClient().request(ntp, timeout=5).offset)
        click.echo(f"stream {stream_id}, epoch {taken.epoch}, at ws://{listen}:{port}/ws")
        if engine.is_asking:
            click.echo("the database is another one than before: observers are asked whether the record is whole")
        if memory.has_ended:
            click.echo("the stream has ended, since its journal lost a line: sessions are closed, and no bet is taken")
        return Runner(
            engine, watch, wallet, every=every, feed=Feed(askings), drift=drift, files=published, files_at=files_at
        )

    def door(running: Runner) -> FastAPI:
        return app_of(running, gateway_key=gateway_key, most_connections=connections)

    service = Service(
        open_journal,
        lambda: Memory(domain, stream_id),
        lambda: Watch(tessera),
        runner,
        lambda running: serve(running, server_of(door(running), listen, port, "warning")),
        click.echo,
        confirmations=terms.confirmations,
        every=every,
    )
    asyncio.run(run_until_stopped(service))
    click.echo("stopped")


async def run_until_stopped(service: Service) -> None:
    """Runs until SIGTERM or SIGINT, which the server, where it serves, hears first and passes on."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(service.stopping.set))
    await service.run()


async def serve(runner: Runner, server: uvicorn.Server) -> None:
    """Serves until it is told to stop, or the journal fails."""

    async def stop() -> None:
        await runner.has_stopped.wait()
        server.should_exit = True

    stopping = asyncio.create_task(stop())
    await server.serve()
    stopping.cancel()
