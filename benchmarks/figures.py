"""What is done with figures alike, whatever was measured."""

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table


def show(title: str, figures: Mapping[str, float], kept: Path | None) -> None:
    """Prints figures as a table, and writes them to a file where they are to be kept."""
    table = Table(title=title, show_header=False)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    Console().print(table)
    if kept is not None:
        kept.write_text(json.dumps(figures, indent=2) + "\n")


def percentile_ms(times: list[float], percent: int, digits: int | None = None) -> float:
    """Of times in seconds, in milliseconds of so many digits after the point; 0 where there are none."""
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1_000, digits) if ordered else 0
