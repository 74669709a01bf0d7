"""The command `tessera`: its options, and the commands of each part.

What these modules import at their top is read before anything else happens, at each completion too. So they import
click and the quick models alone; chain, index, keeper and tables, which take seconds, are imported where a command
needs them.
"""

import os
import sys
from collections.abc import Sequence

import click

from tessera.cli import money, observe, own_bets, resolving  # noqa: F401  commands that are added to others' groups
from tessera.cli.bets import bets
from tessera.cli.club import club
from tessera.cli.failures import failure_of, failure_of_command
from tessera.cli.host import host
from tessera.cli.keeper import keeper
from tessera.cli.live import live
from tessera.cli.markets import markets
from tessera.cli.members import members
from tessera.cli.portfolio import portfolio
from tessera.cli.session import Keys, Rehearsed, Session
from tessera.cli.show import as_json as print_json
from tessera.cli.tickets import tickets

JSON_VARIABLE = "TESSERA_JSON"


class Commands(click.Group):
    """Ends in one line where a command fails: why, whether anything was sent, and a code."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **options):
        """Runs the command and exits."""
        arguments = sys.argv[1:] if args is None else list(args)
        options["standalone_mode"] = False
        try:
            code = super().main(arguments, prog_name, **options)
        except BrokenPipeError:  # whoever reads the output has seen enough
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115  which Python flushes at the end
            code = 1
        except (click.ClickException, click.Abort) as error:
            failure = failure_of_command(error)
            failure.tell("--json" in arguments or os.environ.get(JSON_VARIABLE, "") not in ("", "0", "false"))
            code = failure.exit_code
        sys.exit(code or 0)

    def invoke(self, ctx: click.Context):
        """Runs what was parsed. Raises Failure."""
        try:
            return super().invoke(ctx)
        except Rehearsed as rehearsed:
            answer = {"dry_run": True, "function": rehearsed.function, "gas_limit": rehearsed.gas}
            print_json(answer) if ctx.obj.as_json else click.echo(str(rehearsed))
            return None
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, click.exceptions.Exit) or (failure := failure_of(error)) is None:
                raise
            if isinstance(ctx.obj, Session):
                failure.transactions = dict(ctx.obj.transactions)
                if failure.code == "node_refused":  # what it refuses it does not send
                    failure.transactions = {h: s for h, s in failure.transactions.items() if s != "unknown"}
            raise failure from None


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
@click.option(
    "--json", "as_json", is_flag=True, envvar=JSON_VARIABLE, help="JSON instead of tables, errors too: docs/cli.md."
)
@click.option("--dry-run", is_flag=True, help="Simulate the next transaction; nothing is sent and no file is written.")
@click.version_option(package_name="tessera")
@click.pass_context
def cli(ctx: click.Context, rpc: str, record: str, as_json: bool, dry_run: bool, **keys):
    """Friends' markets, hosted bets, staked tickets and the weekly prize, from a terminal.

    Options can be set as environment variables too (TESSERA_RPC, TESSERA_RECORD, TESSERA_KEY_FILE ...).
    Shell completion: eval "$(_TESSERA_COMPLETE=bash_source tessera)".
    """
    ctx.obj = Session(rpc, record, Keys(**keys), as_json=as_json, dry_run=dry_run)


for command in (
    markets,
    bets,
    host,
    live,
    club,
    tickets,
    portfolio,
    keeper,
    members,
    money.join,
    money.deposit,
    money.withdraw,
    money.consents,
    money.limits,
):
    cli.add_command(command)
