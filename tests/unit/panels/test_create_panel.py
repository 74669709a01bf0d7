"""Panels.create_panel: 1 to 32 ascending members, more than half of whom decide; its id is what it is made of."""

import boa
import pytest

from tests.logs import event, events
from tests.panels import Question, accounts, panel_id_of
from tests.refusals import refused_without_a_text
from tests.unit.conftest import NOW

ADDRESSES = [account.address for account in accounts(33)]
ZERO = "0x" + "00" * 20


@pytest.mark.parametrize(
    ("count", "threshold"), [(1, 1), (2, 2), (3, 2), (5, 3), (5, 5), (31, 16), (32, 17), (32, 32)], ids=str
)
def test_creates_a_panel(panels, stranger, count, threshold):
    members = ADDRESSES[:count]
    with boa.env.prank(stranger):
        panel_id = panels.create_panel(members, threshold)
    created = event(panels, "PanelCreated", panel_id=panel_id, members=members, threshold=threshold)
    assert events(panels) == [created]
    assert panel_id == panel_id_of(members, threshold)
    assert panels.members_of(panel_id) == members
    assert panels.threshold_of(panel_id) == threshold
    assert [panels.is_member(panel_id, a) for a in [*ADDRESSES, stranger, ZERO]] == [True] * count + [False] * (
        35 - count
    )


def test_same_panel_again_changes_nothing(panels, panel_id, reporters, stranger, question):
    panels.report(panel_id, question, 1, sender=reporters[0])
    assert panels.create_panel(reporters, 3, sender=stranger) == panel_id
    assert events(panels) == []
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)


def test_other_threshold_or_other_members_are_another_panel(panels, reporters):
    ids = {panels.create_panel(m, t) for m, t in [(reporters, 3), (reporters, 4), (reporters[1:], 3)]}
    assert len(ids) == 3


def test_panel_of_an_id_cannot_change_with_the_order_of_creation(panels, reporters):
    """Of a chain that is reorganised: whoever creates a panel first, an id means the same members."""
    with boa.env.anchor():
        first = panels.create_panel(reporters, 4), panels.create_panel(reporters, 5)
    second = panels.create_panel(reporters, 5), panels.create_panel(reporters, 4)
    assert first == second[::-1]


@pytest.mark.parametrize(
    ("count", "threshold"),
    [(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (4, 2), (5, 2), (5, 6), (32, 16), (5, 2**255 + 1), (5, 2**256 - 1)],
    ids=str,
)
def test_degens_quorum_of_half_or_less_is_refused(panels, count, threshold):
    """Degens: with 2M <= N two outcomes can both reach the quorum, and the first transaction wins."""
    members = ADDRESSES[:count]
    with boa.reverts("panels: bad threshold"):
        panels.create_panel(members, threshold)
    assert panels.threshold_of(panel_id_of(members, threshold)) == 0


@pytest.mark.parametrize(
    "members",
    [
        [ADDRESSES[1], ADDRESSES[0]],
        [ADDRESSES[0], ADDRESSES[0]],
        [ADDRESSES[0], ADDRESSES[2], ADDRESSES[1]],
        [ADDRESSES[0], ADDRESSES[1], ADDRESSES[1]],
        [ZERO, ADDRESSES[0]],
        [ZERO, ZERO],
    ],
    ids=["descending", "double", "last two swapped", "last double", "zero", "zeros"],
)
def test_reverts_when_members_do_not_ascend(panels, members):
    with boa.reverts("panels: members not ascending"):
        panels.create_panel(members, 2)
    assert panels.members_of(panel_id_of(members, 2)) == []
    assert not panels.is_member(panel_id_of(members, 2), members[0])


def test_reverts_when_there_are_33_members(panels):
    with refused_without_a_text():
        panels.create_panel(ADDRESSES, 17)


def test_fullest_panel_of_32_decides_by_its_17th_report(panels, product):
    panel_id, question = panels.create_panel(ADDRESSES[:32], 17), Question(product, b"k" * 32, NOW, NOW)
    for address in ADDRESSES[:15]:
        panels.report(panel_id, question, 125, sender=address)
    for address in ADDRESSES[31:15:-1]:
        assert panels.result(panel_id, question.id) == (False, 0)
        panels.report(panel_id, question, 0, sender=address)
    assert panels.result(panel_id, question.id) == (False, 0)
    panels.report(panel_id, question, 0, sender=ADDRESSES[15])
    assert panels.result(panel_id, question.id) == (True, 0)
    assert panels.deciding_members(panel_id, question.id) == ADDRESSES[15:32]
    assert [panels.report_of(panel_id, question.id, a) for a in ADDRESSES[:33]] == (
        [(True, 125)] * 15 + [(True, 0)] * 17 + [(False, 0)]
    )
