"""What the engine of a stream knows: questions, sessions and wallets, as its journal tells them.

Each `did_...` is one change, made when an entry is queued, and again when the journal is replayed.
"""

from collections import OrderedDict, deque
from collections.abc import Container, Iterable
from heapq import heappop, heappush
from itertools import takewhile

from tessera.chain.micro_sessions import Signature
from tessera.live.accounts import COOL_OFF, Account, Agreed, Placed, Session
from tessera.live.asked import Asked, Quoted, Result
from tessera.live.clock import MS
from tessera.live.journal import Entry, Headed, JournalError
from tessera.live.terms import LAND_MS
from tessera.live.wire import decode, decode_hash, decode_signature
from tessera.model.loss.limits import WEEK_MS, Kind, Limits
from tessera.model.loss.velocity import Velocity
from tessera.model.sessions import record, states
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import Book, Close, Domain, Offer, OpenBet, Question, Quote, State

MOST_LOCKED = 10_000
QUOTES_KEPT_MS = 60_000  # beyond the newest one


class Memory:
    """One stream: where its record stands, and everything that the entries so far came to."""

    def __init__(self, domain: Domain, stream_id: int):
        self.domain, self.stream_id = domain, stream_id
        self.n, self.head = 0, record.first_head(domain, stream_id)
        self.questions: dict[bytes, Asked] = {}
        self.open: dict[bytes, Asked] = {}  # not locked yet
        self.locked: deque[Asked] = deque(maxlen=MOST_LOCKED)  # from the newest book on, by lock lines
        self.undecided: dict[bytes, Asked] = {}  # locked, without a result
        self._due: list[tuple[int, bytes]] = []  # questions by their `report_by`, a heap
        self.landing: dict[bytes, Asked] = {}  # whose results are due soon
        self._late: deque[Asked] = deque()  # whose results were due, oldest first
        self._expiring: list[tuple[int, bytes]] = []  # sessions by their expiry, a heap
        self.expired: dict[bytes, Session] = {}
        self._offered: deque[tuple[int, bytes]] = deque()  # sessions by the end of their offer, oldest first
        self.agreed: dict[bytes, Session] = {}  # sessions that are to be closed
        self.has_ended = False  # a line was lost: nothing is signed any more
        self.answered_until = 0  # unix milliseconds up to which answers are in the record, or refusals were signed
        self.quotes: OrderedDict[bytes, Quote] = OrderedDict()  # newest last
        self.sessions: dict[bytes, Session] = {}
        self.accounts: dict[str, Account] = {}
        self._left: OrderedDict[str, int] = OrderedDict()  # when a wallet's last session was forgotten, oldest first

    def account(self, player: str) -> Account:
        """A wallet's account, made where there is none."""
        return self.accounts.setdefault(player, Account())

    def results(self, session: Session) -> dict[bytes, Result]:
        """The results that are known of a session's open bets."""
        results = {}
        for bet in session.state.open_bets:
            if (result := self.questions[bet.question].result) is not None:
                results[bet.question] = result
        return results

    def did_line(self, headed: Headed) -> None:
        """The record is one line longer."""
        self.n, self.head = headed.line.n, headed.head

    def did_offer(self, offer: Offer, operator_signature: Signature) -> Session:
        """A wallet was offered a session."""
        account = self.account(offer.player)
        session = Session(self.domain.digest(offer), offer, operator_signature, account)
        self.sessions[session.digest] = session
        account.sessions.append(session)
        heappush(self._expiring, (offer.expires_at, session.digest))
        self._offered.append((offer.valid_until, session.digest))
        return session

    def did_ask(self, question: Question, chances_ppm: tuple[int, ...]) -> Asked:
        """A question is open."""
        asked = Asked(self.domain.digest(question), question, chances_ppm)
        self.questions[asked.digest] = self.open[asked.digest] = asked
        heappush(self._due, (question.report_by, asked.digest))
        return asked

    def did_quote(self, asked: Asked, quoted: Quoted, chances_ppm: tuple[int, ...]) -> None:
        """A question has a new quote."""
        asked.quoted, asked.chances_ppm = quoted, chances_ppm
        self._keep(quoted.digest, quoted.quote)

    def _keep(self, digest: bytes, quote: Quote) -> None:
        """A quote holds for as long as it says, whichever engine made it; later, a bet is told that it has expired."""
        self.quotes[digest] = quote
        while next(iter(self.quotes.values())).valid_until < quote.valid_until - QUOTES_KEPT_MS:
            self.quotes.popitem(last=False)

    def did_place(self, session: Session, placed: Placed, at: int) -> None:
        """A session has a new state, which activates it or adds a bet, and folds what is decided."""
        for bet in session.state.open_bets:
            if self.questions[bet.question].result is not None:
                self.questions[bet.question].bettors.discard(session.digest)
        session.placed = placed
        session.used_seq = max(session.used_seq, placed.state.seq)
        if not placed.state.open_bets:
            session.begun, session.velocity = at, Velocity(at)
            return
        session.last_bet_at = at
        asked = self.questions[placed.state.open_bets[-1].question]
        asked.leaves.append(placed.state_hash)
        asked.bettors.add(session.digest)

    def did_refuse(self, session: Session, seq: int, at: int) -> None:
        """A state of a session was refused at unix milliseconds: neither it nor an earlier one is ever taken.

        The answers of the next engine, whose clock may be behind, begin after it: they would seem to leave it out.
        """
        session.used_seq = max(session.used_seq, seq)
        self.answered_until = max(self.answered_until, at + 1)

    def did_lock(self, asked: Asked, headed: Headed) -> None:
        """Betting on a question has ended."""
        asked.book = Book(asked.digest, self.stream_id, headed.line.leaf, headed.line.n, headed.head)
        del self.open[asked.digest]
        self.locked.append(asked)
        self.undecided[asked.digest] = asked

    def did_book(self, asked: Asked, signatures: dict[str, Signature]) -> None:
        """Enough observers signed a question's book."""
        asked.is_booked, asked.book_signatures = True, {**asked.book_signatures, **signatures}
        while self.locked and _locked_at(self.locked[0]) < _locked_at(asked):
            self.locked.popleft()

    def did_settle(self, asked: Asked, result: Result, at: int) -> None:
        """A question has its result: what its bets won or lost counts from now on."""
        bets = [
            (session, bet)
            for session in map(self.sessions.__getitem__, asked.bettors)
            for bet in session.state.open_bets
            if bet.question == asked.digest
        ]
        asked.result = result
        self.undecided.pop(asked.digest, None)
        for session, bet in bets:
            session.account.losses.add(at, states.gain(bet, result.outcome))
        for session in {session.digest: session for session, _ in bets}.values():
            session.velocity.add(at, self.folded(session)[0])

    def folded(self, session: Session) -> tuple[int, tuple]:
        """A session's net and open bets with all results that are known."""
        outcomes = {key: result.outcome for key, result in self.results(session).items()}
        return states.fold(session.state, outcomes)

    def did_close(self, session: Session, agreed: Agreed) -> None:
        """A session's player agreed to close it: it is frozen."""
        session.agreed = agreed
        self.agreed[session.digest] = session

    def did_limit(self, player: str, kind: str, value: int | None, at: int, signed_at: int) -> None:
        """A wallet has changed a limit of its own."""
        account = self.account(player)
        account.limits, account.limits_signed_at = changed(account.limits, kind, value, at), signed_at

    def did_answer(self, until: int) -> None:
        """Answers up to a time are a line of the record."""
        self.answered_until = max(self.answered_until, until)

    def did_end(self) -> None:
        """The journal has lost a line."""
        self.has_ended = True

    def come(self, now: int) -> None:
        """Time has come to unix milliseconds: which questions are to be landed, and which sessions have expired."""
        while self._due and self._due[0][0] - LAND_MS <= now:
            _, digest = heappop(self._due)
            self.landing[digest] = self.questions[digest]
        for digest, asked in [*self.landing.items()]:
            if asked.question.report_by + MS <= now:  # a panel takes reports in the deadline's own second
                del self.landing[digest]
                self._late.append(asked)
        while self._expiring and self._expiring[0][0] * MS < now:
            _, digest = heappop(self._expiring)
            if (session := self.sessions.get(digest)) is not None:
                self.expired[digest] = session

    def unopened(self, before: int, opened: Container[bytes]) -> list[bytes]:
        """Sessions whose offers were good until before unix seconds, and that nobody opened."""
        ended = takewhile(lambda offered: offered[0] < before, self._offered)
        return [digest for _, digest in ended if digest in self.sessions and digest not in opened]

    def did_forget(self, sessions: Iterable[bytes], offers_before: int, questions_before: int, at: int) -> bool:
        """Sessions are over, at unix milliseconds, and concern nobody any more; nor do offers that ended before unix
        seconds, or questions whose results were due before unix milliseconds. Whether there was any of them."""
        self.come(at)
        known = len(self.sessions) + len(self.questions) + len(self.accounts)
        while self._offered and self._offered[0][0] < offers_before:
            self._offered.popleft()
        for digest in sessions:
            self._forget_session(digest, at)
        self._forget_questions(questions_before)
        self._forget_accounts(at)
        return known > len(self.sessions) + len(self.questions) + len(self.accounts)

    def _forget_session(self, digest: bytes, at: int) -> None:
        """What its wallet lost and limited stays."""
        session = self.sessions.pop(digest)
        self.agreed.pop(digest, None)
        self.expired.pop(digest, None)
        session.account.sessions.remove(session)
        if session.account.is_blank:
            self.accounts.pop(session.offer.player, None)
        elif not session.account.sessions:
            self._left[session.offer.player] = at
            self._left.move_to_end(session.offer.player)
        for bet in session.state.open_bets:
            if (asked := self.questions.get(bet.question)) is not None:
                asked.bettors.discard(digest)

    def _forget_questions(self, before: int) -> None:
        """Unless a session has an open bet on them."""
        for _ in range(len(self._late)):
            asked = self._late.popleft()
            if asked.question.report_by >= before or asked.bettors:
                self._late.append(asked)
            else:
                self.questions.pop(asked.digest, None)
                self.undecided.pop(asked.digest, None)

    def _forget_accounts(self, at: int) -> None:
        """Of wallets without a session for a week: what they lost counts for no limit any more. Limits stay."""
        while self._left and next(iter(self._left.values())) <= at - WEEK_MS:
            player, _ = self._left.popitem(last=False)
            account = self.accounts.get(player)
            if account is not None and not account.sessions and not account.limits_signed_at:
                del self.accounts[player]

    def replay(self, entry: Entry) -> None:
        """One entry of the journal. Raises JournalError where its line does not follow from those before it."""
        if entry.headed is None:
            self._replay_other(entry.what, entry.body)
            return
        line, head = entry.headed
        if line.n != self.n + 1 or head != record.next_head(self.head, line):
            raise JournalError(f"line {line.n} of the journal does not follow from those before it")
        self.did_line(entry.headed)
        self._replay_line(entry.headed, entry.body)

    def _replay_line(self, headed: Headed, body: dict) -> None:
        line = headed.line
        match line.kind:
            case LineKind.QUOTE:
                self.questions[line.question].chances_ppm = tuple(map(int, body["chances_ppm"]))
                self._keep(line.leaf, decode(Quote, body["quote"]))
            case LineKind.BET:
                session, bet = self.sessions[decode_hash(body["session"])], body["bet"]
                state = self._successor(session, int(body["seq"]), None if bet is None else decode(OpenBet, bet))
                placed = Placed(line.leaf, state, decode_signature(body["signature"]), headed)
                self.did_place(session, placed, int(body["at"]))
            case LineKind.LOCK:
                self.did_lock(self.questions[line.question], headed)
            case LineKind.RESULT:
                outcome = None if body["outcome"] is None else int(body["outcome"])
                self.did_settle(self.questions[line.question], Result(outcome, _signatures(body)), int(body["at"]))
            case LineKind.ANSWERS:
                self.did_answer(body["answers"]["until"])

    def _successor(self, session: Session, seq: int, bet: OpenBet | None) -> State:
        """A session's next state. The rules leave open only its number and the bet that it adds, none where it
        activates: the rest follows from the state before it and from the results so far."""
        net, waiting = self.folded(session)
        return State(seq, session.state.seq, net, True, waiting if bet is None else (*waiting, bet))

    def _replay_other(self, what: str, body: dict) -> None:
        match what:
            case "offer":
                self.did_offer(decode(Offer, body["offer"]), decode_signature(body["signature"]))
            case "question":
                self.did_ask(decode(Question, body["question"]), tuple(map(int, body["chances_ppm"])))
            case "book":
                self.did_book(self.questions[decode_hash(body["question"])], _signatures(body))
            case "close":
                agreed = Agreed(decode(Close, body["agreement"]), decode_signature(body["signature"]))
                self.did_close(self.sessions[decode_hash(body["session"])], agreed)
            case "refused":
                self.did_refuse(self.sessions[decode_hash(body["session"])], int(body["seq"]), int(body.get("at", 0)))
            case "ended":
                self.did_end()
            case "forgot":
                sessions = map(decode_hash, body["sessions"])
                befores = int(body["offers_before"]), int(body["questions_before"])
                self.did_forget(sessions, *befores, int(body["at"]))
            case "limit":
                value = None if body["value"] is None else int(body["value"])
                self.did_limit(body["player"], body["kind"], value, int(body["at"]), int(body["signed_at"]))


def changed(limits: Limits, kind: str, value: int | None, at: int) -> Limits:
    """Limits once their wallet wants one of them, or its cool-off, to be another. Raises LossError, ValueError."""
    if kind == COOL_OFF:
        return limits.cool_off(value or 0, at)
    return limits.change(Kind(kind), value, at)


def _locked_at(asked: Asked) -> int:
    """The number of a locked question's lock line."""
    assert asked.book is not None
    return asked.book.n


def _signatures(body: dict) -> dict[str, Signature]:
    return {member: decode_signature(signature) for member, signature in body["signatures"].items()}
