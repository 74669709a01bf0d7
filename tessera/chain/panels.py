"""Panels: M of N members say what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from eth_account.messages import SignableMessage, encode_typed_data

from tessera.chain.contract import Contract, EventLog, Receipt
from tessera.chain.wallet import Signer, Wallet

DOMAIN_NAME, DOMAIN_VERSION = "Tessera Panels", "1"
MOST_REPORTS, MOST_SIGNATURES = 16, 48  # of one transaction
INVALID = 2**256 - 1
REPORT_TYPE = {
    "Report": [
        {"name": "panel_id", "type": "uint256"},
        {"name": "product", "type": "address"},
        {"name": "key", "type": "bytes32"},
        {"name": "not_before", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
        {"name": "outcome", "type": "uint256"},
    ]
}


def ascending(members: Iterable[str]) -> list[str]:
    """Addresses in the order in which a panel has its members."""
    return sorted(members, key=lambda address: int(address, 16))


class Question(NamedTuple):
    """What a product asks; both times count, unix seconds."""

    product: str
    key: bytes
    not_before: int
    deadline: int


class Signed(NamedTuple):
    """What members signed for one question, each as `Panels.sign` gives it."""

    question: Question
    outcome: int
    signatures: Sequence[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class PanelCreated(EventLog):
    panel_id: int
    members: list
    threshold: int


@dataclass(frozen=True, kw_only=True)
class OutcomeReported(EventLog):
    panel_id: int
    question_id: bytes
    outcome: int
    members: list


@dataclass(frozen=True, kw_only=True)
class OutcomeDecided(EventLog):
    panel_id: int
    question_id: bytes
    outcome: int
    members: list


@dataclass(frozen=True, kw_only=True)
class ReportSkipped(EventLog):
    panel_id: int
    question_id: bytes
    signer: str
    index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Equivocated(EventLog):
    panel_id: int
    question_id: bytes
    member: str
    reported: int
    signed: int


class Panels(Contract):
    """One contract with every panel: a panel is the hash of its members and threshold."""

    NAME = "Panels"
    EVENTS = (
        PanelCreated,
        OutcomeReported,
        OutcomeDecided,
        ReportSkipped,
        Equivocated,
    )

    def result(self, panel_id: int, question_id: bytes) -> tuple[bool, int]:
        """Whether an outcome is final, and which."""
        return tuple(self.read("result", panel_id, question_id))

    def members_of(self, panel_id: int) -> list[str]:
        """A panel's members, ascending."""
        return list(self.read("members_of", panel_id))

    def threshold_of(self, panel_id: int) -> int:
        """How many members decide; 0 where there is no such panel."""
        return self.read("threshold_of", panel_id)

    def question_id(self, question: Question) -> bytes:
        """The hash of a question's four fields."""
        return self.read("hash_question", tuple(question))

    def typed_report(self, panel_id: int, question: Question, outcome: int) -> SignableMessage:
        """What a member signs (EIP-712)."""
        domain = {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": self.web3.eth.chain_id,
            "verifyingContract": self.address,
        }
        message = {"panel_id": panel_id, **question._asdict(), "outcome": outcome}
        return encode_typed_data(domain, REPORT_TYPE, message)

    def sign(self, member: Signer, panel_id: int, question: Question, outcome: int) -> tuple[int, int]:
        """A member's report as the two words of EIP-2098, `r` and `vs`, that `submit_reports` takes."""
        signed = member.sign_message(self.typed_report(panel_id, question, outcome))
        return signed.r, signed.s | (signed.v - 27) << 255

    def create_panel(self, sender: Wallet, members: Sequence[str], threshold: int) -> Receipt:
        """Creates a panel; members strictly ascending. Its id is in `done.event(PanelCreated)`, if it is new."""
        return self.write(sender, "create_panel", list(members), threshold)

    def report(self, sender: Wallet, panel_id: int, question: Question, outcome: int) -> Receipt:
        """Reports as a member."""
        return self.write(sender, "report", panel_id, tuple(question), outcome)

    def submit_reports(
        self, sender: Wallet, panel_id: int, question: Question, outcome: int, signatures: Sequence[tuple[int, int]]
    ) -> Receipt:
        """Submits what members signed for one question, each as `sign` gives it. Anyone; skipped ones are rows."""
        return self.submit_many(sender, panel_id, [Signed(question, outcome, signatures)])

    def submit_many(self, sender: Wallet, panel_id: int, reports: Sequence[Signed]) -> Receipt:
        """Submits what members signed for up to MOST_REPORTS questions with MOST_SIGNATURES in all. Anyone; skipped
        ones are rows, and keep no other from being counted."""
        counted = [(tuple(report.question), report.outcome, len(report.signatures)) for report in reports]
        signatures = [signature for report in reports for signature in report.signatures]
        return self.write(sender, "submit_reports", panel_id, counted, signatures)
