"""Panels.submit_reports: many members' signatures about many questions; what does not count harms nothing else."""

import boa
import pytest
from eth_account import Account
from eth_keys import KeyAPI
from eth_utils import keccak

from tessera.chain.panels import INVALID
from tests.logs import event, events
from tests.panels import SECP256K1_N, Question, accounts, compact, sign, typed_report
from tests.refusals import refused_without_a_text
from tests.unit.conftest import NOW

NOBODY = "0x" + "00" * 20


def test_three_of_five_decide_in_one_transaction(
    panels, panel_id, question, signers, reporters, signed, stranger, decided
):
    signatures = [signed(s, question, 1) for s in signers[2:]]
    panels.submit_reports(panel_id, [(question, 1, 3)], signatures, sender=stranger)
    assert events(panels) == [decided(question, 1, *reporters[2:])]
    assert panels.result(panel_id, question.id) == (True, 1)
    assert panels.deciding_members(panel_id, question.id) == reporters[2:]


def test_order_of_signatures_does_not_matter(panels, panel_id, question, signers, reporters, signed, decided):
    order = [4, 0, 2]
    panels.submit_reports(panel_id, [(question, 7, 3)], [signed(signers[i], question, 7) for i in order])
    assert events(panels) == [decided(question, 7, *[reporters[i] for i in order])]
    assert panels.deciding_members(panel_id, question.id) == [reporters[i] for i in sorted(order)]


def test_signatures_and_transactions_add_up(panels, panel_id, question, signers, reporters, signed, reported, decided):
    panels.submit_reports(panel_id, [(question, 1, 1)], [signed(signers[4], question, 1)])
    assert events(panels) == [reported(question, 1, reporters[4])]
    panels.report(panel_id, question, 1, sender=reporters[0])
    panels.report(panel_id, question, 2, sender=reporters[1])
    panels.submit_reports(panel_id, [(question, 1, 1)], [signed(signers[2], question, 1)])
    assert events(panels) == [decided(question, 1, reporters[2])]
    assert panels.deciding_members(panel_id, question.id) == [reporters[i] for i in (0, 2, 4)]


def test_many_questions_at_once(panels, panel_id, product, signers, reporters, signed, decided, reported):
    questions = [Question(product, bytes([i]) * 32, NOW, NOW) for i in range(16)]
    sizes = [3] * 15 + [2]
    reports = [(q, i, size) for i, (q, size) in enumerate(zip(questions, sizes, strict=True))]
    signatures = [signed(s, q, i) for q, i, size in reports for s in signers[:size]]
    panels.submit_reports(panel_id, reports, signatures)
    assert events(panels) == [decided(q, i, *reporters[:3]) for q, i, _ in reports[:15]] + [
        reported(questions[15], 15, *reporters[:2])
    ]
    assert [panels.result(panel_id, q.id) for q in questions] == [(True, i) for i in range(15)] + [(False, 0)]


def test_fullest_panel_decides_in_one_transaction(panels, evm, question):
    signers = accounts(32)
    members = [signer.address for signer in signers]
    panel_id = panels.create_panel(members, 32)
    signatures = [sign(s, panels.address, evm.patch.chain_id, panel_id, question, INVALID) for s in signers]
    panels.submit_reports(panel_id, [(question, INVALID, 32)], signatures)
    assert panels.result(panel_id, question.id) == (True, INVALID)
    assert panels.deciding_members(panel_id, question.id) == members


def test_nothing_submitted_changes_nothing(panels, panel_id, question):
    panels.submit_reports(panel_id, [], [])
    panels.submit_reports(panel_id, [(question, 1, 0)], [])
    assert events(panels) == []


def test_both_sides_of_a_question_in_one_batch(
    panels, panel_id, question, signers, reporters, signed, reported, decided
):
    signatures = [signed(signers[i], question, outcome) for i, outcome in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2)]]
    panels.submit_reports(panel_id, [(question, 1, 2), (question, 2, 3)], signatures)
    assert events(panels) == [reported(question, 1, *reporters[:2]), decided(question, 2, *reporters[2:])]
    assert panels.result(panel_id, question.id) == (True, 2)
    assert panels.deciding_members(panel_id, question.id) == reporters[2:]


def test_batch_poisoning_stops_nobody(
    panels, panel_id, question, other_question, signers, reporters, signed, skipped, decided
):
    """One bad item of each kind among good ones: the good ones count, each bad one is logged with its reason."""
    outsider = Account.from_key(b"\x0e" * 32)
    early = question._replace(not_before=NOW + 1)
    late = question._replace(deadline=NOW - 1)
    batch = [
        (question, 1, [signers[0], outsider, signers[0], None, signers[1], signers[2], signers[3]]),
        (early, 1, [signers[0]]),
        (late, 1, [signers[0]]),
        (other_question, 1, signers[:3]),
    ]
    reports = [(q, outcome, len(who)) for q, outcome, who in batch]
    signatures = [signed(s, q, outcome) if s else (0, 0) for q, outcome, who in batch for s in who]
    panels.submit_reports(panel_id, reports, signatures)
    assert events(panels) == [
        skipped(question, outsider.address, 1, "panels: not a member"),
        skipped(question, reporters[0], 2, "panels: already reported"),
        skipped(question, NOBODY, 3, "panels: void signature"),
        skipped(question, reporters[3], 6, "panels: already final"),
        decided(question, 1, *reporters[:3]),
        skipped(early, reporters[0], 7, "panels: too early"),
        skipped(late, reporters[0], 8, "panels: too late"),
        decided(other_question, 1, *reporters[:3]),
    ]
    assert panels.result(panel_id, question.id) == panels.result(panel_id, other_question.id) == (True, 1)
    assert panels.deciding_members(panel_id, question.id) == reporters[:3]
    assert [panels.report_of(panel_id, q.id, reporters[0]) for q in (early, late)] == [(False, 0)] * 2


def test_equivocation_is_logged_and_the_first_report_stands(
    panels, panel_id, question, signers, reporters, signed, skipped, reported
):
    panels.submit_reports(
        panel_id,
        [(question, 1, 1), (question, INVALID, 2)],
        [signed(signers[0], question, 1), signed(signers[0], question, INVALID), signed(signers[1], question, INVALID)],
    )
    equivocated = event(
        panels,
        "Equivocated",
        panel_id=panel_id,
        question_id=question.id,
        member=reporters[0],
        reported=1,
        signed=INVALID,
    )
    assert events(panels) == [
        reported(question, 1, reporters[0]),
        skipped(question, reporters[0], 1, "panels: reported otherwise"),
        equivocated,
        reported(question, INVALID, reporters[1]),
    ]
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)


def test_equivocation_is_logged_even_when_final_and_late(
    panels, panel_id, question, signers, reporters, signed, skipped
):
    for member in reporters[:3]:
        panels.report(panel_id, question, INVALID, sender=member)
    boa.env.timestamp = question.deadline + 1
    panels.submit_reports(panel_id, [(question, 0, 1)], [signed(signers[2], question, 0)])
    assert events(panels) == [
        skipped(question, reporters[2], 0, "panels: reported otherwise"),
        event(
            panels,
            "Equivocated",
            panel_id=panel_id,
            question_id=question.id,
            member=reporters[2],
            reported=INVALID,
            signed=0,
        ),
    ]
    assert panels.result(panel_id, question.id) == (True, INVALID)


def test_two_unknown_outcomes_are_one_invalid_and_no_equivocation(
    panels, panel_id, question, signers, reporters, signed, skipped
):
    panels.submit_reports(panel_id, [(question, 126, 1)], [signed(signers[0], question, 126)])
    panels.submit_reports(panel_id, [(question, 999, 1)], [signed(signers[0], question, 999)])
    assert events(panels) == [skipped(question, reporters[0], 0, "panels: already reported")]
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, INVALID)


def test_a_signature_cannot_be_replayed(panels, load, evm, panel_id, question, signers, reporters, signed, skipped):
    """Nor altered: of another chain, contract, panel, question or outcome it is somebody else's signature."""
    twin = load("Panels").deploy()
    other_panel = panels.create_panel(reporters, 4)
    signer = signers[0]
    signatures = [
        signed(signer, question, 1, chain_id=1),
        signed(signer, question, 1, contract=twin.address),
        signed(signer, question, 1, panel_id=other_panel),
        signed(signer, question, 2),
        signed(signer, question._replace(product=reporters[0]), 1),
        signed(signer, question._replace(key=b"\1" * 32), 1),
        signed(signer, question._replace(not_before=NOW - 1), 1),
        signed(signer, question._replace(deadline=NOW), 1),
    ]
    panels.submit_reports(panel_id, [(question, 1, len(signatures))], signatures)
    logs = events(panels)
    assert [log[2]["index"] for log in logs] == list(range(len(signatures)))
    assert not {log[2]["signer"] for log in logs} & set(reporters)
    assert logs == [skipped(question, log[2]["signer"], log[2]["index"], "panels: not a member") for log in logs]
    assert panels.report_of(panel_id, question.id, reporters[0]) == (False, 0)
    # As signed, it counts.
    panels.submit_reports(panel_id, [(question, 1, 1)], [signed(signer, question, 1)])
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)


def test_a_fork_of_the_chain_makes_old_signatures_worthless(
    panels, evm, panel_id, question, signers, reporters, signed
):
    signature = signed(signers[0], question, 1)
    evm.patch.chain_id = 61
    panels.submit_reports(panel_id, [(question, 1, 1)], [signature])
    assert [log[2]["reason"] for log in events(panels)] == ["panels: not a member"]
    panels.submit_reports(panel_id, [(question, 1, 1)], [signed(signers[0], question, 1)])
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)


def test_signature_malleability_gains_nothing(panels, panel_id, question, signers, reporters, signed, evm):
    """The twin (r, n - s) of a signature has no compact form: as v and s overlap, it is somebody else's or nobody's."""
    message = typed_report(panels.address, evm.patch.chain_id, panel_id, question, 1)
    good = signers[0].sign_message(message)
    twin = compact(55 - good.v, good.r, SECP256K1_N - good.s)
    panels.submit_reports(panel_id, [(question, 1, 1)], [(twin[0], twin[1] % 2**256)])
    (log,) = events(panels)
    assert (log[1], log[2]["signer"] in reporters) == ("ReportSkipped", False)
    panels.submit_reports(panel_id, [(question, 1, 2)], [compact(good.v, good.r, good.s)] * 2)
    assert [log[1] for log in events(panels)] == ["ReportSkipped", "OutcomeReported"]


@pytest.mark.parametrize("above", [1, 0])
def test_s_above_half_of_the_order_is_void(panels, panel_id, question, evm, above, skipped):
    """The few s above n / 2 that a compact signature can hold are refused; n / 2 itself is not."""
    message = typed_report(panels.address, evm.patch.chain_id, panel_id, question, 1)
    r = Account.from_key(b"\x01" * 32).sign_message(message).r
    s = SECP256K1_N // 2 + above
    digest = keccak(b"\x19" + message.version + message.header + message.body)
    recovered = KeyAPI.Signature(vrs=(0, r, s)).recover_public_key_from_msg_hash(digest).to_checksum_address()
    panels.submit_reports(panel_id, [(question, 1, 1)], [(r, s)])
    assert events(panels) == [
        skipped(question, NOBODY, 0, "panels: void signature")
        if above
        else skipped(question, recovered, 0, "panels: not a member")
    ]


@pytest.mark.parametrize(
    ("r", "vs"),
    [(0, 0), (0, 1), (1, 0), (SECP256K1_N, 1), (2**256 - 1, 2**256 - 1)],
    ids=["zeros", "r zero", "s zero", "r too big", "all ones"],
)
def test_void_signatures_are_nobodys(panels, panel_id, question, r, vs, skipped):
    panels.submit_reports(panel_id, [(question, 1, 1)], [(r, vs)])
    assert events(panels) == [skipped(question, NOBODY, 0, "panels: void signature")]


def test_void_signatures_are_nobodys_in_a_panel_that_is_none(panels, panel_id, question, signers, signed):
    unknown = panel_id ^ 1
    signature = signed(signers[0], question, 1, panel_id=unknown)
    panels.submit_reports(unknown, [(question, 1, 2)], [(0, 0), signature])
    assert [(log[2]["panel_id"], log[2]["signer"], log[2]["reason"]) for log in events(panels)] == [
        (unknown, NOBODY, "panels: void signature"),
        (unknown, signers[0].address, "panels: not a member"),
    ]
    assert panels.result(unknown, question.id) == (False, 0)


def test_both_times_count(panels, panel_id, question, signers, reporters, signed):
    boa.env.timestamp = question.deadline
    panels.submit_reports(panel_id, [(question, 1, 1)], [signed(signers[0], question, 1)])
    assert panels.report_of(panel_id, question.id, reporters[0]) == (True, 1)


@pytest.mark.parametrize("counts", [[2], [1, 1], [49], [2**256 - 1]], ids=str)
def test_reverts_when_signatures_are_missing(panels, panel_id, question, signers, reporters, signed, counts):
    with boa.reverts("panels: signatures missing"):
        panels.submit_reports(panel_id, [(question, 1, n) for n in counts], [signed(signers[0], question, 1)])
    assert panels.report_of(panel_id, question.id, reporters[0]) == (False, 0)


@pytest.mark.parametrize("counts", [[], [0], [1], [1, 0]], ids=str)
def test_reverts_when_signatures_are_left_over(panels, panel_id, question, signers, reporters, signed, counts):
    signatures = [signed(s, question, 1) for s in signers[:2]]
    with boa.reverts("panels: signatures left over"):
        panels.submit_reports(panel_id, [(question, 1, n) for n in counts], signatures)
    assert panels.report_of(panel_id, question.id, reporters[0]) == (False, 0)


@pytest.mark.parametrize(("reports", "signatures"), [(17, 0), (1, 49)])
def test_reverts_when_there_are_too_many(panels, panel_id, question, reports, signatures):
    with refused_without_a_text():
        panels.submit_reports(panel_id, [(question, 1, signatures)] * reports, [(0, 0)] * signatures)


def test_48_signatures_of_one_question_fit(panels, panel_id, question):
    panels.submit_reports(panel_id, [(question, 1, 48)], [(0, 0)] * 48)
    assert [log[2]["index"] for log in events(panels)] == list(range(48))
