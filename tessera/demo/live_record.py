"""What happened on the live stream, as the chain's logs and the engine's journal say it."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from eth_typing import HexStr

from tessera.accounting.ledger import COLLECTED, PAID
from tessera.chain import EventLog, Tessera
from tessera.chain.escrow import Entry as Moved
from tessera.chain.micro_sessions import BetProven, ExitPosted, SessionClosed, SessionOpened
from tessera.live.accounts import Session
from tessera.live.asked import Asked
from tessera.live.journal import Entry
from tessera.live.memory import Memory
from tessera.model.sessions import states
from tessera.model.sessions.questions import NEVER, NO_CHOICE, Kind
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import OpenBet, Question, State
from tessera.observe.matches import Match

TOGETHER = "closed together"
NEWS = (SessionOpened, ExitPosted, BetProven, SessionClosed)


class Cost(NamedTuple):
    """What a transaction took: gas, and wei for each unit of it."""

    gas: int
    price: int


@dataclass
class ReplayPlayed:
    """A replay that was bet on and found to add up. `begin` is the kick-off, unix milliseconds; `speed` how many times
    as fast as the match it went; `costs` are those of all transactions about sessions."""

    tessera: Tessera
    stream_id: int
    match: Match
    speed: float
    names: dict[str, str]
    begin: int = 0
    entries: list[Entry] = field(default_factory=list)
    rows: list[EventLog] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


class Step(NamedTuple):
    """A transaction about a session, in words. One that ended several counts for each with its part."""

    text: str
    transaction: str
    gas: int
    price: int

    @property
    def wei(self) -> int:
        """What it cost."""
        return self.gas * self.price


class SessionLine(NamedTuple):
    """A session as people read it; money in units. `curve` is what its player could still stake from kick-off on, by
    unix milliseconds; `gain` is the player's, activation cost included."""

    name: str
    session: Session
    bets: list[OpenBet]
    curve: list[tuple[int, int]]
    net: int
    gain: int
    steps: list[Step]

    @property
    def gas(self) -> int:
        """What its transactions took."""
        return sum(step.gas for step in self.steps)

    @property
    def wei(self) -> int:
        """What they cost."""
        return sum(step.wei for step in self.steps)

    @property
    def is_together(self) -> bool:
        """Whether it was closed as both sides signed."""
        return [step.text for step in self.steps] == ["opened", TOGETHER]


class QuestionLine(NamedTuple):
    """A question as people read it; money in units."""

    question: Question
    outcome: int
    bets: list[OpenBet]
    odds: tuple[int, ...]


class Lie(NamedTuple):
    """An exit by an old state: who posted it, what it would have paid the player, and what the newest one paid."""

    name: str
    by_player: bool
    posted: State
    newest: State
    wanted: int
    paid: int


def costs_of(tessera: Tessera, rows: list[EventLog]) -> dict[str, Cost]:
    """What each transaction took that is about a session."""
    costs = {}
    for transaction in {row.transaction for row in rows if isinstance(row, NEWS)}:
        receipt = tessera.web3.eth.get_transaction_receipt(HexStr(transaction))
        costs[transaction] = Cost(receipt["gasUsed"], receipt["effectiveGasPrice"])
    return costs


class Book:
    """Sessions and questions as the journal tells them."""

    def __init__(self, played: ReplayPlayed):
        self.memory = memory = Memory(played.tessera.sessions.domain, played.stream_id)
        self.bets: defaultdict[bytes, list[OpenBet]] = defaultdict(list)
        self.curves: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
        for entry in played.entries:
            memory.replay(entry)
            if entry.headed is None or "at" not in entry.body:
                continue
            for session in memory.sessions.values():
                self._note(session, int(entry.body["at"]))
            if entry.headed.line.kind is LineKind.BET:
                session = memory.sessions[bytes.fromhex(entry.body["session"][2:])]
                self.bets[session.digest] += session.state.open_bets[-1:]

    def _note(self, session: Session, at: int) -> None:
        net, waiting = self.memory.folded(session)
        balance = session.offer.deposit + net - sum(bet.stake for bet in waiting)
        curve = self.curves[session.digest]
        if not curve or curve[-1][1] != balance:
            curve.append((at, balance))


def sessions(played: ReplayPlayed) -> list[SessionLine]:
    """Every session, in the order of their opening."""
    book, lines = Book(played), []
    ended = {row.session: row for row in played.rows if isinstance(row, SessionClosed)}
    for row in played.rows:
        if not isinstance(row, SessionOpened):
            continue
        session = book.memory.sessions[row.session]
        later = [point for point in book.curves[row.session] if point[0] >= played.begin]
        lines.append(
            SessionLine(
                played.names[row.player],
                session,
                book.bets[row.session],
                [(played.begin, session.offer.deposit), *later],
                ended[row.session].net,
                gain_of(played, row.player),
                _steps(played, row.session),
            )
        )
    return lines


def _steps(played: ReplayPlayed, session: bytes) -> list[Step]:
    rows = [row for row in played.rows if isinstance(row, NEWS) and row.session == session]
    steps, is_exiting = [], False
    for row in rows:
        match row:
            case SessionOpened():
                text = "opened"
            case ExitPosted():
                side = "the player" if row.by_player else "the house"
                text = f"state {row.state.seq} posted {'in answer' if is_exiting else 'by ' + side}"
                is_exiting = True
            case BetProven():
                text = "newest bet proven"
            case _:
                text = "ended" if is_exiting else TOGETHER
        cost = played.costs[row.transaction]
        shared = sum(type(other) is type(row) and other.transaction == row.transaction for other in played.rows)
        steps.append(Step(text, row.transaction, cost.gas // shared, cost.price))
    return steps


def questions(played: ReplayPlayed) -> list[QuestionLine]:
    """Every question, in the order in which they were asked; odds are those of its first quote."""
    book = Book(played)
    bets = [bet for of_session in book.bets.values() for bet in of_session]
    chances: dict[bytes, list] = {}
    for entry in played.entries:
        if entry.headed is not None and entry.headed.line.kind is LineKind.QUOTE:
            chances.setdefault(entry.headed.line.question, entry.body["quote"]["odds"])
    return [
        QuestionLine(
            asked.question,
            _outcome(asked),
            [bet for bet in bets if bet.question == digest],
            tuple(map(int, chances[digest])),
        )
        for digest, asked in book.memory.questions.items()
    ]


def _outcome(asked: Asked) -> int:
    assert asked.result is not None
    assert asked.result.outcome is not None
    return asked.result.outcome


def lies(played: ReplayPlayed) -> list[Lie]:
    """Every exit that was answered by a later state, in the order of the logs."""
    found = []
    for line in sessions(played):
        posted = [row for row in played.rows if isinstance(row, ExitPosted) and row.session == line.session.digest]
        if len(posted) > 1:
            first, last = posted[0].state.state, posted[-1].state.state
            offer = line.session.offer
            wanted = states.settle(offer, first.net, first.activated).paid
            paid = states.settle(offer, line.net, last.activated).paid
            found.append(Lie(line.name, posted[0].by_player, first, last, wanted, paid))
    return found


def gain_of(played: ReplayPlayed, account: str) -> int:
    """What an account won or lost, by the logs of Escrow; a bankroll that is still in its stream counts as lost."""
    gain = 0
    for row in played.rows:
        if isinstance(row, Moved) and row.account == account:
            gain += row.amount if row.kind in PAID else -row.amount if row.kind in COLLECTED else 0
    return gain


def choice_text(question: Question, choice: int) -> str:
    """A choice, or an outcome, in words."""
    if choice == NO_CHOICE:
        return "none of them"
    low, high = question.choices[choice].low, question.choices[choice].high
    match Kind(question.kind):
        case Kind.BINARY:
            return "yes" if low else "no"
        case Kind.QUANTITY:
            return str(low) if low == high else f"{low} to {high}"
        case Kind.TIMING:
            return "never" if low == NEVER else f"after {low / 1_000:.0f} to {high / 1_000:.0f} s"
        case Kind.PATTERN:
            return low.to_bytes(question.symbols).decode()
