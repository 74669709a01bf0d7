"""The scripts of docs/loss.md, and what the page says of their figures."""

import re
from pathlib import Path

from tessera.model.loss.simulation import EXPECTED, PHASES, simulate

PAGE = (Path(__file__).parents[3] / "docs" / "loss.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(number: int, capsys) -> list[str]:
    exec(compile(SCRIPTS[number], "docs/loss.md", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out.splitlines()


def test_a_bet(capsys):
    assert run(0, capsys) == [
        "odds [2111, 1727]",
        "expected loss of 1 EUR: ['0.0500', '0.0502']",
        "covering both choices loses 5.01%",
        "100 bets of 1 EUR: 55.00 EUR of stakes lost, 49.99 EUR won, 5.00 EUR lost on balance",
    ]


def test_a_session(capsys):
    shown = [re.fullmatch(r"after (\d+) min: (\d+)% without a limit, (\d+)% with one", line) for line in run(1, capsys)]
    assert [int(line[1]) for line in shown] == [5, 15, 30]
    assert all(int(line[2]) <= int(line[3]) and int(line[3]) >= 75 for line in shown)


def test_the_table_is_of_the_documented_parameters():
    rows = re.findall(r"^\| \d+ to (\d+) \|(.*)\|$", PAGE, re.MULTILINE)
    mean = simulate(100_000, seed=7).mean()
    for (until, row), phase in zip(rows, PHASES, strict=True):
        cells = [cell.strip() for cell in row.split("|")]
        play, (least, most) = phase.play, EXPECTED[phase.until]
        assert int(until) == phase.until
        assert cells == [
            f"{play.window_seconds} s",
            str(play.bets_per_window),
            f"{float(play.stake_share):.1%}".replace(".0%", "%").replace("%", " %"),
            f"{float(play.chance):.0%}".replace("%", " %"),
            f"{mean[phase.until]:.0%}".replace("%", " %"),
            f"{least} to {most} %",
        ]
