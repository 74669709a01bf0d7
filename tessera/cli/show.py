"""Tables for people and JSON for programs, from the same rows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tessera.chain import EUR, WAD, Receipt
from tessera.chain.erc20 import Token
from tessera.cli.session import Session
from tessera.model.dates import utc

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Amount:
    """A fixed-point number: exact in JSON, rounded down to `places` for the eye."""

    units: int
    scale: int = EUR
    unit: str = ""
    places: int = 2

    def __str__(self) -> str:
        shown = Decimal(self.units * 10**self.places // self.scale).scaleb(-self.places)
        return f"{shown:,.{self.places}f}{' ' * bool(self.unit)}{self.unit}"

    @property
    def exact(self) -> str:
        """The whole number, decimal, without its unit."""
        return f"{Decimal(self.units) / self.scale:f}"


def eur(units: int) -> Amount:
    """Money of the club."""
    return Amount(units, EUR, "EUR")


def usd(units: int) -> Amount:
    """A stake's value."""
    return Amount(units, EUR, "USD")


def wad(value: int, unit: str = "", places: int = 4) -> Amount:
    """Shares, tickets, odds, BET."""
    return Amount(value, WAD, unit, places)


def coins(token: Token, units: int) -> Amount:
    """An amount of a token."""
    return Amount(units, 10**token.decimals, token.symbol)


@dataclass(frozen=True)
class Percent:
    """A probability or a rate, WAD."""

    value: int

    def __str__(self) -> str:
        return f"{self.value / WAD:.1%}"

    @property
    def exact(self) -> str:
        """The fraction, decimal."""
        return f"{Decimal(self.value) / WAD:f}"


@dataclass(frozen=True)
class Moment:
    """A time in unix seconds; 0: never."""

    at: int

    def __str__(self) -> str:
        return utc(self.at) if self.at else "-"

    @property
    def exact(self) -> int:
        """Unix seconds."""
        return self.at


def rows(session: Session, title: str, found: Iterable[Mapping], empty: str = "nothing yet") -> None:
    """A table with one line a mapping, all of the same keys; or a JSON array."""
    found = list(found)
    if session.as_json:
        _json([_plain(row) for row in found])
        return
    if not found:
        click.echo(empty)
        return
    table = Table(box=SIMPLE_HEAD)
    for name, value in found[0].items():
        numeric = isinstance(value, Amount | Percent | int) and not isinstance(value, bool)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in found:
        table.add_row(*(Text(_text(value)) for value in row.values()))
    _print(title, table)


def card(session: Session, title: str, found: Mapping) -> None:
    """Names and values, one a line; or a JSON object."""
    if session.as_json:
        _json(_plain(found))
    else:
        _print(title, _card(found))


def _card(found: Mapping) -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in found.items():
        table.add_row(name.replace("_", " "), Text(_text(value)))
    return table


def ask(session: Session, title: str, found: Mapping, yes: bool) -> None:
    """Shows what a command is about to do and asks whether to; not where that was said, or nothing will be sent.

    With --json what is shown goes to stderr, and only where it is asked about.
    """
    asks = not (yes or session.dry_run)
    if asks or not session.as_json:
        _print(title, _card(found), stderr=session.as_json)
    if asks:
        click.confirm("Go on?", abort=True, err=True)


def sent(done: Receipt) -> dict:
    """What there is to say of every transaction."""
    return {"transaction": done.transaction, "block": done.block, "gas": done.gas_used}


def sparkline(points: Iterable[tuple[int, int]], until: int, width: int = 48) -> str:
    """A line of bars of a value between 0 and 1 (WAD) over time: equal widths are equal times."""
    points = list(points)
    start = points[0][0]
    step = max(1, -(-(until - start) // width))
    drawn, at = "", 0
    for time in range(start, max(until, start + 1), step):
        while at + 1 < len(points) and points[at + 1][0] <= time + step:
            at += 1
        drawn += BARS[min(len(BARS) - 1, points[at][1] * len(BARS) // WAD)]
    return drawn


def _print(title: str, table: Table, *, stderr: bool = False) -> None:
    # The width of a terminal that is none (a pipe, a test) must not cut numbers in two.
    out = click.get_text_stream("stderr" if stderr else "stdout")
    console = Console(highlight=False, stderr=stderr, width=None if out.isatty() else 160)
    console.print(Text(title, style="italic"))  # a title of the table's would be wrapped at its width
    console.print(table)


def _text(value) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.name if isinstance(value, Enum) else str(value)


def _plain(value):
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Amount | Percent | Moment):
        return value.exact
    return value.name if isinstance(value, Enum) else value


def _json(value) -> None:
    click.echo(json.dumps(value, indent=2))
