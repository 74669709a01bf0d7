"""What products and people read of a panel: each view where there is nothing to see, and who may change anything."""

from tests.panels import Question


def test_unknown_panels_and_questions_are_empty(panels, panel_id, question, reporters, stranger):
    assert panels.result(panel_id, question.id) == (False, 0)
    assert panels.result(1, question.id) == (False, 0)
    assert panels.deciding_members(panel_id, question.id) == []
    assert panels.deciding_members(1, question.id) == []
    assert panels.members_of(1) == []
    assert panels.threshold_of(1) == 0
    assert not panels.is_member(1, reporters[0])
    assert not panels.is_member(panel_id, stranger)
    assert panels.report_of(1, question.id, reporters[0]) == (False, 0)
    assert panels.report_of(panel_id, question.id, stranger) == (False, 0)


def test_report_of_a_stranger_is_none_where_others_have_reported(panels, panel_id, question, reporters, stranger):
    panels.report(panel_id, question, 1, sender=reporters[0])
    assert panels.report_of(panel_id, question.id, stranger) == (False, 0)
    assert panels.report_of(panel_id, question.id, reporters[1]) == (False, 0)


def test_hash_question_is_the_hash_of_its_fields(panels, question):
    for q in (question, Question("0x" + "00" * 20, b"\0" * 32, 0, 0), question._replace(deadline=2**256 - 1)):
        assert panels.hash_question(q) == q.id


def test_invalid_is_the_greatest_number(panels):
    assert panels.INVALID() == 2**256 - 1


def test_domain_is_what_members_sign_under(panels, evm):
    assert panels.eip712Domain()[1:5] == ("Tessera Panels", "1", evm.patch.chain_id, panels.address)


def test_nobody_owns_it(panels):
    """Nothing but reports and new panels changes state."""
    writes = {f["name"] for f in panels.abi if f["type"] == "function" and f["stateMutability"] not in ("view", "pure")}
    assert writes == {"create_panel", "report", "submit_reports"}
