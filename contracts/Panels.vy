# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Panels
@author Tessera
@license AGPL-3.0-only
@notice Consensus on outcomes. A panel is up to 32 addresses and a threshold M
        of more than half of them; M equal reports within the question's times
        make its outcome final, and those M members share what the product pays
        for it. Anyone creates panels, nobody changes them, nobody owns this.
@dev Invariants: a member's report never changes; a final outcome never changes;
     two outcomes can never both reach the threshold (2M > N, one report each).
     One storage word per panel and question holds all reports (modules/report_word.vy).
     It calls no contract and holds no money.
@custom:halt Nothing halts it. A product that should stop asking stops listing.
"""


from snekmate.utils import eip712_domain_separator

from .interfaces import IPanels
from .modules import report_word
from .modules import seat_word
from .modules import short_signature


implements: IPanels
initializes: eip712_domain_separator


exports: eip712_domain_separator.eip712Domain


MAX_MEMBERS: constant(uint256) = seat_word.MAX_MEMBERS
MAX_REPORTS: constant(uint256) = 16
MAX_SIGNATURES: constant(uint256) = 48
INVALID: public(constant(uint256)) = report_word.INVALID

REPORT_TYPE_HASH: constant(bytes32) = keccak256(
    "Report(uint256 panel_id,address product,bytes32 key,uint256 not_before,uint256 deadline,uint256 outcome)"
)


threshold_of: public(HashMap[uint256, uint256])  # panel id -> M; 0 where there is no such panel
_members: HashMap[uint256, DynArray[address, MAX_MEMBERS]]
_seats: HashMap[uint256, HashMap[address, uint256]]  # panel id -> member -> see modules/seat_word.vy
_reports: HashMap[uint256, HashMap[bytes32, uint256]]  # panel id -> question id -> see modules/report_word.vy


@deploy
def __init__():
    eip712_domain_separator.__init__("Tessera Panels", "1")


@external
def create_panel(members: DynArray[address, MAX_MEMBERS], threshold: uint256) -> uint256:
    """
    @notice Creates a panel for good. If the very same one exists, nothing
            changes and its id is returned.
    @param members 1 to 32 addresses, strictly ascending.
    @param threshold M, equal reports needed: at most all members, more than half.
    @return The panel's id, the hash of both arguments.
    """
    panel_id: uint256 = convert(keccak256(abi_encode(members, threshold)), uint256)
    if self.threshold_of[panel_id] != 0:
        return panel_id

    assert threshold <= len(members) and 2 * threshold > len(members), "panels: bad threshold"
    last: address = empty(address)
    place: uint256 = 0
    for member: address in members:
        assert convert(member, uint256) > convert(last, uint256), "panels: members not ascending"
        last = member
        self._seats[panel_id][member] = seat_word._pack(threshold, place)
        place += 1
    self._members[panel_id] = members
    self.threshold_of[panel_id] = threshold
    log IPanels.PanelCreated(panel_id=panel_id, members=members, threshold=threshold)
    return panel_id


@external
def report(panel_id: uint256, question: IPanels.Question, outcome: uint256):
    """
    @notice Reports an outcome as a member of the panel, once per question.
    @param panel_id Of the panel.
    @param question What is asked.
    @param outcome 0 to 125; anything else counts as INVALID.
    """
    question_id: bytes32 = self._question_id(question)
    word: uint256 = self._reports[panel_id][question_id]
    code: uint256 = report_word._encoded(outcome)
    seat: uint256 = self._seats[panel_id][msg.sender]
    assert self._is_open(question, word) and self._is_due(word, seat), self._refusal(
        question, word, code, seat, msg.sender
    )
    word = report_word._with(word, code, seat)
    if report_word._count(word, code) == seat_word._threshold(seat):
        word = report_word._decided(word, code)
    self._record(panel_id, question_id, word, code, [msg.sender])


@external
@reentrant  # It calls nobody.
def submit_reports(
    panel_id: uint256,
    reports: DynArray[IPanels.Report, MAX_REPORTS],
    signatures: DynArray[IPanels.Signature, MAX_SIGNATURES],
):
    """
    @notice Submits what members of one panel signed, for many questions at once.
            Anyone may. What does not count is skipped and logged with its reason.
    @param panel_id Of the panel.
    @param reports What was signed, and how many of the signatures are for it.
    @param signatures Of the first report's signers, then the second's, and so on.
    """
    i: uint256 = 0
    for report: IPanels.Report in reports:
        # The submitter's own slip, not a signer's: no good signature is held up by it.
        assert report.signatures <= len(signatures) - i, "panels: signatures missing"
        question_id: bytes32 = self._question_id(report.question)
        digest: bytes32 = self._digest(panel_id, report)
        code: uint256 = report_word._encoded(report.outcome)
        word: uint256 = self._reports[panel_id][question_id]
        count: uint256 = report_word._count(word, code)
        open: bool = self._is_open(report.question, word)
        members: DynArray[address, MAX_MEMBERS] = []
        for _: uint256 in range(report.signatures, bound=MAX_SIGNATURES):
            signature: IPanels.Signature = signatures[i]
            signer: address = short_signature._signer(digest, signature.r, signature.vs)
            seat: uint256 = self._seats[panel_id][signer]
            if open and self._is_due(word, seat):
                word = report_word._with(word, code, seat)
                members.append(signer)
                count += 1
                if count == seat_word._threshold(seat):
                    word = report_word._decided(word, code)
                    open = False
            else:
                log IPanels.ReportSkipped(
                    panel_id=panel_id,
                    question_id=question_id,
                    signer=signer,
                    index=i,
                    reason=self._refusal(report.question, word, code, seat, signer),
                )
                reported: uint256 = report_word._code_of(word, seat)
                if reported != 0 and reported != code:
                    log IPanels.Equivocated(
                        panel_id=panel_id,
                        question_id=question_id,
                        member=signer,
                        reported=report_word._decoded(reported)[1],
                        signed=report_word._decoded(code)[1],
                    )
            i += 1
        if len(members) != 0:
            self._record(panel_id, question_id, word, code, members)
    assert i == len(signatures), "panels: signatures left over"


@external
@view
def result(panel_id: uint256, question_id: bytes32) -> (bool, uint256):
    """
    @notice Whether the outcome is final, and which it is.
    @param panel_id Of the panel.
    @param question_id As `hash_question` gives it.
    @return Final or not; the outcome, 0 where it is not final.
    """
    return report_word._decoded(report_word._final(self._reports[panel_id][question_id]))


@external
@view
def deciding_members(panel_id: uint256, question_id: bytes32) -> DynArray[address, MAX_MEMBERS]:
    """
    @notice The M members whose equal reports made the outcome final.
    @param panel_id Of the panel.
    @param question_id As `hash_question` gives it.
    @return Exactly M addresses, ascending; none where the outcome is not final.
    """
    word: uint256 = self._reports[panel_id][question_id]
    final_code: uint256 = report_word._final(word)
    deciding: DynArray[address, MAX_MEMBERS] = []
    if final_code == 0:
        return deciding

    # No report is recorded after the one that made it final: these are M.
    for place: uint256 in range(len(self._members[panel_id]), bound=MAX_MEMBERS):
        if report_word._code_at(word, place) == final_code:
            deciding.append(self._members[panel_id][place])
    return deciding


@external
@view
def report_of(panel_id: uint256, question_id: bytes32, member: address) -> (bool, uint256):
    """
    @notice Whether a member has reported, and what.
    @param panel_id Of the panel.
    @param question_id As `hash_question` gives it.
    @param member Of the panel.
    @return Reported or not; the outcome, 0 where not reported.
    """
    word: uint256 = self._reports[panel_id][question_id]
    return report_word._decoded(report_word._code_of(word, self._seats[panel_id][member]))


@external
@view
def is_member(panel_id: uint256, account: address) -> bool:
    """
    @notice Whether an address sits on a panel.
    @param panel_id Of the panel.
    @param account The address.
    @return True for its members.
    """
    return self._seats[panel_id][account] != 0


@external
@view
def members_of(panel_id: uint256) -> DynArray[address, MAX_MEMBERS]:
    """
    @notice Who sits on a panel.
    @param panel_id Of the panel.
    @return The members, ascending; none where there is no such panel.
    """
    return self._members[panel_id]


@external
@view
def hash_question(question: IPanels.Question) -> bytes32:
    """
    @notice The id of a question.
    @param question Its four fields.
    @return keccak256 of their ABI encoding.
    """
    return self._question_id(question)


@internal
@view
def _is_open(question: IPanels.Question, word: uint256) -> bool:
    is_time: bool = block.timestamp >= question.not_before and block.timestamp <= question.deadline
    return is_time and report_word._final(word) == 0


@internal
@pure
def _is_due(word: uint256, seat: uint256) -> bool:
    return seat != 0 and report_word._code_of(word, seat) == 0


@internal
@view
def _refusal(
    question: IPanels.Question, word: uint256, code: uint256, seat: uint256, member: address
) -> String[32]:
    """
    @notice Why a report does not count, if the question is not open or the member not due.
    """
    if member == empty(address):
        return "panels: void signature"
    if seat == 0:
        return "panels: not a member"
    reported: uint256 = report_word._code_of(word, seat)
    if reported == code:
        return "panels: already reported"
    if reported != 0:
        return "panels: reported otherwise"
    if report_word._final(word) != 0:
        return "panels: already final"
    if block.timestamp < question.not_before:
        return "panels: too early"
    return "panels: too late"


@internal
def _record(
    panel_id: uint256, question_id: bytes32, word: uint256, code: uint256, members: DynArray[address, MAX_MEMBERS]
):
    self._reports[panel_id][question_id] = word
    outcome: uint256 = report_word._decoded(code)[1]
    if report_word._final(word) == 0:
        log IPanels.OutcomeReported(panel_id=panel_id, question_id=question_id, outcome=outcome, members=members)
    else:
        log IPanels.OutcomeDecided(panel_id=panel_id, question_id=question_id, outcome=outcome, members=members)


@internal
@view
def _digest(panel_id: uint256, report: IPanels.Report) -> bytes32:
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(
            abi_encode(
                REPORT_TYPE_HASH,
                panel_id,
                report.question.product,
                report.question.key,
                report.question.not_before,
                report.question.deadline,
                report.outcome,
            )
        )
    )


@internal
@pure
def _question_id(question: IPanels.Question) -> bytes32:
    return keccak256(abi_encode(question))
