"""Managers open events, within bounds that keep everybody's arithmetic and the prize weeks safe."""

import boa
import pytest

from tessera.model.prizes import period_of, start_of
from tests.prize_system import MIN_BLOCKS, USD, WAD, PrizeSystem, block_number
from tests.refusals import refused_without_a_text

YEAR_BLOCKS = 366 * 24 * 6


@pytest.fixture
def arguments(system):
    """A valid event of the least length."""
    seconds = MIN_BLOCKS * system.block_seconds
    return {
        "description": "Who wins?",
        "outcomes": ["A", "B"],
        "stop_block": block_number() + MIN_BLOCKS,
        "e0": 250,
        "weight": 3,
        "panel_id": system.panel_id,
        "result_deadline": boa.env.timestamp + seconds + 48 * 3600,
    }


def create(system, arguments, sender=None, **changes):
    return system.events.create_event(*(arguments | changes).values(), sender=sender or system.manager)


def test_fixes_everything(system, arguments):
    event = create(system, arguments)
    logs = {type(log).__name__: log for log in system.events.get_logs()}
    info = system.events.event_info(event)
    assert event == system.events.event_count() == 1
    not_before = boa.env.timestamp + MIN_BLOCKS * system.block_seconds
    expected = (block_number(), arguments["stop_block"], 250, 2, not_before, arguments["result_deadline"])
    assert tuple(info) == (*expected, system.panel_id)
    log = logs["EventCreated"]
    assert (log.start_block, log.stop_block, log.e0, log.weight) == (*expected[:3], 3)
    assert log.outcomes == ["A", "B"]
    assert log.question_id == system.panels.hash_question(system.question(event))
    assert system.prizes.running_weight() == system.prizes.ending_weight(period_of(not_before)) == 3
    assert system.events.multiplier(event) == 25 * WAD // 10


def test_expected_end_is_rounded_up():
    # 7 blocks an hour: 511,200 s, 512,742.86 s, 513,257.14 s.
    odd = PrizeSystem(blocks_per_hour=7, min_blocks=1)
    for blocks, seconds in ((994, 511_200), (997, 512_743), (998, 513_258)):
        event = odd.create_event(blocks=blocks, days=9)
        assert odd.events.event_info(event).not_before == boa.env.timestamp + seconds


def test_closes_what_has_elapsed_first(system, arguments):
    first = create(system, arguments)
    system.revenue(1_000 * USD)
    system.wait_until(start_of(period_of(boa.env.timestamp) + 1))
    with boa.reverts("prizes: harvest first"):
        system.create_event()
    system.harvest()
    # At exactly Friday 00:00: the new event has no part in the week before.
    second = system.create_event(weight=10_000)
    assert system.prizes.event_prize(first) == 900 * USD
    assert system.prizes.event_prize(second) == 0


def test_longest_event(system, arguments):
    deadline = boa.env.timestamp + YEAR_BLOCKS * system.block_seconds
    far = {"stop_block": block_number() + YEAR_BLOCKS}
    with boa.reverts("events: deadline too late"):
        create(system, arguments, **far, result_deadline=deadline + 366 * 86_400 + 1)
    create(system, arguments, **far, result_deadline=deadline + 366 * 86_400)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"outcomes": ["A"]}, "events: one outcome"),
        ({"e0": 99}, "events: bad first multiplier"),
        ({"e0": 1_001}, "events: bad first multiplier"),
        ({"weight": 0}, "events: bad weight"),
        ({"weight": 10_001}, "events: bad weight"),
        ({"panel_id": 5}, "events: panel not approved"),
        ({"stop_block": 0}, "events: too short"),
    ],
)
def test_reverts_when_out_of_bounds(system, arguments, change, reason):
    with boa.reverts(reason):
        create(system, arguments, **change)


def test_reverts_one_block_below_the_least_length(system, arguments):
    with boa.reverts("events: too short"):
        create(system, arguments, stop_block=block_number() + MIN_BLOCKS - 1)


def test_reverts_one_block_above_a_year(system, arguments):
    with boa.reverts("events: too long"):
        create(system, arguments, stop_block=block_number() + YEAR_BLOCKS + 1)


def test_reverts_when_the_panel_has_less_than_48_hours(system, arguments):
    with boa.reverts("events: deadline too early"):
        create(system, arguments, result_deadline=arguments["result_deadline"] - 1)


def test_reverts_for_a_stranger(system, arguments, stranger):
    with boa.reverts("events: not a manager"):
        create(system, arguments, sender=stranger)


@pytest.mark.parametrize("bound", [{"e0": 100}, {"e0": 1_000}, {"weight": 1}, {"weight": 10_000}])
def test_bounds_themselves_are_fine(system, arguments, bound):
    assert create(system, arguments, **bound) == 1


def test_sixteen_outcomes(system, arguments):
    event = create(system, arguments, outcomes=[str(i) for i in range(16)])
    assert system.events.event_info(event).outcomes == 16
    with refused_without_a_text():
        create(system, arguments, outcomes=[str(i) for i in range(17)])


def test_reverts_when_ids_no_longer_fit_the_lists_of_people(system, arguments):
    system.events.eval("event_registry.event_count = 2**32 - 1")
    with boa.reverts("events: too many events"):
        create(system, arguments)
