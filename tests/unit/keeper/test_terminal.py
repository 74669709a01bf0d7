"""What the keeper's commands share."""

import os
import signal
from io import StringIO

import pytest
from rich.console import Console

from tessera.keeper.plan import Plan
from tessera.keeper.round import Outcome
from tessera.keeper.steps.base import Status
from tessera.keeper.steps.settle_market import SettleMarket
from tessera.keeper.terminal import Bar, show_plan, stopped_by_signal
from tessera.keeper.view import Clock


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_a_wish_and_the_second_an_order(number):
    before = signal.getsignal(number)
    with stopped_by_signal() as stopping:
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        assert stopping.is_set()
        assert signal.getsignal(number) is signal.SIG_DFL
    assert signal.getsignal(number) is before


def test_what_strangers_wrote_moves_no_cursor_and_is_no_markup():
    """The plan, the bar of a step and the line at its end show a question with an escape sequence and a tag of rich's;
    the tag ended a round with an error of the bar's."""
    question, visible = "\x1b]0;mine\x07[/bold]\u200bRain?", "␛]0;mine␇[/bold]<U+200B>Rain?"
    step = SettleMarket(f"finalize {question}", f"over: {question}", 1, market_id=1, function="finalize")
    console = Console(width=200, file=StringIO(), force_terminal=True, color_system=None)
    show_plan(Plan("local", 1337, Clock(1, 1), 0, [step], [f"waits: {question}"]), console)
    with Bar(console) as bar:
        bar.begin(step)
        bar._progress.refresh()
        bar.end(Outcome(step, Status.UNDONE, f"refused: {question}"))
    shown = console.file.getvalue()
    for words in (
        f"finalize {visible}",
        f"over: {visible}",
        f"waits: {visible}",
        f"✗ finalize {visible}: refused: {visible}",
    ):
        assert words in shown
    assert not {"\x07", "\u200b"} & set(shown)
    assert "\x1b]" not in shown
