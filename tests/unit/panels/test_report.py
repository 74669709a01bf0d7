"""Panels.report: a member's report by transaction."""

import boa
import pytest

from tessera.chain.panels import INVALID
from tests.logs import events
from tests.panels import LAST_OUTCOME
from tests.unit.conftest import HOUR, NOW


def test_reports_and_the_threshold_decides(panels, panel_id, question, reporters, reported, decided):
    for member in reporters[3:]:
        panels.report(panel_id, question, 2, sender=member)
        assert events(panels) == [reported(question, 2, member)]
        assert panels.report_of(panel_id, question.id, member) == (True, 2)
        assert panels.result(panel_id, question.id) == (False, 0)
        assert panels.deciding_members(panel_id, question.id) == []
    panels.report(panel_id, question, 2, sender=reporters[0])
    assert events(panels) == [decided(question, 2, reporters[0])]
    assert panels.result(panel_id, question.id) == (True, 2)
    assert panels.deciding_members(panel_id, question.id) == [reporters[0], *reporters[3:]]


def test_only_equal_reports_decide(panels, panel_id, question, reporters, reported, decided):
    for member, outcome in zip(reporters, [1, 2, 1, 0], strict=False):
        panels.report(panel_id, question, outcome, sender=member)
        assert events(panels) == [reported(question, outcome, member)]
    panels.report(panel_id, question, 1, sender=reporters[4])
    assert events(panels) == [decided(question, 1, reporters[4])]
    assert panels.result(panel_id, question.id) == (True, 1)
    assert panels.deciding_members(panel_id, question.id) == [reporters[i] for i in (0, 2, 4)]


def test_silent_and_split_validators_decide_nothing(panels, panel_id, question, reporters):
    """Two conflicting majorities are impossible, and where there is none the deadline decides: nothing, for ever."""
    for member, outcome in zip(reporters, [0, 0, 1, 1], strict=False):
        panels.report(panel_id, question, outcome, sender=member)
    boa.env.timestamp = question.deadline + 1
    with boa.reverts("panels: too late"):
        panels.report(panel_id, question, 1, sender=reporters[4])
    assert panels.result(panel_id, question.id) == (False, 0)
    assert panels.deciding_members(panel_id, question.id) == []


@pytest.mark.parametrize("outcome", [0, 1, LAST_OUTCOME])
def test_outcomes_are_kept_as_they_are(panels, panel_id, question, reporters, outcome):
    for member in reporters[:3]:
        panels.report(panel_id, question, outcome, sender=member)
    assert panels.result(panel_id, question.id) == (True, outcome)


@pytest.mark.parametrize("unknown", [INVALID, LAST_OUTCOME + 1, 127, 128, 2**255, INVALID - 1])
def test_outcomes_that_nobody_knows_count_as_invalid(panels, panel_id, question, reporters, decided, unknown):
    panels.report(panel_id, question, unknown, sender=reporters[0])
    panels.report(panel_id, question, INVALID, sender=reporters[1])
    panels.report(panel_id, question, 126, sender=reporters[2])
    assert events(panels) == [decided(question, INVALID, reporters[2])]
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, INVALID)
    assert panels.result(panel_id, question.id) == (True, INVALID)
    assert panels.deciding_members(panel_id, question.id) == reporters[:3]


def test_both_times_count(panels, panel_id, question, reporters):
    panels.report(panel_id, question, 1, sender=reporters[0])
    boa.env.timestamp = question.deadline
    panels.report(panel_id, question, 1, sender=reporters[1])
    panels.report(panel_id, question, 1, sender=reporters[2])
    assert panels.result(panel_id, question.id) == (True, 1)


def test_reverts_when_a_second_before_the_time(panels, panel_id, question, reporters):
    boa.env.timestamp = question.not_before - 1
    with boa.reverts("panels: too early"):
        panels.report(panel_id, question, 1, sender=reporters[0])


def test_reverts_when_a_second_after_the_deadline(panels, panel_id, question, reporters):
    boa.env.timestamp = question.deadline + 1
    with boa.reverts("panels: too late"):
        panels.report(panel_id, question, 1, sender=reporters[0])


def test_reverts_when_the_caller_is_no_member(panels, panel_id, question, stranger):
    with boa.reverts("panels: not a member"):
        panels.report(panel_id, question, 1, sender=stranger)


def test_reverts_when_there_is_no_such_panel(panels, panel_id, question, reporters):
    with boa.reverts("panels: not a member"):
        panels.report(panel_id + 1, question, 1, sender=reporters[0])


def test_reverts_when_reported_before(panels, panel_id, question, reporters):
    panels.report(panel_id, question, 1, sender=reporters[0])
    with boa.reverts("panels: already reported"):
        panels.report(panel_id, question, 1, sender=reporters[0])


def test_reverts_when_reported_otherwise_before(panels, panel_id, question, reporters):
    panels.report(panel_id, question, 1, sender=reporters[0])
    with boa.reverts("panels: reported otherwise"):
        panels.report(panel_id, question, 2, sender=reporters[0])
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)


def test_reverts_when_already_final(panels, panel_id, question, reporters):
    for member in reporters[:3]:
        panels.report(panel_id, question, 1, sender=member)
    for outcome in (1, 2):
        with boa.reverts("panels: already final"):
            panels.report(panel_id, question, outcome, sender=reporters[3])
    assert panels.report_of(panel_id, question.id, reporters[3]) == (False, 0)
    assert panels.deciding_members(panel_id, question.id) == reporters[:3]


@pytest.mark.parametrize(
    "change",
    [{"product": "0x" + "9B" * 20}, {"key": b"\1" * 32}, {"not_before": NOW - 1}, {"deadline": NOW + HOUR + 1}],
    ids=lambda change: next(iter(change)),
)
def test_each_field_makes_another_question(panels, panel_id, question, reporters, change):
    other = question._replace(**change)
    panels.report(panel_id, question, 1, sender=reporters[0])
    assert panels.report_of(panel_id, other.id, reporters[0]) == (False, 0)
    panels.report(panel_id, other, 2, sender=reporters[0])
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)
    assert panels.report_of(panel_id, other.id, reporters[0]) == (True, 2)


def test_panels_of_the_same_members_do_not_share_reports(panels, panel_id, question, reporters):
    four = panels.create_panel(reporters, 4)
    for member in reporters[:3]:
        panels.report(panel_id, question, 1, sender=member)
    assert panels.result(four, question.id) == (False, 0)
    assert panels.report_of(four, question.id, reporters[0]) == (False, 0)
    for member in reporters[:4]:
        assert panels.result(four, question.id) == (False, 0)
        panels.report(four, question, 2, sender=member)
    assert panels.result(four, question.id) == (True, 2)
    assert panels.deciding_members(four, question.id) == reporters[:4]
