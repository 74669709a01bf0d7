"""The command `tessera`: its options, and the commands of each part."""

import click

from tessera.cli import money
from tessera.cli.keeper import keeper
from tessera.cli.markets import markets
from tessera.cli.portfolio import portfolio
from tessera.cli.session import Commands, Keys, Session
from tessera.cli.tickets import tickets


@click.group(cls=Commands, context_settings={"auto_envvar_prefix": "TESSERA", "help_option_names": ["-h", "--help"]})
@click.option("--rpc", metavar="URL", default="http://127.0.0.1:8545", show_default=True, help="The node.")
@click.option(
    "--record", metavar="FILE", default="deployments/devnet.json", show_default=True, help="What is deployed where."
)
@click.option("--key-file", metavar="FILE", help="Your encrypted key (Ape's are in ~/.ape/accounts).")
@click.option("--passphrase-file", metavar="FILE", help="Its passphrase; without it you are asked.")
@click.option("--mnemonic-file", metavar="FILE", help="Your mnemonic, instead of a key file.")
@click.option("--number", default=0, show_default=True, type=click.IntRange(0), help="Which account of the mnemonic.")
@click.option("--devnet-account", metavar="N", type=click.IntRange(0, 19), help="One of a devnet's own accounts.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables; amounts are decimal strings.")
@click.option("--dry-run", is_flag=True, help="Simulate the next transaction instead of sending it.")
@click.version_option(package_name="tessera")
@click.pass_context
def cli(ctx: click.Context, rpc: str, record: str, as_json: bool, dry_run: bool, **keys):
    """Friends' markets, staked tickets and the weekly prize, from a terminal.

    Options can be set as environment variables too (TESSERA_RPC, TESSERA_RECORD, TESSERA_KEY_FILE ...).
    Shell completion: eval "$(_TESSERA_COMPLETE=bash_source tessera)".
    """
    ctx.obj = Session(rpc, record, Keys(**keys), as_json=as_json, dry_run=dry_run)


for command in (
    markets,
    tickets,
    portfolio,
    keeper,
    money.join,
    money.deposit,
    money.withdraw,
    money.consents,
    money.limits,
):
    cli.add_command(command)
