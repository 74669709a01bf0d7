"""`tessera keeper`: anybody may do what is due. For a service with metrics and alarms: `ape run keeper loop`."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.session import Session
from tessera.cli.show import as_json

if TYPE_CHECKING:
    from tessera.keeper.plan import Plan
    from tessera.keeper.view import View


@click.group()
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
    from rich.console import Console

    from tessera.chain.fees import GWEI
    from tessera.keeper import report
    from tessera.keeper.round import Watcher
    from tessera.keeper.round import run as run_round
    from tessera.keeper.terminal import Bar, stopped_by_signal, write_report

    session: Session = context.obj
    view, due = _due(session)
    if session.dry_run:
        _show(session, due)
        return
    wallet = session.wallet
    wallet.max_gas_price = None if max_gas_price is None else int(max_gas_price * GWEI)
    bar = nullcontext(Watcher()) if session.as_json else Bar(Console(highlight=False, stderr=True))
    with stopped_by_signal() as stopping, bar as watcher:
        done = run_round(view, wallet, due, watcher=watcher, stopping=stopping.is_set)
    answer, path = (report.of(view, done), None) if reports is None else write_report(view, done, reports)
    if path is not None:
        click.echo(f"report: {path}", err=True)
    if session.as_json:
        as_json(answer)
    else:
        report.show(answer, Console(highlight=False))
    context.exit(done.exit_code)


def _due(session: Session) -> "tuple[View, Plan]":
    from tessera.keeper.plan import due
    from tessera.keeper.view import View

    view = View(session.tessera, session.index, session.viewer)
    return view, due(view)


def _show(session: Session, due: "Plan") -> None:
    from rich.console import Console

    from tessera.keeper.terminal import show_plan

    if session.as_json:
        as_json(due.as_mapping())
    else:
        show_plan(due, Console(highlight=False))
