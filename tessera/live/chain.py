"""What the engine reads from the chain, and what it does there by itself: land, close, challenge, exit, finalize.

`due` decides from the engine's memory and gives duties that carry all they need; whoever may send runs them, in a
thread of its own. A duty that fails is due again in the next round: the chain says what is done.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from eth_account.messages import SignableMessage

from tessera.chain.contract import EventLog
from tessera.chain.deployments import Tessera
from tessera.chain.errors import ChainError, NodeError, NodeRefusedError, NotMinedError
from tessera.chain.logs import LogReader, ReorgError
from tessera.chain.micro_sessions import NO_RECEIPT, NO_SIGNATURE, BookProof, Signature, Stage
from tessera.chain.panels import MOST_REPORTS, MOST_SIGNATURES, Signed
from tessera.chain.panels import Question as PanelQuestion
from tessera.chain.signatures import is_signed_by_code
from tessera.chain.wallet import Wallet
from tessera.live.accounts import Session
from tessera.live.asked import Asked
from tessera.live.clock import MS
from tessera.live.engine import Engine
from tessera.live.facts import Exit
from tessera.live.panel import BOOKED, Panel
from tessera.model.sessions import record, states
from tessera.model.sessions.typed import Close, Offer, State

log = logging.getLogger(__name__)

MOST_CLOSES = 50  # in one transaction


@dataclass(frozen=True)
class News:
    """What the chain says: events, its newest block, that block's unix time. `is_anew`: what was known is void."""

    events: list[EventLog]
    head: int
    block_at: int
    is_anew: bool


class Watch:
    """Reads the events of all sessions, each once."""

    def __init__(self, tessera: Tessera):
        self.tessera = tessera
        self._begin()

    def _begin(self) -> None:
        tessera = self.tessera
        self._reader = LogReader(tessera.web3, [tessera.sessions.address], tessera.deployment.first_block)
        self._is_new = True

    def look(self) -> News:
        """What is new; everything where the chain took blocks back. Raises NodeError."""
        block = self.tessera.web3.eth.get_block("latest")
        head, block_at = block.get("number", 0), block.get("timestamp", 0)
        try:
            events = list(self._reader.read(head))
        except ReorgError:
            self._begin()
            events = list(self._reader.read(head))
        is_anew, self._is_new = self._is_new, False
        return News(events, head, block_at, is_anew)

    def is_signed_by_code(self, account: str, text: SignableMessage, signature: bytes) -> bool:
        """Whether a contract wallet's code takes a signature of a text (EIP-1271). Raises NodeError."""
        return is_signed_by_code(self.tessera.web3, account, text, signature)

    def decided(self, panel: Panel, questions: list[tuple[bytes, PanelQuestion]]) -> dict[bytes, int | None]:
        """What the chain says of questions by hash; None where a panel decided nothing. Raises NodeError."""
        panels, outcomes = self.tessera.panels, {}
        for digest, asked in questions:
            is_final, outcome = panels.result(panel.panel_id, panels.question_id(asked))
            outcomes[digest] = outcome if is_final else None
        return outcomes


def overdue(engine: Engine) -> list[tuple[bytes, PanelQuestion]]:
    """Questions with bets that nobody decided until `report_by`, by a block later than it: now the chain counts."""
    if not engine.is_running:
        return []
    return [
        (asked.digest, engine.panel.asked(asked.digest, asked.question))
        for asked in engine.memory.undecided.values()
        if asked.bettors and engine.guard.block_at > asked.question.report_by // MS
    ]


@dataclass(frozen=True)
class Duty:
    """Something to do on chain, in words and as a call."""

    text: str
    do: Callable[[Tessera, Wallet], bool]  # whether something was sent


def challenges(engine: Engine) -> list[Duty]:
    """Answers to exits by old states, while they may be answered. Nothing comes before them: an hour full of results
    to land would cost what the players have lost since."""
    now, sessions, duties = engine.guard.block_at, engine.memory.sessions, []
    for digest, known in engine.facts.exiting.items():
        session = sessions.get(digest)
        if session is not None and known.exit is not None and _is_old(session, known.exit, now):
            duties.append(Duty(f"challenge of {digest.hex()}", _posting(session, is_first=False)))
    return duties


def _is_old(session: Session, known: Exit, now: int) -> bool:
    completed = session.completed
    return completed is not None and completed.state.seq > known.state.seq and now < known.first_end


def due(engine: Engine) -> list[Duty]:
    """All that the operator has to do now, the most urgent first."""
    now, memory, sessions = engine.guard.block_at, engine.memory, engine.facts.sessions
    memory.come(engine.guard.now())
    duties: list[Duty] = []
    closes = []
    landing = {digest: asked for digest, asked in memory.landing.items() if asked.bettors}
    for digest, known in engine.facts.exiting.items():
        if (session := memory.sessions.get(digest)) is not None and known.exit is not None:
            bets = [bet.question for bet in known.exit.state.open_bets]
            landing |= {question: memory.questions[question] for question in bets if question in memory.questions}
            duties += _exiting(engine, session, known.exit, now)
    # An ended stream's sessions are all exited from.
    for digest, session in (memory.sessions if memory.has_ended else memory.agreed | memory.expired).items():
        known, agreed = sessions.get(digest), session.agreed
        if known is None or known.stage is not Stage.OPEN:
            continue
        if agreed is not None and agreed.agreement.valid_until > now:
            closes.append((session.offer, agreed.agreement, agreed.player_signature))
        elif agreed is not None or memory.has_ended or now > session.offer.expires_at:
            duties.append(Duty(f"exit of {digest.hex()}", _posting(session, is_first=True)))
    for first in range(0, len(closes), MOST_CLOSES):
        items = closes[first : first + MOST_CLOSES]
        duties.append(Duty(f"close of {len(items)} sessions", _closing(engine.stream_id, items)))
    # What is landed comes before what relies on it.
    return [*challenges(engine), *_landings(engine.panel, landing.values(), now), *duties]


def _exiting(engine: Engine, session: Session, known: Exit, now: int) -> list[Duty]:
    offer, posted, name = session.offer, known.state, session.digest.hex()
    if _is_old(session, known, now):
        return []  # it is challenged
    counts = known.by_player or known.is_proven
    exclusion = engine.facts.exclusion(offer.player)
    if now >= states.ready_at(offer, posted, known.end, counts, exclusion):
        return [Duty(f"end of {name}", _ending(offer, posted))]
    newest = posted.open_bets[-1] if posted.open_bets else None
    if newest is not None and not counts and not states.goes_back(offer, newest, exclusion):
        asked = engine.memory.questions.get(newest.question)
        leaf = engine.domain.digest(posted, session=session.digest)
        if asked is not None and asked.book is not None and asked.is_booked and leaf in asked.leaves:
            book = BookProof(asked.book.root, record.book_proof(asked.leaves, leaf))
            question = engine.panel.asked(record.book_key(asked.digest, book.root), asked.question)
            return [Duty(f"proof of {name}", _proving(engine.panel.panel_id, question, offer, posted, book))]
    return []


def _ending(offer: Offer, state: State) -> Callable[[Tessera, Wallet], bool]:
    def do(tessera: Tessera, wallet: Wallet) -> bool:
        tessera.sessions.finalize(wallet, offer, state)
        return True

    return do


def _proving(
    panel_id: int, question: PanelQuestion, offer: Offer, state: State, book: BookProof
) -> Callable[[Tessera, Wallet], bool]:
    def do(tessera: Tessera, wallet: Wallet) -> bool:
        is_final, outcome = tessera.panels.result(panel_id, tessera.panels.question_id(question))
        if not is_final or outcome != BOOKED:
            return False  # its landing is due first, or nobody landed it in time
        tessera.sessions.prove(wallet, offer, state, book)
        return True

    return do


def _posting(session: Session, *, is_first: bool) -> Callable[[Tessera, Wallet], bool]:
    """Posts the newest completed state, or the empty one."""
    offer, completed = session.offer, session.completed
    state, signature, receipt = State(), NO_SIGNATURE, NO_RECEIPT
    if completed is not None:
        state, signature, receipt = completed.state, completed.player_signature, completed.receipt

    def do(tessera: Tessera, wallet: Wallet) -> bool:
        post = tessera.sessions.start_exit if is_first else tessera.sessions.challenge
        post(wallet, offer, state, signature, receipt)
        return True

    return do


def _closing(stream_id: int, items: list[tuple[Offer, Close, Signature]]) -> Callable[[Tessera, Wallet], bool]:
    def do(tessera: Tessera, wallet: Wallet) -> bool:
        tessera.sessions.close_many(wallet, stream_id, items)
        return True

    return do


def _landings(panel: Panel, questions: Iterable[Asked], now: int) -> list[Duty]:
    """Results and books, as many in a transaction as the panel takes, those first that have the least time."""
    reports = [report for asked in questions for report in _signed(panel, asked, now)]
    reports.sort(key=lambda report: report.question.deadline)
    most = min(MOST_REPORTS, MOST_SIGNATURES // panel.threshold)
    parts = [reports[first : first + most] for first in range(0, len(reports), most)]
    return [Duty(f"report of {len(part)} results and books", _land(panel.panel_id, part)) for part in parts]


def _signed(panel: Panel, asked: Asked, now: int) -> Iterator[Signed]:
    """A question's result and book with enough signatures, while the panel takes them."""
    reports = []
    if asked.result is not None and asked.result.outcome is not None and asked.result.signatures:
        reports.append((asked.digest, asked.result.outcome, asked.result.signatures))
    if asked.is_booked and asked.book is not None and asked.leaves:
        key = record.book_key(asked.digest, asked.book.root)
        reports.append((key, BOOKED, asked.book_signatures))
    for key, outcome, signatures in reports:
        question = panel.asked(key, asked.question)
        if question.not_before <= now <= question.deadline:
            yield Signed(question, outcome, [*signatures.values()][: panel.threshold])


def _land(panel_id: int, reports: list[Signed]) -> Callable[[Tessera, Wallet], bool]:
    def do(tessera: Tessera, wallet: Wallet) -> bool:
        panels = tessera.panels
        waiting = [each for each in reports if not panels.result(panel_id, panels.question_id(each.question))[0]]
        if waiting:
            panels.submit_many(wallet, panel_id, waiting)
        return bool(waiting)

    return do


def perform(duty: Duty, tessera: Tessera, wallet: Wallet) -> None:
    """Does a duty; what a contract or the node refuses, and what is too dear now, is logged and left.

    Raises NodeError where the node is away, and NotMinedError: no other transaction would be mined before that one.
    """
    try:
        if duty.do(tessera, wallet):
            log.info("%s: done", duty.text)
    except ChainError as error:
        if isinstance(error, NodeError | NotMinedError) and not isinstance(error, NodeRefusedError):
            raise
        log.warning("%s: %s", duty.text, error)
