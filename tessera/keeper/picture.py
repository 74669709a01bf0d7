"""A flow of money as an SVG: where it came from on the left, where it went on the right."""

from html import escape

from tessera.chain.erc20 import Token
from tessera.keeper.money_flow import MoneyFlow
from tessera.model.dates import utc
from tessera.model.prizes import start_of
from tessera.model.text import visible

WIDTH, BAR, HEIGHT, GAP, TOP, SLOT = 1040, 12, 320, 14, 90, 40  # SLOT: two lines of text
LEFT, MIDDLE, RIGHT = 240, 494, 748
MOST = 9  # named items of a side; the rest are one
SOURCE_COLOURS = ("#2f7d6b", "#4f9a86", "#78b5a3", "#9fcdbf")
SINK_COLOURS = ("#b4582f", "#c97546", "#d99367", "#e7b28f")
STYLE = """
text{font:14px system-ui,sans-serif;fill:#222}.head{font-size:20px;font-weight:600}.note{fill:#666}
.ground{fill:#fff}@media (prefers-color-scheme:dark){text{fill:#eee}.note{fill:#aaa}.ground{fill:#16181c}}
"""


def svg(flow: MoneyFlow, token: Token) -> str:
    """The picture of one flow; the height of a band is its amount."""
    sources, sinks = _few(flow.sources), _few(flow.sinks)
    scale = HEIGHT / flow.total if flow.total else 0
    tallest = max(HEIGHT, *(_tall(items, scale) for items in (sources, sinks)))
    height, middle = TOP + tallest + 24, TOP + (tallest - HEIGHT) / 2
    parts = [
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        f'<text class="head" x="24" y="34">{escape(_title(flow))}</text>',
        f'<rect x="{MIDDLE}" y="{middle:.1f}" width="{BAR}" height="{flow.total * scale:.1f}" fill="#5b6b86"/>',
        f'<text x="{MIDDLE + BAR / 2}" y="{middle - 10:.1f}" text-anchor="middle">{token.text(flow.total)}</text>',
    ]
    parts += _side(sources, SOURCE_COLOURS, LEFT, middle, scale, tallest, token, to_right=True)
    parts += _side(sinks, SINK_COLOURS, RIGHT, middle, scale, tallest, token, to_right=False)
    label = escape(f"{_title(flow)}: {token.text(flow.total)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{label}">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _title(flow: MoneyFlow) -> str:
    weeks = "The week" if flow.first == flow.last else f"The {flow.last - flow.first + 1} weeks"
    return f"{weeks} to {utc(start_of(flow.last + 1))}: where the prize came from and went"


def _few(amounts: dict[str, int]) -> list[tuple[str, int]]:
    items = sorted(amounts.items(), key=lambda item: -item[1])
    if len(items) <= MOST:
        return items
    return [*items[: MOST - 1], (f"{len(items) - MOST + 1} more", sum(amount for _, amount in items[MOST - 1 :]))]


def _side(items, colours, x: float, middle: float, scale: float, tallest: float, token: Token, *, to_right: bool):
    """Bars with their names, and a band from each to the bar in the middle."""
    y, joint = TOP + (tallest - _tall(items, scale)) / 2, middle
    for number, (name, amount) in enumerate(items):
        tall = amount * scale
        colour = colours[number % len(colours)]
        start, end = (x + BAR, MIDDLE) if to_right else (x, MIDDLE + BAR)
        yield (
            f'<path fill="{colour}" opacity=".45" d="{_band(start, y, end, joint, tall)}"/>'
            f'<rect x="{x}" y="{y:.1f}" width="{BAR}" height="{max(tall, 1):.1f}" fill="{colour}"/>'
        )
        at, anchor = (x - 10, "end") if to_right else (x + BAR + 10, "start")
        line = y + max(min(tall, SLOT) / 2 - 4, 4)
        yield (
            f'<text x="{at}" y="{line:.1f}" text-anchor="{anchor}">{escape(visible(_short(name)))}'
            f'<tspan class="note" x="{at}" dy="16">{token.text(amount)}</tspan></text>'
        )
        y += max(tall + GAP, SLOT)
        joint += tall


def _tall(items, scale: float) -> float:
    return sum(max(amount * scale + GAP, SLOT) for _, amount in items)


def _band(x: float, y: float, to_x: float, to_y: float, tall: float) -> str:
    bend = (x + to_x) / 2
    there = f"M{x} {y:.1f}C{bend} {y:.1f} {bend} {to_y:.1f} {to_x} {to_y:.1f}"
    back = f"V{to_y + tall:.1f}C{bend} {to_y + tall:.1f} {bend} {y + tall:.1f} {x} {y + tall:.1f}Z"
    return there + back


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:29]}…"
