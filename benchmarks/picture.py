"""Growth as a picture and as text: for each series the gas measured, a line, and what the goal allows, dashed."""

from html import escape
from math import log10

from rich.table import Table

from benchmarks.growth import Points, Series

WIDTH, HEIGHT, COLUMNS = 420, 250, 2
LEFT, RIGHT, TOP, BOTTOM = 80, 24, 58, 46  # of a panel, around its axes
STYLE = """text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:14px;font-weight:600}
.axis{stroke:#999;fill:none}.grid{stroke:#e5e5e5}.gas{stroke:#1d5fa8;fill:none;stroke-width:2}
.dot{fill:#1d5fa8}.most{stroke:#c2410c;fill:none;stroke-dasharray:5 4}.goal{fill:#c2410c}"""


def svg(measured: list[tuple[Series, Points]]) -> str:
    """A picture of all series, two to a row."""
    rows = -(-len(measured) // COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT
    panels = "".join(
        f'<g transform="translate({n % COLUMNS * WIDTH} {n // COLUMNS * HEIGHT})">{_panel(series, points)}</g>\n'
        for n, (series, points) in enumerate(measured)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>How gas grows</title><style>{STYLE}</style>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{panels}</svg>\n'
    )


def table(series: Series, points: Points) -> Table:
    """A row and a bar for each count; red where the goal is missed."""
    made = Table(title=f"{series.title}, by {series.things} ({series.goal})", title_justify="left")
    made.add_column(series.things, justify="right")
    made.add_column("gas", justify="right")
    made.add_column("")
    for count, gas in points.items():
        colour = "green" if gas <= series.most(points, count) else "red"
        bar = "█" * max(1, round(40 * gas / max(points.values())))
        made.add_row(f"{count:,}", f"[{colour}]{gas:,}[/]", bar)
    return made


def _panel(series: Series, points: Points) -> str:
    counts = list(points)
    most = [series.most(points, count) for count in counts]
    highest = _round_up(max(*points.values(), *most))
    logarithmic = counts[-1] >= 100 * max(1, counts[0])

    def x(count: int) -> float:
        low, high, at = (log10(n) if logarithmic else n for n in (counts[0], counts[-1], count))
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - low) / (high - low)

    def y(gas: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * gas / highest

    def line(values, kind: str) -> str:
        path = " ".join(f"{x(count):.1f},{y(gas):.1f}" for count, gas in zip(counts, values, strict=True))
        return f'<polyline class="{kind}" points="{path}"/>'

    grid = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(gas):.1f}" y2="{y(gas):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y(gas) + 4:.1f}" text-anchor="end">{gas:,.0f}</text>'
        for gas in (highest / 4 * n for n in range(5))
    )
    dots = "".join(
        f'<circle class="dot" cx="{x(count):.1f}" cy="{y(gas):.1f}" r="3"><title>{count:,}: {gas:,}</title></circle>'
        for count, gas in points.items()
    )
    # The first and the last label always stand, one between them where it touches neither.
    shown = [counts[-1]]
    for count in reversed(counts[1:-1]):
        if min(x(shown[-1]) - x(count), x(count) - x(counts[0])) >= 34:
            shown.append(count)
    shown.append(counts[0])
    labels = "".join(
        f'<text x="{x(count):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{count:,}</text>' for count in shown
    )
    return (
        f'<text class="title" x="{LEFT}" y="20">{escape(series.title)}</text>'
        f'<text class="goal" x="{LEFT}" y="38">goal: {escape(series.goal)}</text>{grid}'
        f"{line(most, 'most')}{line(points.values(), 'gas')}{dots}{labels}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(series.things)}'
        f"{' (logarithmic)' if logarithmic else ''}</text>"
    )


def _round_up(gas: float) -> float:
    """The next number of the form 4, 6, 8, 10, 12, 16, 20 or 30 times a power of ten: quarters of it are round."""
    power = 10 ** int(log10(gas) - 0.3)
    return next(step * power for step in (2, 4, 6, 8, 10, 12, 16, 20, 30) if step * power >= gas)
