"""One question as the engine has it: its quote, its bets, its book, and what observers report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tessera.chain.micro_sessions import Signature
from tessera.live.panel import Panel
from tessera.live.refusals import Code, Refused
from tessera.model.loss.expected import Disclosure
from tessera.model.sessions import questions, record
from tessera.model.sessions.typed import Book, Question, Quote

EMPTY_ROOT = bytes(32)  # of a book without bets, which observers sign, too: so one sees that they are there


@dataclass(frozen=True)
class Quoted:
    """A quote with its signature, and what a player sees beside it."""

    digest: bytes
    quote: Quote
    signature: Signature
    shown: Disclosure


class Result(NamedTuple):
    """An outcome of a question (None: none came in time), and the signatures that say so, by member."""

    outcome: int | None
    signatures: dict[str, Signature]


@dataclass
class Asked:
    """A question. `chances_ppm` is the house's estimate for each choice, from which quotes are made."""

    digest: bytes
    question: Question
    chances_ppm: tuple[int, ...]
    quoted: Quoted | None = None  # the newest that is in the journal
    quoted_until: int = 0  # of the newest that is on its way there
    leaves: list[bytes] = field(default_factory=list)  # state hashes of its bets, in the record's order
    bettors: set[bytes] = field(default_factory=set)  # sessions
    book: Book | None = None  # once locked
    signed: Signature | None = None  # the house's of the book, once somebody has asked for it
    book_signatures: dict[str, Signature] = field(default_factory=dict)
    is_booked: bool = False  # enough observers signed the book
    reports: dict[str, tuple[int, Signature]] = field(default_factory=dict)
    result: Result | None = None

    @property
    def root(self) -> bytes:
        """The root of its leaves so far."""
        return record.book_root(self.leaves) if self.leaves else EMPTY_ROOT

    def check_outcome(self, outcome: int) -> None:
        """Raises Refused unless a panel may report an outcome."""
        if not (0 <= outcome < len(self.question.choices) or outcome in (questions.NO_CHOICE, questions.INVALID)):
            raise Refused(Code.UNKNOWN_OUTCOME)

    def report(self, panel: Panel, member: str, outcome: int, signature: Signature) -> Result | None:
        """Takes a member's report of an outcome that was checked, and gives the result once enough members agree.
        Raises Refused."""
        reported, _ = self.reports.setdefault(member, (outcome, signature))
        if reported != outcome:
            raise Refused(Code.CONFLICT, reported=str(reported))
        if self.result is not None:
            return None
        agreeing = {name: by for name, (other, by) in self.reports.items() if other == outcome}
        return Result(outcome, _first(agreeing, panel.threshold)) if len(agreeing) >= panel.threshold else None

    def confirm_book(self, panel: Panel, member: str, signature: Signature) -> dict[str, Signature] | None:
        """Takes a member's signature of the book, and gives all that are needed once there are enough."""
        self.book_signatures[member] = signature
        if self.is_booked or len(self.book_signatures) < panel.threshold:
            return None
        return _first(self.book_signatures, panel.threshold)


def _first(signatures: Mapping[str, Signature], count: int) -> dict[str, Signature]:
    return dict(list(signatures.items())[:count])
