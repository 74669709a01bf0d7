"""Close prize weeks, settle events and pay winners: see docs/operations.md.

\b
    ape run keeper plan --network ethereum:sepolia
    ape run keeper run --network ethereum:sepolia --account keeper --passphrase-file FILE

All it knows it reads from the chain: a run that was killed is simply started again, and two at once do no harm.

Exits with 0: all that was due is done; 1: bad input or no connection, nothing was sent; 2: a bad option; 3: something
was left undone, the report says what; 4: all is done but for winners whom the token refuses.
"""

import json
import logging
import shlex
import stat
import sys
from pathlib import Path

import click
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand
from ape.exceptions import ApeException
from ape.logging import LogLevel, logger
from rich.console import Console

from tessera.chain import ChainError, Deployment, Tessera
from tessera.chain.accounts import secret_of
from tessera.deployment.ape_accounts import account_of, record_path, wallet_of
from tessera.deployment.artifacts import ROOT
from tessera.index import Index
from tessera.keeper import report as told
from tessera.keeper.loop import Limits, Loop
from tessera.keeper.metrics import Alarms, Metrics
from tessera.keeper.plan import check_same, due
from tessera.keeper.round import Round
from tessera.keeper.round import run as run_round
from tessera.keeper.scene import Scene
from tessera.keeper.sender import GWEI, NODE_ERRORS, Sender
from tessera.keeper.terminal import Bar, keep, show_plan, stopped_by_signal

FOLDER = ROOT / ".cache" / "keeper"
HOUR, ETHER = 3600, 10**18

logger.set_level(LogLevel.ERROR)  # Ape tells of every connection and signature, in between what is ours
console = Console(highlight=False)
FILE = click.Path(dir_okay=False, path_type=Path)


def options(*several):
    """Adds options to a command, in this order."""

    def add(command):
        for option in reversed(several):
            command = option(command)
        return command

    return add


REPORTS = click.option(
    "--reports", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, help="Default: .cache/keeper."
)
CHAIN = options(
    click.option("--record", type=FILE, help="Of the deployment. Default: deployments/<network>.json."),
    click.option("--index", "index_url", help="Of the event index, for SQLAlchemy. Default: SQLite in .cache/keeper."),
    click.option("--no-buy-back", is_flag=True, help="Leave the buyback to others: it needs the keeper's role."),
    click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0."),
)
SENDING = options(
    click.option("--passphrase-file", type=FILE, help="Whose first line unlocks the account."),
    click.option("--max-gas-price", type=click.FloatRange(0, min_open=True), help="Gwei, tip included."),
    REPORTS,
)


class Keeper(click.Group):
    """Commands that turn what can go wrong outside into a message and exit code 1."""

    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except ChainError as error:
            advice = getattr(error, "advice", "")
            raise click.ClickException(f"{error}. {advice}" if advice else str(error)) from None
        except NODE_ERRORS as error:
            raise click.ClickException(f"the node failed: {' '.join(str(error).split())[:300]}") from None
        except ApeException as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Keeper, help=__doc__)
def cli():
    pass


@cli.command(cls=ConnectedProviderCommand)
@CHAIN
@click.option("--json", "as_json", is_flag=True, help="For a file that `run --plan` compares.")
def plan(provider: ProviderAPI, record, index_url, no_buy_back, account, as_json):
    """Say what is due and what it takes. Sends nothing, and unlocks no account."""
    address = None if account is None else account_of(provider, account)
    found = due(look(provider, record, index_url, address), buy_back=not no_buy_back)
    if as_json:
        click.echo(json.dumps(found.as_mapping(), indent=2))
    else:
        show_plan(found, console)


@cli.command(cls=ConnectedProviderCommand)
@CHAIN
@SENDING
@click.option("--plan", "plan_file", type=FILE, help="Written by `plan --json`: send nothing if something changed.")
def run(
    provider: ProviderAPI,
    record,
    index_url,
    no_buy_back,
    account,
    passphrase_file,
    max_gas_price,
    reports,
    plan_file,
):
    """Do all that is due, once. SIGTERM or Ctrl-C end it between two transactions."""
    scene, sender = ready(provider, record, index_url, account, passphrase_file, max_gas_price)
    found = due(scene, buy_back=not no_buy_back)
    if plan_file is not None:
        check_same(found, read_plan(plan_file))
    with stopped_by_signal() as stopping, Bar(console) as bar:
        done = run_round(scene, sender, found, watcher=bar, stopping=stopping.is_set)
    found, path = keep(scene, done, reports)
    show(found, path)
    sys.exit(done.exit_code)


@cli.command(cls=ConnectedProviderCommand)
@CHAIN
@SENDING
@options(
    click.option("--every", type=click.FloatRange(1), default=300, show_default=True, help="Seconds between looks."),
    click.option(
        "--metrics-port", type=click.IntRange(0, 65535), default=9185, show_default=True, help="0: a free one."
    ),
    click.option("--metrics-address", default="127.0.0.1", show_default=True, help="Where Prometheus may ask."),
    click.option(
        "--late-after", type=click.FloatRange(0), default=6, show_default=True, help="Hours until a week is late."
    ),
    click.option(
        "--low-balance", type=click.FloatRange(0), default=0.05, show_default=True, help="ETH below which to cry."
    ),
    click.option(
        "--alarm-command",
        default="",
        callback=lambda _context, _option, text: words_of(text),
        help="Run with two more arguments: the kind and a sentence.",
    ),
)
def loop(
    provider: ProviderAPI,
    record,
    index_url,
    no_buy_back,
    account,
    passphrase_file,
    max_gas_price,
    reports,
    every,
    metrics_port,
    metrics_address,
    late_after,
    low_balance,
    alarm_command,
):
    """Look every few minutes whether something is due, and do it, until SIGTERM or Ctrl-C."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("tessera.keeper").setLevel(logging.INFO)
    scene, sender = ready(provider, record, index_url, account, passphrase_file, max_gas_price)
    metrics = Metrics()
    try:
        port = metrics.serve(metrics_port, metrics_address)
    except OSError as error:
        where = f"{metrics_address}:{metrics_port}"
        raise ChainError(f"metrics cannot be served at {where}: {error.strerror}. Say --metrics-port") from None
    with stopped_by_signal() as stopping:
        click.echo(f"looking every {every:g} s as {sender.address}; metrics at http://{metrics_address}:{port}/metrics")
        Loop(
            scene,
            sender,
            metrics,
            Alarms(metrics.alarm, alarm_command),
            limits=Limits(every, late_after * HOUR, int(low_balance * ETHER)),
            buy_back=not no_buy_back,
            ended=lambda done: keep_and_name(scene, done, reports),
        ).keep(stopping)
    click.echo("stopped")


@cli.command()
@REPORTS
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True)
def report(reports: Path, name: str | None, as_json: bool):
    """Show the report of a round again: of the last, or of the one of that NAME (round-...)."""
    path, found = told.read(reports, name)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    show(found, path)


def look(provider: ProviderAPI, record: Path | None, index_url: str | None, account: str | None) -> Scene:
    """The deployment of a network as an account sees it. Raises ChainError."""
    path = record or record_path(provider)
    deployment = Deployment.load(path)
    tessera = Tessera(provider.web3, deployment)
    if index_url is None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        index_url = f"sqlite:///{FOLDER / f'index-{path.stem}-{deployment.chain_id}.sqlite'}"
    return Scene(tessera, Index(index_url, provider.web3, deployment), account)


def ready(
    provider: ProviderAPI,
    record: Path | None,
    index_url: str | None,
    account: str | None,
    passphrase_file: Path | None,
    max_gas_price: float | None,
) -> tuple[Scene, Sender]:
    """The same, with the account unlocked. Raises ChainError."""
    scene = look(provider, record, index_url, account_of(provider, account))
    wallet = wallet_of(provider, account, passphrase_of(account, passphrase_file))
    ceiling = None if max_gas_price is None else int(max_gas_price * GWEI)
    return scene, Sender(wallet, max_gas_price=ceiling)


def passphrase_of(account: str | None, path: Path | None) -> str | None:
    """What unlocks an account; None where nothing is locked. Raises ChainError where nobody is there to be asked."""
    if path is not None:
        if path.exists() and path.stat().st_mode & stat.S_IROTH:
            raise ChainError(f"{path} can be read by everybody: chmod 600 {path}")
        return secret_of(path)
    if account is None or account.startswith("TEST::"):
        return None
    if not sys.stdin.isatty():
        raise ChainError(f"{account} is locked: --passphrase-file FILE")
    return click.prompt(f"Passphrase of {account}", hide_input=True)


def read_plan(path: Path) -> dict:
    """A plan that was written before. Raises ChainError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ChainError(f"{path} is not a plan: make one with `keeper plan --json`") from None


def words_of(command: str) -> list[str]:
    """A command as a shell splits it. Raises BadParameter."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise click.BadParameter(f"{error} in {command!r}") from None


def show(found: dict, path: Path | None) -> None:
    """A report as tables, and where its files are."""
    told.show(found, console)
    if path is not None:
        click.echo(f"report: {path}")
        if found["money"]:
            click.echo(f"picture: {path.with_suffix('.svg')}")


def keep_and_name(scene: Scene, done: Round, folder: Path) -> None:
    """Writes a round's report and says where; what was done is in the log."""
    _, path = keep(scene, done, folder)
    if path is not None:
        click.echo(f"report: {path}")
