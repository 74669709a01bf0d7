"""Tables for people and JSON for programs, from the same values.

Keys are the SDK's names. In JSON an amount, a price, odds are the SDK's integers, as strings, since programs read great
numbers as floats; ids, counts and times (unix seconds) are numbers, flags are names, what is not known is null.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.session import Session
from tessera.model.dates import utc
from tessera.model.text import visible
from tessera.model.units import EUR, WAD, odds_text

if TYPE_CHECKING:
    from rich.table import Table

    from tessera.chain import Receipt
    from tessera.chain.erc20 import Token

BARS = "▁▂▃▄▅▆▇█"
# What people read instead of a key; others read as they are, with spaces.
LABELS = {
    "apy": "APY1 and APY2 together",
    "apy1": "APY1, from prizes: 1.6 times lending",
    "apy1_net": "APY1 net of the buyback",
    "apy2": "APY2, from mining BET",
    "assumptions": "these yields assume",
    "buyback_bucket": "waits for the buyback",
    "carried": "carried to the next week",
    "closes_at": "betting ends",
    "closed_at": "closed",
    "conclusion": "concluded, if nothing else happens",
    "decided_by": "disputes are decided by",
    "doubt_only_from": "votes can only lead to doubt from",
    "early": "proposed before the result is due",
    "edge": "the market keeps on average, of the stake",
    "ends_at": "until",
    "expected_loss": "you lose on average, if the market is right",
    "expected_result_at": "result expected",
    "got": "came back",
    "heads": "people",
    "history": "price of YES over time",
    "max_loss": "creator loses at most",
    "max_payoff": "pays at most",
    "no": "NO means",
    "no_odds": "odds of NO",
    "p0": "YES begins at",
    "p_yes": "probability of YES",
    "panel": "decided by",
    "price": "probability now",
    "price_impact": "the bet moves it by",
    "put_in": "put into markets",
    "yes": "YES means",
    "yes_odds": "odds of YES",
}


@dataclass(frozen=True)
class Amount:
    """A fixed-point number: the integer in JSON, rounded down to `places` for the eye."""

    units: int
    scale: int = EUR
    unit: str = ""
    places: int = 2

    def __str__(self) -> str:
        shown = Decimal(self.units * 10**self.places // self.scale).scaleb(-self.places)
        return f"{shown:,.{self.places}f}{' ' * bool(self.unit)}{self.unit}"

    @property
    def plain(self) -> str:
        """The integer, as the SDK has it."""
        return str(self.units)


def eur(units: int) -> Amount:
    """Money of the club."""
    return Amount(units, EUR, "EUR")


def usd(units: int) -> Amount:
    """A stake's value."""
    return Amount(units, EUR, "USD")


def wad(value: int, unit: str = "", places: int = 4) -> Amount:
    """Shares, tickets, BET."""
    return Amount(value, WAD, unit, places)


def coins(token: "Token", units: int) -> Amount:
    """An amount of a token."""
    return Amount(units, 10**token.decimals, token.symbol)


@dataclass(frozen=True)
class Odds:
    """Effective odds, WAD: what 1 EUR staked pays."""

    value: int

    def __str__(self) -> str:
        return odds_text(self.value / WAD)

    @property
    def plain(self) -> str:
        """The integer, as the SDK has it."""
        return str(self.value)


@dataclass(frozen=True)
class Percent:
    """A probability or a rate, WAD."""

    value: int

    def __str__(self) -> str:
        return f"{self.value / WAD:.1%}"

    @property
    def plain(self) -> str:
        """The integer, as the SDK has it."""
        return str(self.value)


@dataclass(frozen=True)
class Moment:
    """A time in unix seconds; 0: never."""

    at: int

    def __str__(self) -> str:
        return utc(self.at) if self.at else "-"

    @property
    def plain(self) -> int:
        """Unix seconds."""
        return self.at


class Said:
    """A value that people read in other words, a line each."""

    def __init__(self, value: Any, *lines: str):
        self.value, self.lines = value, lines

    def __str__(self) -> str:
        return "\n".join(visible(line) for line in self.lines) or "-"

    @property
    def plain(self):
        """The value."""
        return _plain(self.value)


def rows(session: Session, title: str, values: Iterable[Mapping], empty: str = "nothing yet") -> None:
    """A table with one line a mapping, all of the same keys; or a JSON array."""
    values = list(values)
    if session.as_json:
        as_json(values)
        return
    if not values:
        click.echo(empty)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for key, value in values[0].items():
        numeric = isinstance(value, Amount | Odds | Percent | int) and not isinstance(value, bool)
        table.add_column(_label(key), justify="right" if numeric else "left", overflow="fold")
    for row in values:
        table.add_row(*(Text(_text(value)) for value in row.values()))
    _print(title, table)


def card(session: Session, title: str, values: Mapping) -> None:
    """Names and values, one a line; or a JSON object."""
    if session.as_json:
        as_json(values)
    else:
        _print(title, _card(values))


def _card(values: Mapping) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for key, value in values.items():
        table.add_row(_label(key), Text(_text(value)))
    return table


def ask(session: Session, title: str, values: Mapping, yes: bool) -> None:
    """Shows what a command is about to do and asks whether to; not where that was said, or nothing will be sent.

    With --json what is shown goes to stderr, and only where it is asked about.
    """
    asks = not (yes or session.dry_run)
    if asks or not session.as_json:
        _print(title, _card(values), stderr=session.as_json)
    if asks:
        click.confirm("Go on?", abort=True, err=True)


def panel_of(session: Session, panel_id: int, *, named: bool = False) -> Said:
    """Who decides: a panel's members and how many of them have to agree; people read the addresses where `named`."""
    panels = session.tessera.panels
    members, threshold = panels.members_of(panel_id), panels.threshold_of(panel_id)
    lines = (f"{threshold} of these {len(members)}:", *members) if named else (f"{threshold} of {len(members)}",)
    return Said({"members": members, "threshold": threshold}, *lines)


def sent(receipt: "Receipt") -> dict:
    """What there is to say of every transaction."""
    return {"transaction": receipt.transaction, "block": receipt.block, "gas_used": receipt.gas_used}


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


def as_json(value) -> None:
    """Prints a value as JSON."""
    click.echo(json.dumps(_plain(value), indent=2))


def _print(title: str, table: "Table", *, stderr: bool = False) -> None:
    from rich.console import Console
    from rich.text import Text

    # The width of a terminal that is none (a pipe, a test) must not cut numbers in two.
    out = click.get_text_stream("stderr" if stderr else "stdout")
    console = Console(highlight=False, stderr=stderr, width=None if out.isatty() else 160)
    console.print(Text(visible(title), style="italic"))  # a title of the table's would be wrapped at its width
    console.print(table)


def _label(key: str) -> str:
    return visible(LABELS.get(key, key.replace("_", " ")))


def _text(value) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Said):
        return str(value)
    return visible(value.name if isinstance(value, Enum) else str(value))


def _plain(value):
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Amount | Odds | Percent | Moment | Said):
        return value.plain
    return value.name if isinstance(value, Enum) else value
