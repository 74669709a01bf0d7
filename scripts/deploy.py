"""Deploy Tessera's contracts and keep a record in deployments/<network>.json.

    ape run deploy friends --network ethereum:sepolia --account ALIAS
    ape run deploy hosted --network ethereum:sepolia --account ALIAS
    ape run deploy micro --network ethereum:sepolia --account ALIAS
    ape run deploy tickets --network ethereum:sepolia --account ALIAS --parameters FILE

A second run finds what the record knows, checks its code, and does only what is missing; so does a run after a crash.
--dry-run prints the plan, with the gas each step took on a chain inside this process.
"""

from pathlib import Path

import click
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand
from web3 import Web3

from tessera.chain.errors import ChainError
from tessera.deployment.ape_accounts import record_path, wallet_of
from tessera.deployment.deploy import (
    PRODUCTS,
    Report,
    check_chain,
    deploy,
    hosted_parameters,
    is_done,
    micro_parameters,
    open_record,
    rehearse,
)
from tessera.deployment.operators import Commands
from tessera.deployment.parameters import faults_on_chain, read_parameters
from tessera.local.chain import DAY
from tessera.local.devnet import TICKETS


@click.group(cls=Commands, help=__doc__)
def cli():
    pass


@cli.command(cls=ConnectedProviderCommand)
@click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0.")
@click.option(
    "--shortest-window",
    type=click.IntRange(1, 24 * 3600),
    default=12 * 3600,
    show_default=True,
    help="Least dispute window in seconds.",
)
@click.option("--record", type=click.Path(path_type=Path), help="Default: deployments/<network>.json.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
def friends(provider: ProviderAPI, account: str | None, shortest_window: int, record: Path | None, dry_run: bool):
    """PlayEuro, Escrow and LmsrMarkets for a club of friends."""
    run(provider, "friends", {"shortest_window": shortest_window}, account, record or record_path(provider), dry_run)


@cli.command(cls=ConnectedProviderCommand)
@click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0.")
@click.option(
    "--parameters",
    type=click.Path(path_type=Path),
    help="TOML file: assets, vaults, feeds, market, schedule, proposers (docs/tickets.md). Local networks do without.",
)
@click.option("--record", type=click.Path(path_type=Path), help="Default: deployments/<network>.json.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
def tickets(provider: ProviderAPI, account: str | None, parameters: Path | None, record: Path | None, dry_run: bool):
    """Staked tickets: Panels, BetToken, StakingPool, PredictionEvents, PrizePool, and the Timelock that is to own them.

    Without --parameters, on a local network, stand-ins for stablecoins, vaults, feeds and market come with it.
    """
    path = record or record_path(provider)
    run(provider, "tickets", ticket_parameters(provider, parameters, path), account, path, dry_run)
    if parameters is not None and not dry_run:
        click.echo("The timelock owns the contracts once it has accepted: docs/tickets.md, Deployment.")


@cli.command(cls=ConnectedProviderCommand)
@click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0.")
@click.option("--record", type=click.Path(path_type=Path), help="Default: deployments/<network>.json.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
def hosted(provider: ProviderAPI, account: str | None, record: Path | None, dry_run: bool):
    """Hosted bets: Panels, ProrataBets, OddsBets and OddsLens, on the Escrow of `friends`."""
    path = record or record_path(provider)
    run(provider, "hosted", hosted_parameters(provider.web3, path), account, path, dry_run)


@cli.command(cls=ConnectedProviderCommand)
@click.option("--account", help="Alias of an Ape account, or TEST::n. Local networks: TEST::0.")
@click.option(
    "--short-window",
    type=click.IntRange(1, 7 * DAY),
    default=DAY,
    show_default=True,
    help="Seconds to answer what the player posted: a day at least, on local chains a second.",
)
@click.option(
    "--long-window",
    type=click.IntRange(1, 7 * DAY),
    default=2 * DAY,
    show_default=True,
    help="Seconds to answer what anybody else posted: two days at least, on local chains a second.",
)
@click.option("--record", type=click.Path(path_type=Path), help="Default: deployments/<network>.json.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
def micro(
    provider: ProviderAPI, account: str | None, short_window: int, long_window: int, record: Path | None, dry_run: bool
):
    """Micro-bets on live streams: Panels and MicroSessions, on the Escrow of `friends`."""
    path, windows = record or record_path(provider), {"short_window": short_window, "long_window": long_window}
    run(provider, "micro", micro_parameters(provider.web3, path, windows), account, path, dry_run)


def ticket_parameters(provider: ProviderAPI, file: Path | None, record: Path) -> dict:
    """What to deploy. Raises ChainError where the file is wrong, or, as long as nothing is deployed, the chain is not
    what the file takes it for."""
    if file is None:
        if not provider.network.is_dev:
            raise ChainError("say what to deploy over: --parameters FILE (docs/tickets.md shows one)")
        return TICKETS
    wanted = read_parameters(file)
    faults = [] if record.exists() else faults_on_chain(provider.web3, wanted)
    if faults:
        raise ChainError(f"{file} is not of this chain:\n" + "\n".join(f"  {fault}" for fault in faults))
    return wanted


def run(provider: ProviderAPI, product: str, parameters: dict, account: str | None, path: Path, dry_run: bool):
    """Deploys a product, or prints what deploying it would do."""
    chain_id = provider.web3.eth.chain_id  # Ape takes every local chain for its own 1337
    click.echo(f"{product} {parameters} on {provider.network.choice}, chain {chain_id}, record {path.name}")
    if dry_run:
        plan(provider.web3, product, parameters, path)
        return
    wallet = wallet_of(provider, account)
    click.echo(f"sending as {wallet.address}")
    deploy(wallet, product, parameters, network=path.stem, path=path, report=tell)
    click.echo(f"written: {path}")


def plan(web3: Web3, product: str, parameters: dict, path: Path):
    """Prints each step: done, or to do with its gas."""
    check_chain(web3, product)
    record = open_record(web3, path, path.stem)
    total = 0
    rehearsed = rehearse(product, parameters, web3.eth.chain_id)
    for step, rehearsal in zip(PRODUCTS[product](**parameters), rehearsed, strict=True):
        if is_done(web3, record, step):
            click.echo(f"  done   {step}")
        else:
            click.echo(f"  to do  {step}: {rehearsal.gas:,} gas")
            total += rehearsal.gas
    price = web3.eth.gas_price
    click.echo(f"{total:,} gas, {total * price / 1e18:.6f} ETH at {price / 1e9:.3f} gwei. Nothing was sent.")


def tell(report: Report):
    """Prints what became of a step."""
    what = f"{report.gas:,} gas" if report.gas else "was done"
    click.echo(f"  {report.step}: {what}{f', at {report.address}' if report.address else ''}")
