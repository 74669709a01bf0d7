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
import sys
from decimal import Decimal
from pathlib import Path

import click
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand
from ape.logging import LogLevel, logger
from rich.console import Console

from tessera.chain import ChainError, Deployment, Tessera, Wallet
from tessera.chain.fees import GWEI, gas_price
from tessera.deployment.ape_accounts import account_of, record_path, wallet_of
from tessera.deployment.artifacts import ROOT
from tessera.deployment.operators import Commands, passphrase_of, wei_of
from tessera.index import Index
from tessera.keeper import report as reporting
from tessera.keeper.alarms import Alarms, Limits
from tessera.keeper.loop import Loop
from tessera.keeper.metrics import Metrics
from tessera.keeper.plan import Costs, check_same, due
from tessera.keeper.round import Round
from tessera.keeper.round import run as run_round
from tessera.keeper.terminal import Bar, show_plan, stopped_by_signal, write_report
from tessera.keeper.view import Choices, View

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
GAS_PRICE = click.option(
    "--max-gas-price",
    type=click.FloatRange(0, min_open=True),
    help="Gwei, tip included. Default: three times the usual base fee and twice the usual tip, or 5.",
)
BUDGET = click.option(
    "--budget", type=click.FloatRange(0), default=0.1, show_default=True, help="ETH that a round may spend on gas."
)
CHAIN = options(
    click.option("--record", type=FILE, help="Of the deployment. Default: deployments/<network>.json."),
    click.option("--index", "index_url", help="Of the event index, for SQLAlchemy. Default: SQLite in .cache/keeper."),
    click.option("--no-buy-back", is_flag=True, help="Leave the buyback to others: it needs the keeper's role."),
    click.option("--no-pay", is_flag=True, help="Leave paying winners to others."),
    click.option(
        "--min-prize", type=click.FloatRange(0), default=0, show_default=True, help="Leave smaller prizes, in USD."
    ),
    click.option("--ether-price", type=click.FloatRange(0), help="USD: leave prizes below the gas of paying them."),
    click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0."),
    GAS_PRICE,
    BUDGET,
)
SENDING = options(
    click.option("--passphrase-file", type=FILE, help="Whose first line unlocks the account."),
    REPORTS,
)


@click.group(cls=Commands, help=__doc__)
def cli():
    pass


@cli.command(cls=ConnectedProviderCommand)
@CHAIN
@click.option("--json", "as_json", is_flag=True, help="For a file that `run --plan` compares.")
def plan(provider: ProviderAPI, as_json: bool, account: str | None, **chosen):
    """Say what is due and what it takes. Sends nothing, and unlocks no account."""
    address = None if account is None else account_of(provider, account)
    view = view_of(provider, address, **chosen)
    steps = due(view)
    price = gas_price(view.web3, wei_of(chosen["max_gas_price"], GWEI))
    balance = None if address is None else view.web3.eth.get_balance(address)
    costs = Costs(steps.gas, price, wei_of(chosen["budget"], ETHER), balance)
    if as_json:
        click.echo(json.dumps(steps.as_mapping() | costs.as_mapping(), indent=2))
    else:
        show_plan(steps, console, costs)


@cli.command(cls=ConnectedProviderCommand)
@CHAIN
@SENDING
@click.option("--plan", "plan_file", type=FILE, help="Written by `plan --json`: send nothing if something changed.")
def run(provider: ProviderAPI, reports: Path, plan_file: Path | None, **chosen):
    """Do all that is due, once. SIGTERM or Ctrl-C end it between two transactions."""
    view, wallet = ready(provider, **chosen)
    steps = due(view)
    if plan_file is not None:
        check_same(steps, read_plan(plan_file))
    with stopped_by_signal() as stopping, Bar(console) as bar:
        budget = wei_of(chosen["budget"], ETHER)
        done = run_round(view, wallet, steps, budget=budget, watcher=bar, stopping=stopping.is_set)
    report, path = write_report(view, done, reports)
    show(report, path)
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
        "--late-after",
        type=click.FloatRange(0),
        default=6,
        show_default=True,
        help="Hours after which a week, a winner, a step or the node is late.",
    ),
    click.option(
        "--panel-notice",
        type=click.FloatRange(0),
        default=24,
        show_default=True,
        help="Hours before a deadline at which a panel has to have decided.",
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
    reports: Path,
    every: float,
    metrics_port: int,
    metrics_address: str,
    late_after: float,
    panel_notice: float,
    low_balance: float,
    alarm_command: list[str],
    **chosen,
):
    """Look every few minutes whether something is due, and do it, until SIGTERM or Ctrl-C."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    logging.getLogger("tessera.keeper").setLevel(logging.INFO)
    view, wallet = ready(provider, **chosen)
    metrics = Metrics()
    try:
        port = metrics.serve(metrics_port, metrics_address)
    except OSError as error:
        where = f"{metrics_address}:{metrics_port}"
        raise ChainError(f"metrics cannot be served at {where}: {error.strerror}. Say --metrics-port") from None
    with stopped_by_signal() as stopping:
        click.echo(f"looking every {every:g} s as {wallet.address}; metrics at http://{metrics_address}:{port}/metrics")
        Loop(
            view,
            wallet,
            metrics,
            Alarms(metrics.alarm, alarm_command),
            limits=Limits(every, late_after * HOUR, panel_notice * HOUR, int(low_balance * ETHER)),
            budget=wei_of(chosen["budget"], ETHER),
            ended=lambda done: write_and_name(view, done, reports),
        ).keep(stopping)
    click.echo("stopped")


@cli.command()
@REPORTS
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True)
def report(reports: Path, name: str | None, as_json: bool):
    """Show the report of a round again: of the last, or of the one of that NAME (round-...)."""
    path, written = reporting.read(reports, name)
    if as_json:
        click.echo(json.dumps(written, indent=2))
        return
    show(written, path)


def view_of(
    provider: ProviderAPI,
    account: str | None,
    *,
    record: Path | None,
    index_url: str | None,
    no_buy_back: bool,
    no_pay: bool,
    min_prize: float,
    ether_price: float | None,
    **_,
) -> View:
    """The deployment of a network as an account sees it. Raises ChainError."""
    path = record or record_path(provider)
    deployment = Deployment.load(path)
    tessera = Tessera(provider.web3, deployment)
    if index_url is None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        index_url = f"sqlite:///{FOLDER / f'index-{path.stem}-{deployment.chain_id}.sqlite'}"
    view = View(tessera, Index(index_url, provider.web3, deployment), account)
    view.choices = Choices(
        not no_buy_back,
        not no_pay,
        int(min_prize * 10**view.prize_token.decimals) if min_prize else 0,
        None if ether_price is None else Decimal(str(ether_price)),
    )
    return view


def ready(
    provider: ProviderAPI, *, account: str | None, passphrase_file: Path | None, max_gas_price: float | None, **chosen
) -> tuple[View, Wallet]:
    """The same, with the account unlocked. Raises ChainError."""
    view = view_of(provider, account_of(provider, account), **chosen)
    wallet = wallet_of(provider, account, passphrase_of(account, passphrase_file))
    wallet.alone, wallet.max_gas_price = True, wei_of(max_gas_price, GWEI)
    return view, wallet


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


def show(report: dict, path: Path | None) -> None:
    """A report as tables, and where its files are."""
    reporting.show(report, console)
    if path is not None:
        click.echo(f"report: {path}")
        if report["money"]:
            click.echo(f"picture: {path.with_suffix('.svg')}")


def write_and_name(view: View, done: Round, folder: Path) -> None:
    """Writes a round's report and says where; what was done is in the log."""
    _, path = write_report(view, done, folder)
    if path is not None:
        click.echo(f"report: {path}")
