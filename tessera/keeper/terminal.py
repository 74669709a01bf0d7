"""The keeper in a terminal: the plan as a table, a progress bar while a round goes on, signals, the report's file."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tessera.keeper import report
from tessera.keeper.plan import Costs, Plan
from tessera.keeper.round import Outcome, Round, Watcher
from tessera.keeper.steps.base import Status, Step
from tessera.keeper.view import View
from tessera.model.text import visible


def show_plan(plan: Plan, console: Console, costs: Costs | None = None) -> None:
    """What is due and why, what waits, and what it may cost; 80 columns are enough."""
    if plan.steps:
        table = Table(title="Due", title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("step")
        table.add_column("gas, about", justify="right")
        for step in plan.steps:
            table.add_row(report.shown(step.what) + Text("\n") + report.shown(step.why, "dim"), f"{step.gas:,}")
        console.print(table)
        console.print(f"{len(plan.steps)} steps, about {plan.gas:,} gas. Nothing was sent.")
        if costs is not None:
            console.print(str(costs))
    else:
        console.print("Nothing is due.")
    for sentence in plan.waiting:
        console.print(report.shown(f"· {sentence}", "dim"))


class Bar(Watcher):
    """A bar for each step; payments count people."""

    def __init__(self, console: Console):
        columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=1)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *_) -> None:
        self._progress.stop()

    def begin(self, step: Step) -> None:
        self._progress.reset(self._task, description=visible(step.what), total=step.size)

    def paid(self, people: int) -> None:
        self._progress.advance(self._task, people)

    def end(self, outcome: Outcome) -> None:
        sign = "✓" if outcome.status in (Status.DONE, Status.OTHERS) else "✗"
        text = f"{sign} {outcome.step.what}" + (f": {outcome.message}" if outcome.message else "")
        self._progress.console.print(report.shown(text))


@contextmanager
def stopped_by_signal() -> Iterator[Event]:
    """What SIGTERM and Ctrl-C set while it lasts; the second one ends the process at once."""
    stopping = Event()

    def stop(number, _):
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_report(view: View, done: Round, folder: Path) -> tuple[dict, Path | None]:
    """A round's report and its file; None where the folder cannot be written: what was done counts."""
    written = report.of(view, done)
    try:
        return written, report.write(written, folder)
    except OSError as error:
        click.echo(f"no report was written to {folder}: {error.strerror}", err=True)
        return written, None
