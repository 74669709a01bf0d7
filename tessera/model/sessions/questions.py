"""Questions: when one is well formed, which choice wins, and the times at which a panel may say so."""

from enum import IntEnum
from itertools import pairwise

from tessera.model.sessions.typed import Question

MS = 1_000
LOCK_AHEAD_MS = 3_000  # betting ends so long before what is bet on may begin
CHOICES = range(2, 17)
NO_CHOICE = 16  # what a panel reports where none of the choices wins
INVALID = 2**256 - 1
NEVER = 2**256 - 1  # of a timing question: it did not happen
MAX_SYMBOLS = 31


class Kind(IntEnum):
    """What observers see: 0 or 1, a count, milliseconds after the start or never, or the first symbols."""

    BINARY = 0
    QUANTITY = 1
    TIMING = 2
    PATTERN = 3


# Seconds from start to end.
WINDOWS = {
    Kind.BINARY: range(5, 121),
    Kind.QUANTITY: range(10, 301),
    Kind.TIMING: range(5, 601),
    Kind.PATTERN: range(10, 301),
}


class QuestionError(ValueError):
    """A question that nobody should sign or bet on. `str(error)` says what is wrong."""


def pattern(symbols: bytes) -> int:
    """The number by which a pattern question's choice or observation names a sequence of symbols, a byte each."""
    return int.from_bytes(symbols)


def check(question: Question) -> None:
    """Raises QuestionError unless a question is well formed."""
    if question.kind not in list(Kind):
        raise QuestionError("unknown kind")
    kind = Kind(question.kind)
    if len(question.choices) not in CHOICES:
        raise QuestionError("2 to 16 choices")
    if not question.text:
        raise QuestionError("no text")
    _check_times(kind, question)
    is_pattern = kind is Kind.PATTERN
    if not (1 <= question.symbols <= MAX_SYMBOLS if is_pattern else question.symbols == 0):
        raise QuestionError("a pattern has 1 to 31 symbols, nothing else has any")
    for choice in question.choices:
        _check_choice(kind, question, choice.low, choice.high)
    ordered = sorted(question.choices, key=lambda choice: choice.low)
    if any(after.low <= before.high for before, after in pairwise(ordered)):
        raise QuestionError("choices overlap")


def _check_times(kind: Kind, question: Question) -> None:
    if question.lock < 0 or question.lock + LOCK_AHEAD_MS > question.start:
        raise QuestionError("betting must end 3 s before the start")
    if question.start > question.end or question.end >= question.report_by:
        raise QuestionError("start, end and report_by are out of order")
    window = WINDOWS[kind]
    if not window[0] * MS <= question.end - question.start <= window[-1] * MS:
        raise QuestionError(f"the window of this kind is {window[0]} to {window[-1]} s")
    opens_at, deadline = panel_times(question.lock, question.report_by)
    if opens_at > deadline:
        raise QuestionError("report_by leaves the panel no second")


def _check_choice(kind: Kind, question: Question, low: int, high: int) -> None:
    if not 0 <= low <= high <= NEVER:
        raise QuestionError("a choice's low is above its high")
    match kind:
        case Kind.BINARY:
            legal = low == high and low in (0, 1)
        case Kind.QUANTITY:
            legal = True
        case Kind.TIMING:
            legal = low == high == NEVER or high <= question.end - question.start
        case Kind.PATTERN:
            legal = low == high < 256**question.symbols
    if not legal:
        raise QuestionError(f"not a choice of a {kind.name.lower()} question")


def panel_times(lock: int, report_by: int) -> tuple[int, int]:
    """A question's times on Panels, unix seconds: opening rounded up, deadline rounded down; both milliseconds here."""
    return -(-lock // MS), report_by // MS


def winning_choice(question: Question, observed: int | None) -> int:
    """The number of the choice that an observation falls into; NO_CHOICE where none, INVALID where nobody could see.

    `observed` is 0 or 1, a count, milliseconds after the start or NEVER, or `pattern(symbols)`; None: not to be seen.
    """
    if observed is None:
        return INVALID
    for number, choice in enumerate(question.choices):
        if choice.low <= observed <= choice.high:
            return number
    return NO_CHOICE
