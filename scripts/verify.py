"""Compare the chain with deployments/<network>.json and this checkout: code, constructor arguments, wiring, owners.

    ape run verify --network ethereum:sepolia

Exits with 1 and says what differs. What the owner of StakingPool did with its assets since (added, retired, closed,
given another vault) is no difference: a table says how they stand.
"""

from pathlib import Path

import click
from ape.api import ProviderAPI

from tessera.chain.deployments import Deployment
from tessera.deployment.ape_accounts import record_path
from tessera.deployment.assets import StandingAsset, standing_assets
from tessera.deployment.deploy import differences
from tessera.deployment.operators import OneCommand


@click.command(cls=OneCommand, help=__doc__)
@click.option("--owner", help="Who should own the contracts. Default: who deployed them.")
@click.option("--record", type=click.Path(path_type=Path), help="Default: deployments/<network>.json.")
def cli(provider: ProviderAPI, owner: str | None, record: Path | None):
    path = record or record_path(provider)
    deployment = Deployment.load(path)
    faults = differences(provider.web3, deployment, owner=owner)
    assets = [] if faults else standing_assets(provider.web3, deployment)
    if faults:
        raise click.ClickException(f"{path.name} and the chain differ:\n" + "\n".join(f"  {fault}" for fault in faults))
    for name, address in deployment.addresses.items():
        click.echo(f"  {name} at {address}: as recorded")
    table = [StandingAsset(*StandingAsset._fields), *assets] if assets else []
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  " + "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
