"""Draw docs/pictures/loss.svg: how balances of simulated sessions fall, and the phases that they are compared with.

python scripts/loss_picture.py [--check]
"""

from pathlib import Path

import click
import numpy as np

from tessera.model.loss.simulation import EXPECTED, PHASES, simulate

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "loss.svg"
SESSIONS, SEED = 100_000, 1
WIDTH, HEIGHT, LEFT, TOP, ACROSS, TALL = 760, 430, 60, 56, 670, 290
MOST = 1.3  # of the deposit, at the top
STYLE = """
text{font:13px system-ui,sans-serif;fill:#222}.head{font-size:18px;font-weight:600}.note{fill:#666}
.ground{fill:#fff}.axis{stroke:#999}
@media (prefers-color-scheme:dark){text{fill:#eee}.note{fill:#aaa}.ground{fill:#16181c}}
"""


def x(minute: float) -> float:
    return LEFT + ACROSS * minute / PHASES[-1].until


def y(balance: float) -> float:
    return TOP + TALL * (1 - min(balance, MOST) / MOST)


def line(balances: np.ndarray) -> str:
    return " ".join(f"{x(minute):.0f},{y(balance):.0f}" for minute, balance in enumerate(balances))


def picture() -> str:
    """The picture as SVG."""
    progress = simulate(SESSIONS, SEED)
    low, middle, high = (progress.quantile(share) for share in (0.05, 0.5, 0.95))
    mean = progress.mean()
    title = f"Balance of {SESSIONS:,} simulated sessions, per cent of the deposit"
    parts = [
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="head" x="{LEFT}" y="28">{title}</text>',
    ]
    for percent in range(0, 121, 20):
        at = y(percent / 100)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{LEFT + ACROSS}" y1="{at:.0f}" y2="{at:.0f}" opacity=".3"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.0f}" text-anchor="end">{percent}</text>')
    begun = 0
    for until, (least, most) in EXPECTED.items():
        parts.append(
            f'<rect x="{x(begun):.0f}" y="{y(most / 100):.0f}" width="{x(until) - x(begun):.0f}" '
            f'height="{y(least / 100) - y(most / 100):.0f}" fill="#2f7d6b" opacity=".18"/>'
            f'<text class="note" x="{x(begun) + 6:.0f}" y="{TOP + TALL + 20}">{begun} to {until} min</text>'
        )
        begun = until
    back = " ".join(reversed(line(low).split()))
    parts += [
        f'<polygon points="{line(high)} {back}" fill="#b4582f" opacity=".14"/>',
        f'<polyline points="{line(middle)}" fill="none" stroke="#b4582f" stroke-width="2" stroke-dasharray="5 4"/>',
        f'<polyline points="{line(mean)}" fill="none" stroke="#b4582f" stroke-width="3"/>',
        f'<text class="note" x="{LEFT}" y="{TOP + TALL + 44}">Line: mean. Dashed: half of the sessions have less. '
        "Shade: 90 of 100 sessions.</text>",
        f'<text class="note" x="{LEFT}" y="{TOP + TALL + 62}">Boxes: where the mean is to be at the end of a phase.'
        "</text>",
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Only say whether the file is as it would be written.")
def cli(check: bool):
    text = picture()
    if not check:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(text)
    elif not PICTURE.exists() or PICTURE.read_text() != text:
        raise click.ClickException(f"{PICTURE.name} is behind: python scripts/loss_picture.py")


if __name__ == "__main__":
    cli()
