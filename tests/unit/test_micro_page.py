"""The two scripts of docs/micro.md, as a newcomer would run them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "micro.md").read_text(), re.DOTALL)


def run(number: int, capsys) -> list[str]:
    exec(compile(SCRIPTS[number], "docs/micro.md", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_a_session_of_a_hundred_bets(capsys):
    opened, bets, closed = run(0, capsys)
    assert re.fullmatch(r"opened with 8\d,\d{3} gas", opened)
    won = re.fullmatch(r"100 bets, ([+-]\d\.\d\d) EUR for the player, 0 wait", bets).group(1)
    has = re.fullmatch(r"closed with \d\d,\d{3} gas; the player has (\d\d\.\d\d) EUR", closed).group(1)
    assert float(has) == pytest.approx(50 - 0.5 + float(won), abs=0.0101)  # both are rounded to a cent


def test_a_dishonest_house_is_convicted(capsys):
    named, *said = run(1, capsys)
    assert named.startswith("stream 1 of 0x5e5e")
    assert said == [
        "CONVICTED: the house signed a head for line 1 that the heads it signed later contradict",
        "CONVICTED: the house signed a receipt for line 1 that its own record does not hold",
        "exit status 2",
    ]
