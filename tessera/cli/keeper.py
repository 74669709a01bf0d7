"""`tessera keeper`: anybody may do what is due. For a service with metrics and alarms: `ape run keeper loop`."""

import json
from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console

from tessera.chain.fees import GWEI
from tessera.cli.session import Commands, Session
from tessera.keeper import report
from tessera.keeper.plan import Plan, due
from tessera.keeper.round import Watcher
from tessera.keeper.round import run as run_round
from tessera.keeper.terminal import Bar, show_plan, stopped_by_signal, write_report
from tessera.keeper.view import View

console = Console(highlight=False, stderr=True)


@click.group(cls=Commands)
def keeper():
    """The weekly round: harvest, close weeks, settle events, pay winners."""


@keeper.command()
@click.pass_obj
def plan(session: Session):
    """What is due, and the gas it takes. Sends nothing."""
    _show(session, _due(session)[1])


@keeper.command()
@click.option("--max-gas-price", type=click.FloatRange(0, min_open=True), help="Gwei, tip included.")
@click.option("--reports", metavar="FOLDER", type=click.Path(path_type=Path), help="Keep report and picture there.")
@click.pass_context
def run(context: click.Context, max_gas_price: float | None, reports: Path | None):
    """Does all that is due, once. SIGTERM or Ctrl-C end it between two transactions.

    Exits with 3 where something was left undone, 4 where a token refuses a winner.
    """
    session: Session = context.obj
    view, found = _due(session)
    if session.dry_run:
        _show(session, found)
        return
    wallet = session.wallet
    wallet.max_gas_price = None if max_gas_price is None else int(max_gas_price * GWEI)
    with stopped_by_signal() as stopping, nullcontext(Watcher()) if session.as_json else Bar(console) as bar:
        done = run_round(view, wallet, found, watcher=bar, stopping=stopping.is_set)
    told, path = (report.of(view, done), None) if reports is None else write_report(view, done, reports)
    if path is not None:
        click.echo(f"report: {path}", err=True)
    if session.as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        report.show(told, Console(highlight=False))
    context.exit(done.exit_code)


def _due(session: Session) -> tuple[View, Plan]:
    view = View(session.tessera, session.index, session.viewer)
    return view, due(view)


def _show(session: Session, found: Plan) -> None:
    if session.as_json:
        click.echo(json.dumps(found.as_mapping(), indent=2))
    else:
        show_plan(found, Console(highlight=False))
