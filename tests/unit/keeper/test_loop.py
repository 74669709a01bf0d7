"""The keeper that stays: looks at once, backs off while the node fails, stops between transactions, cries when late."""

import logging
import sys
from threading import Event
from types import SimpleNamespace
from urllib.request import urlopen

import pytest

from tessera.chain.fees import GWEI
from tessera.keeper.alarms import Alarms, Limits, Watch
from tessera.keeper.loop import Loop
from tessera.keeper.metrics import Metrics
from tessera.keeper.view import Choices
from tests.staked import HOUR
from tests.unit.keeper.conftest import RIGHT


class Kept:
    """A loop with its metrics and the rounds it told of."""

    def __init__(self, keeper, command=(), **limits):
        self.keeper, self.metrics, self.rounds, self.stopping = keeper, Metrics(), [], Event()
        alarms = Alarms(self.metrics.alarm, command)
        self.loop = Loop(
            keeper.view, keeper.wallet, self.metrics, alarms, limits=Limits(**limits), ended=self.rounds.append
        )

    def look(self):
        self.loop.look(self.stopping)

    def metric(self, name, **labels):
        return self.metrics.registry.get_sample_value(f"tessera_keeper_{name}", labels)


@pytest.fixture
def kept(keeper):
    return Kept(keeper)


def test_it_looks_on_start_and_then_every_so_often(kept):
    waits = []

    class Stopping(Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            if len(waits) == 2:
                self.set()

    kept.loop.keep(Stopping())
    assert waits == [300, 300]
    assert [done.exit_code for done in kept.rounds] == [0]  # the second look found nothing


def test_the_metrics_tell_of_rounds_gas_and_lateness(kept, world):
    before = world.web3.eth.get_balance(world.keeper.address)
    kept.look()
    (done,) = kept.rounds
    assert kept.metric("rounds_total", result="done") == 1
    assert kept.metric("gas_total") == done.gas_used
    after = world.web3.eth.get_balance(world.keeper.address)
    assert kept.metric("fees_ether_total") == pytest.approx((before - after) / 1e18)
    assert kept.metric("balance_ether") == pytest.approx(after / 1e18)
    assert kept.metric("late_seconds") == kept.metric("undone_steps") == kept.metric("refused_steps") == 0
    port = kept.metrics.serve(0, "127.0.0.1")
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"tessera_keeper_rounds_total" in answer.read()


def test_what_stays_undone_is_told_once(kept, world):
    world.refuse("DAI", world.pool.address)
    kept.look()
    kept.look()
    kept.look()
    # The first look sent something, the second ended otherwise than the first, the third told nothing new.
    assert [done.exit_code for done in kept.rounds] == [3, 3]
    assert kept.metric("undone_steps") == 5
    assert kept.metric("rounds_total", result="undone") == 3


def test_while_the_node_fails_it_waits_longer_and_longer(kept, monkeypatch, caplog):
    works = kept.keeper.view.clock

    def broken():
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kept.keeper.view, "clock", broken)
    waits = []
    for _ in range(8):
        kept.look()
        waits.append(kept.loop.wait)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]
    assert kept.metric("node_failures_total") == 8
    assert "no route to host" in caplog.text
    monkeypatch.setattr(kept.keeper.view, "clock", works)
    kept.look()
    assert kept.loop.wait == 300
    assert [done.exit_code for done in kept.rounds] == [0]


def test_a_node_that_answers_nonsense_does_not_end_the_loop(kept, monkeypatch, caplog):
    monkeypatch.setattr(kept.keeper.view, "clock", lambda: None)
    kept.look()
    assert kept.loop.wait == 5
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    kept.look()
    assert [done.exit_code for done in kept.rounds] == [0]


def test_a_node_that_is_silent_for_long_is_an_alarm(keeper, monkeypatch):
    kept = Kept(keeper, late_after=-1)

    def broken():
        raise ConnectionError("no route to host")

    monkeypatch.setattr(keeper.view, "clock", broken)
    kept.look()
    assert kept.metric("alarm", kind="node") == 1


def test_stopped_in_a_round_it_ends_between_two_transactions(kept):
    submit = kept.keeper.wallet.submit

    def submitting(*call):
        kept.stopping.set()
        return submit(*call)

    kept.keeper.wallet.submit = submitting
    kept.loop.keep(kept.stopping)
    (done,) = kept.rounds
    assert sum(len(outcome.sent) for outcome in done.outcomes) == 1
    assert {outcome.message for outcome in done.outcomes[1:]} >= {"the keeper was stopped"}


def test_lateness_is_an_alarm_with_a_command_until_it_is_over(keeper, world, tmp_path, caplog):
    heard = tmp_path / "heard"
    command = [sys.executable, "-c", f"import sys; open({str(heard)!r}, 'a').write('|'.join(sys.argv[1:]) + '\\n')"]
    kept = Kept(keeper, command, late_after=6 * HOUR)
    keeper.wallet.max_gas_price = GWEI // 10
    world.wait_until(world.time + 7 * HOUR)
    kept.look()
    kept.look()
    assert kept.metric("alarm", kind="late") == 1
    assert kept.metric("late_seconds") > 7 * HOUR
    assert heard.read_text().count("late|a week ended 7.0 h ago and is not closed\n") == 1  # once
    assert "ALARM, late" in caplog.text
    keeper.wallet.max_gas_price = None
    kept.look()
    assert kept.metric("alarm", kind="late") == 0
    assert "alarm is over: late" in caplog.text


def test_an_account_that_runs_low_is_an_alarm(keeper, caplog):
    kept = Kept(keeper, low_balance=2 * 10**16)
    keeper.wallet.balance = lambda: 15 * 10**15
    kept.look()
    assert kept.metric("alarm", kind="gas money") == 1
    assert "has 0.015000 ETH left" in caplog.text
    assert kept.metric("undone_steps") == 0


def test_an_account_that_cannot_pay_leaves_all_undone_and_raises_an_alarm(keeper, caplog):
    kept = Kept(keeper, low_balance=0)
    keeper.wallet.balance = lambda: 10**12
    kept.look()
    assert kept.metric("undone_steps") == 7
    assert kept.metric("alarm", kind="gas money") == 1
    assert [done.gas_used for done in kept.rounds] == [0]
    assert "has 0.000001 ETH left, not enough for StakingPool.harvest" in caplog.text


def test_winners_who_wait_are_an_alarm(keeper, world):
    """Somebody else settled, and nobody paid."""
    kept = Kept(keeper, late_after=6 * HOUR)
    kept.keeper.view.choices = Choices(pay=False)
    kept.look()
    assert kept.metric("alarm", kind="winners") == 0
    world.wait_until(world.time + 7 * HOUR)
    kept.look()
    assert kept.metric("alarm", kind="winners") == 1
    assert "event 1, 'Who wins the cup?': 4 winners wait for 7.0 h" in kept.loop._watch.winners()
    kept.keeper.view.choices = Choices()
    kept.look()
    assert kept.metric("alarm", kind="winners") == 0


def test_whom_the_token_refuses_is_no_alarm(keeper, world):
    for person in RIGHT:
        world.refuse("USDC", world.wallet(person).address)
    kept = Kept(keeper, late_after=HOUR)
    kept.look()
    world.wait_until(world.time + 7 * HOUR)
    kept.look()
    assert kept.metric("alarm", kind="winners") == 0


def test_a_panel_near_its_deadline_is_an_alarm(keeper, world):
    """Event 3 has ended and nobody reported: it would end INVALID, and nobody would win."""
    kept = Kept(keeper, panel_notice=24 * HOUR)
    deadline = world.events.event_info(3).result_deadline
    world.wait_until(deadline - 25 * HOUR)
    kept.look()
    assert kept.metric("alarm", kind="panel") == 0
    world.wait_until(deadline - 23 * HOUR)
    kept.look()
    assert kept.metric("alarm", kind="panel") == 1
    assert "event 3, 'Snow?': the panel has not decided, and the event is INVALID after " in kept.loop._watch.panel()
    world.report(3)
    kept.look()
    assert kept.metric("alarm", kind="panel") == 0


def test_steps_that_stay_undone_are_an_alarm(keeper, world, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("tessera.keeper.alarms.time", SimpleNamespace(monotonic=lambda: now[0]))
    kept = Kept(keeper, late_after=6 * HOUR)
    world.refuse("DAI", world.pool.address)
    kept.look()
    assert kept.metric("alarm", kind="undone") == 0
    now[0] += 7 * HOUR
    kept.look()
    assert kept.metric("alarm", kind="undone") == 1
    world.refuse("DAI", world.pool.address, refused=False)
    kept.look()
    assert kept.metric("alarm", kind="undone") == 0
    assert kept.loop._watch._undone_since == {}


def test_weeks_late_say_what_they_cost_the_winners(keeper, world):
    world.friday(3)
    text = Watch(keeper.view, keeper.wallet, Limits()).late()
    assert text.startswith("4 weeks are over and not closed, the first ended 21.0 days ago")
    assert "lose most of their prizes to later weeks" in text


def test_an_alarm_that_stays_on_runs_its_command_once_a_day(tmp_path, monkeypatch):
    now, metrics, heard = [0.0], Metrics(), []
    monkeypatch.setattr("tessera.keeper.alarms.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("tessera.keeper.alarms.subprocess.run", lambda command, **_: heard.append(command))
    alarms = Alarms(metrics.alarm, ["tell"])
    for hour in range(50):
        now[0] = hour * 3600
        alarms.set("late", f"{hour} h")
    assert heard == [["tell", "late", "0 h"], ["tell", "late", "24 h"], ["tell", "late", "48 h"]]
    alarms.set("late", None)
    alarms.set("late", "again")
    assert heard[-1] == ["tell", "late", "again"]


def test_an_alarm_command_that_fails_does_not_stop_the_keeper(caplog):
    metrics = Metrics()
    Alarms(metrics.alarm, ["/nonexistent"]).set("late", "very")
    assert "the alarm's command failed" in caplog.text
    assert metrics.registry.get_sample_value("tessera_keeper_alarm", {"kind": "late"}) == 1


@pytest.fixture(autouse=True)
def _listening(caplog):
    caplog.set_level(logging.INFO, "tessera.keeper")
