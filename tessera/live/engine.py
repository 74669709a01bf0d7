"""The engine of one stream.

Each command checks against memory, changes memory and queues an entry; whoever runs the engine commits what is queued
(`flush`, or `take`, `Journal.commit` and `committed`), and only then is anything signed, answered or published. Memory
may be ahead of the journal; an answer never is. One thread.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from tessera.chain.contract import EventLog
from tessera.chain.micro_sessions import Signature, SignedReceipt, Stage
from tessera.chain.signatures import digest_of
from tessera.index.limits import Allowance
from tessera.live import messages, rules
from tessera.live.accounts import Account, Agreed, Completed, Placed, Session, tail_text
from tessera.live.asked import Asked, Quoted, Result
from tessera.live.clock import MS, Guard
from tessera.live.facts import Facts
from tessera.live.fairness import Answers, leaf_of
from tessera.live.journal import Entry, Headed, Journal, JournalError
from tessera.live.keys import Key, signer_of
from tessera.live.memory import Memory, changed
from tessera.live.messages import Message
from tessera.live.panel import Panel
from tessera.live.refusals import Code, Refused
from tessera.live.terms import KEPT_MS, LAND_MS, LONGEST_QUOTE_MS, Terms, TermsError
from tessera.live.wire import decode, encode
from tessera.model.loss import limits
from tessera.model.loss.expected import LossError, disclosure, odds_of
from tessera.model.loss.velocity import warnings
from tessera.model.sessions import questions, record
from tessera.model.sessions.record import NO_QUESTION, Line, LineKind
from tessera.model.sessions.typed import Close, Domain, Offer, OpenBet, Question, Quote, Receipt, Refusal, State

MOST_AT_ONCE = 512  # entries of one commit
OFFER_SECONDS = 600
MOST_OFFERS = 3  # of a wallet that wait to be used
REQUOTE_MS = 1_000  # before a quote expires
BOOK_MS = 5_000  # after the lock, for observers to sign
SIGNED_WITHIN_MS = 60_000  # a text of a wallet or a session key
FORGET_SESSION_MS = 3_600_000
FORGET_OFFER_SECONDS = 600  # of the chain, after its offer could be used
AGREEMENT_SECONDS = (60, 86_400)

Publish = Callable[[bytes | None, Message], None]


@dataclass
class Queued:
    """An entry that waits for its commit, and what is done and answered after it."""

    entry: Entry
    then: Callable[[], Any]
    future: Future


class Engine:
    """`publish` is told what is in the journal: whom it concerns (a session, None: everybody), and the message."""

    def __init__(
        self,
        domain: Domain,
        stream_id: int,
        panel: Panel,
        terms: Terms,
        house: Key,
        operator: Key,
        journal: Journal,
        guard: Guard,
        memory: Memory | None = None,
        facts: Facts | None = None,
    ):
        """Replays what `memory` lacks of the journal, which this process owns, and begins its epoch.

        `facts` are what is known of the chain already. Where the journal may lack acknowledged lines, observers are
        asked first (`tail`).

        Raises JournalError where a line does not follow from those before it, TermsError where a session has another
        house key.
        """
        self.domain, self.stream_id, self.panel, self.terms = domain, stream_id, panel, terms
        self.house, self.operator, self.journal, self.guard = house, operator, journal, guard
        self.facts = facts or Facts(stream_id, terms.confirmations)
        guard.note_block(self.facts.block_at)  # bets need not wait for the next look at the chain
        self.publish: Publish = lambda session, message: None
        self.has_failed = False
        self._queued: list[Queued] = []
        self._requests = Allowance(terms.requests_per_second)
        self.memory = memory or Memory(domain, stream_id)
        for entry in journal.unread():
            self.memory.replay(entry)
        self._check_house()
        for session in self.memory.sessions.values():
            if session.placed is not None:
                session.answer = Future()
                session.answer.set_result(self._complete(session.placed))
            if session.agreed is not None:
                session.closing = Future()
                session.closing.set_result(None)
        self.published = (self.memory.n, self.memory.head)  # the last line in the journal, and its head
        self._tails: dict[str, int] = {}  # the last line that each observer has
        self._closed_at: deque[tuple[int, bytes]] = deque()  # when a session was seen to be closed
        self._answers = Answers(0)
        self.is_asking = journal.may_lack_tail and not self.memory.has_ended
        if self.is_running:
            self._begin()
            self.flush()

    def _check_house(self) -> None:
        """Raises TermsError unless all sessions have this house key: by what another one signs, nobody could answer an
        old state on chain."""
        for session in self.memory.sessions.values():
            if session.offer.house_key != self.house.address:
                raise TermsError(
                    f"the house key is {self.house.address}, but sessions of this stream have "
                    f"{session.offer.house_key} until an hour after they are closed: go on with that one"
                )

    def _begin(self) -> Future:
        self.is_asking = False
        self._answers = Answers(max(self.guard.now(), self.memory.answered_until))
        return self._append_line(LineKind.EPOCH, NO_QUESTION, self.journal.epoch.to_bytes(32), {})

    @property
    def is_running(self) -> bool:
        """Whether it takes and signs anything."""
        return not (self.has_failed or self.is_asking or self.memory.has_ended)

    # What the house does.

    def ask(self, question: Question, chances_ppm: tuple[int, ...]) -> Future:
        """Asks a question and quotes it. Its Future is a Quoted. Raises TermsError where it is not well formed, is
        asked too late or again, has no odds, or leaves less than 20 minutes between its end and `report_by`."""
        self._check_running()
        try:
            check_asking(question, chances_ppm, self.terms.edge_ppm)
            if question.stream_id != self.stream_id or question.lock <= self.guard.now():
                raise TermsError("of another stream, or locked already")
            if self.domain.digest(question) in self.memory.questions:
                raise TermsError("it was asked before")
        except TermsError as error:
            raise TermsError(f"{question.text!r}: {error}") from None
        asked = self.memory.did_ask(question, chances_ppm)
        message = messages.question(asked, self.terms.picture_delay_ms)
        body = encode({"question": question, "chances_ppm": chances_ppm})
        self._append("question", body, lambda: self.publish(None, message))
        return self._quote(asked, chances_ppm)

    def move(self, digest: bytes, chances_ppm: tuple[int, ...]) -> Future:
        """Quotes an open question at other chances. Its Future is a Quoted. Raises TermsError."""
        self._check_running()
        asked = self.memory.open.get(digest)
        if asked is None:
            raise TermsError("this question is not open")
        try:
            _odds(asked.question, chances_ppm, self.terms.edge_ppm)
        except LossError as error:
            raise TermsError(f"{asked.question.text!r}: {error}") from None
        return self._quote(asked, chances_ppm)

    def _quote(self, asked: Asked, chances_ppm: tuple[int, ...]) -> Future:
        odds = _odds(asked.question, chances_ppm, self.terms.edge_ppm)
        valid_until = min(self.guard.now() + LONGEST_QUOTE_MS, asked.question.lock)
        number = self.memory.n + 1  # of the quote's own line
        quote = Quote(self.stream_id, asked.digest, odds, self.terms.greatest_liability, number, valid_until)
        digest = self.domain.digest(quote)

        def then(_: Headed) -> Quoted:
            quoted = Quoted(digest, quote, self.house.sign(digest), disclosure(odds, chances_ppm))
            self.memory.did_quote(asked, quoted, chances_ppm)
            self.publish(None, messages.quote(quoted, self.terms.picture_delay_ms))
            return quoted

        asked.quoted_until = valid_until
        body = encode({"quote": quote, "chances_ppm": chances_ppm})
        return self._append_line(LineKind.QUOTE, asked.digest, digest, body, then)

    def tick(self) -> None:
        """Locks what is due, quotes what would be without a quote, and records answers."""
        self._check_running()
        now = self.guard.now()
        if self._answers.is_due(now):
            self._record_answers(now)
        for asked in [*self.memory.open.values()]:
            lock = asked.question.lock
            if lock <= now:
                self._lock(asked)
            elif asked.quoted_until < min(now + REQUOTE_MS, lock):
                self._quote(asked, asked.chances_ppm)

    def _record_answers(self, now: int) -> None:
        until = max(now, self._answers.since)
        batch = self._answers.batch(until)
        self._answers = Answers(until)
        self.memory.did_answer(until)
        self._append_line(LineKind.ANSWERS, NO_QUESTION, leaf_of(batch), {"answers": batch})

    def _lock(self, asked: Asked) -> None:
        self._append_line(
            LineKind.LOCK,
            asked.digest,
            asked.root,
            {},
            lambda _: self.publish(None, self.book(asked)),
            lambda headed: self.memory.did_lock(asked, headed),
        )

    # What players ask for.

    def offer(self, player: str, session_key: str, deposit: int, loss_cap: int | None, at: int) -> Future:
        """Signs an offer to a wallet, which opens the session with it on chain. Its Future is a Session.

        `loss_cap` is the most that the player wants to be able to lose, also by what is topped up; by default the
        deposit. Whoever calls has checked that the wallet signed for it (`accounts.offer_text`). What it signed once,
        at unix milliseconds, gets one offer, however often it is said. Raises Refused.
        """
        self._check_running()
        now, terms = self.guard.now(), self.terms
        if not self.is_fresh(at):
            raise Refused(Code.SIGNATURE, "signed too long ago, or by a clock that is ahead")
        if not terms.least_deposit <= deposit <= terms.greatest_deposit:
            raise Refused(Code.DEPOSIT, least=str(terms.least_deposit), greatest=str(terms.greatest_deposit))
        if loss_cap is not None and not 0 < loss_cap <= terms.greatest_deposit:
            raise Refused(Code.DEPOSIT, "the loss cap is above 0 and at most the greatest deposit")
        account = self.memory.accounts.get(player, Account())
        for session in account.sessions:
            if (session.offer.session_key, session.asked_at) == (session_key, at) and session.offering is not None:
                return session.offering
        self._check_account(player, account, now)
        if sum(self._waits_to_be_opened(session, now) for session in account.sessions) >= MOST_OFFERS:
            raise Refused(Code.TOO_MANY_OFFERS)
        offer = Offer(
            player,
            session_key,
            self.house.address,
            self.stream_id,
            deposit=deposit,
            activation=terms.activation,
            house_lock=deposit * terms.house_lock_bps // 10_000,
            stake_cap=terms.greatest_stake,
            loss_cap=loss_cap or deposit,
            expires_at=now // MS + terms.session_seconds,
            valid_until=now // MS + OFFER_SECONDS,
            salt=secrets.randbits(128),
        )
        session = self.memory.did_offer(offer, self.operator.sign(self.domain.digest(offer)))
        body = encode({"offer": offer, "signature": session.operator_signature})
        session.asked_at, session.offering = at, self._append("offer", body, lambda: session)
        return session.offering

    def place(self, digest: bytes, state: State, signature: Signature) -> Future:
        """Takes a session's next state, which adds a bet or activates. Its Future is a Completed.

        The same state again gets the same receipt. Where the player signed a state that is not taken, the Future raises
        Refused, once the journal has it that this state is never taken: the refusal is signed by the house, and its
        details have the newest completed state. Raises Refused where nothing is said of the state.
        """
        self._check_running()
        arrived, now, session = time.perf_counter_ns(), self.guard.now(), self.session(digest)
        state_hash = self.domain.digest(state, session=digest)
        if session.placed is not None and state_hash == session.placed.state_hash and session.answer is not None:
            return session.answer
        if signer_of(state_hash, signature) != session.offer.session_key:
            raise Refused(Code.SIGNATURE)
        # Only counted, and not signed: each signed refusal is an entry of the journal, and nobody may fill it.
        try:
            self.check_asks(session.offer.session_key)
        except Refused:
            self._answers.too_many += 1
            raise
        try:
            self._check_place(session, state, now)
        except Refused as refused:
            return self._refuse(session, state.seq, state_hash, refused, now, arrived)

        def then(headed: Headed) -> Completed:
            completed = self._complete(Placed(state_hash, state, signature, headed))
            self._answers.took(headed.line.n, time.perf_counter_ns() - arrived)
            return completed

        bet = state.open_bets[-1] if state.open_bets else None
        session.answer = self._append_line(
            LineKind.BET,
            NO_QUESTION if bet is None else bet.question,
            state_hash,
            encode({"session": digest, "seq": state.seq, "bet": bet, "signature": signature, "at": now}),
            then,
            lambda headed: self.memory.did_place(session, Placed(state_hash, state, signature, headed), now),
        )
        return session.answer

    def _refuse(
        self, session: Session, seq: int, state_hash: bytes, refused: Refused, now: int, arrived: int
    ) -> Future:
        """A refusal that the house signs once the journal has its seq: no engine takes the state then."""

        def then() -> None:
            # Never before answers that are in the record already, whatever the clock does: there it would be missed.
            refusal = Refusal(state_hash, self.stream_id, refused.number, max(now, self._answers.since))
            by_house = self.house.sign(self.domain.digest(refusal))
            refused.details |= {
                "refusal": encode(refusal),
                "signature": encode(by_house),
                "completed": session.completed and messages.completed(session.completed),
            }
            self._answers.refuse(refused.number, by_house, time.perf_counter_ns() - arrived)
            raise refused

        self.memory.did_refuse(session, seq, now)
        return self._append("refused", encode({"session": session.digest, "seq": seq, "at": now}), then)

    def close(self, digest: bytes, agreement: Close, signature: Signature) -> Future:
        """Takes the player's agreement to close, which freezes the session; the operator lands it. Raises Refused."""
        self._check_running()
        now, session = self.guard.now() // MS, self.session(digest)
        agreed = Agreed(agreement, signature)
        if session.agreed == agreed and session.closing is not None:
            return session.closing
        self._check_open(session)
        if signer_of(self.domain.digest(agreement, session=digest), signature) != session.offer.session_key:
            raise Refused(Code.SIGNATURE)
        net, waiting = self.memory.folded(session)
        if waiting:
            raise Refused(Code.BETS_WAIT, questions=encode([bet.question for bet in waiting]))
        if (agreement.net, agreement.activated) != (net, session.state.activated):
            raise Refused(Code.OTHER_NET, net=str(net), activated=session.state.activated)
        if not now + AGREEMENT_SECONDS[0] <= agreement.valid_until <= now + AGREEMENT_SECONDS[1]:
            raise Refused(Code.VALID_UNTIL)
        body = encode({"session": digest, "agreement": agreement, "signature": signature})
        self.memory.did_close(session, agreed)
        session.closing = self._append("close", body, lambda: self.tell(session))
        return session.closing

    def limit(self, player: str, kind: str, value: int | None, at: int) -> Future:
        """Changes a limit that a wallet sets for itself, or its cool-off, as of unix milliseconds that it signed.

        Whoever calls has checked that the wallet signed for it (`accounts.limit_text`). Its Future is the message of
        what holds then. Raises Refused.
        """
        self._check_running()
        now = self.guard.now()
        account = self.memory.accounts.get(player, Account())
        if not self.is_fresh(at) or at <= account.limits_signed_at:
            raise Refused(Code.SIGNATURE, "signed too long ago, or a later change was made")
        try:
            changed(account.limits, kind, value, now)
        except ValueError as error:
            raise Refused(Code.LIMIT_VALUE, str(error)) from None
        # Limits are kept for ever: keys are free, and whoever makes them must not fill memory and journal. Whoever has
        # limits may change them also while the chain, which says who is a player, cannot be asked.
        if not account.limits_signed_at and player not in self.facts.players:
            raise Refused(Code.NO_PLAYER)
        self.check_asks(player)
        self.memory.did_limit(player, kind, value, now, at)
        body = encode({"player": player, "kind": kind, "value": value, "at": now, "signed_at": at})
        account = self.memory.account(player)

        def then() -> Message:
            for session in account.sessions:
                self.tell(session)
            return messages.limits(account.limits, now)

        return self._append("limit", body, then)

    # What observers and the chain report.

    def report(self, digest: bytes, outcome: int, signature: Signature) -> Future | None:
        """Takes a member's report of a result; a Future where it decides the question, else None. Raises Refused."""
        self._check_running()
        asked, now = self._locked(digest), self.guard.now()
        # Later there would be no time to land it.
        if now > asked.question.report_by - LAND_MS:
            raise Refused(Code.TOO_LATE)
        asked.check_outcome(outcome)  # first: what members sign has no room for a number below 0
        member = self._member(self.panel.result(digest, asked.question, outcome), signature)
        result = asked.report(self.panel, member, outcome, signature)
        return None if result is None else self._settle(asked, result)

    def confirm_book(self, digest: bytes, root: bytes, signature: Signature) -> Future | None:
        """Takes a member's signature of a question's book; a Future where there are enough, else None. Raises
        Refused."""
        self._check_running()
        asked = self._locked(digest)
        if asked.book is None or asked.book.root != root:
            raise Refused(Code.NO_BOOK)
        member = self._member(self.panel.book(digest, asked.question, root), signature)
        signatures = asked.confirm_book(self.panel, member, signature)
        if signatures is None:
            return None
        body = encode({"question": digest, "signatures": signatures})
        self.memory.did_book(asked, signatures)
        return self._append("book", body, lambda: self.publish(None, self.book(asked)))

    def decide(self, digest: bytes, outcome: int | None) -> Future | None:
        """Takes what the chain says of a question after its `report_by`: an outcome, or None where it has none."""
        self._check_running()
        asked = self._locked(digest)
        return self._settle(asked, Result(outcome, {})) if asked.result is None else None

    def tail(self, n: int, head: bytes, signature: Signature) -> Future | None:
        """Takes an observer's word on the last line that it has (`accounts.tail_text`).

        Where the journal may lack lines, an engine begins once enough observers know of none beyond its end. Where
        enough know of one, a line was lost: the stream ends. A Future where that is decided, else None. Raises Refused.
        """
        if self.has_failed:
            raise Refused(Code.STOPPED)
        text = tail_text(self.domain, self.stream_id, self.journal.epoch, n, head)
        self._tails[self._member(digest_of(text), signature)] = n
        beyond = sum(last > self.published[0] for last in self._tails.values())
        if beyond >= self.panel.threshold and not self.memory.has_ended:
            return self._end({"tails": encode(self._tails)})
        if self.is_asking and len(self._tails) - beyond >= self.panel.threshold:
            self.journal.trust()
            return self._begin()
        return None

    def lost(self, signed: Quote | Receipt, signature: Signature) -> Future | None:
        """Takes what the house signed about a line that the record does not have: it was lost, and the stream ends.

        A Future where it ends now, None where it has ended. Raises Refused where the record has the line.
        """
        if self.has_failed:
            raise Refused(Code.STOPPED)
        if self.memory.has_ended:
            return None
        by = signer_of(self.domain.digest(signed), signature)
        if by != self.house.address or signed.stream_id != self.stream_id:
            raise Refused(Code.SIGNATURE)
        n, head = (signed.n, signed.head) if isinstance(signed, Receipt) else (signed.number, None)
        if n <= self.published[0] and (head is None or [head] == [line.head for line in self.journal.lines(n, 1)]):
            raise Refused(Code.NOT_LOST)
        return self._end({"signed": encode(signed), "signature": encode(signature)})

    def _end(self, body: dict[str, Any]) -> Future:
        self.memory.did_end()
        self.is_asking = False
        return self._append("ended", body, lambda: self.publish(None, {"type": "ended"}))

    def _settle(self, asked: Asked, result: Result) -> Future:
        now, bettors, leaf = self.guard.now(), [*asked.bettors], bytes(32)
        if result.outcome is not None:
            leaf = self.panel.result(asked.digest, asked.question, result.outcome)

        def then(_: Headed) -> None:
            self.publish(None, messages.result(asked))
            for bettor in bettors:
                if (session := self.memory.sessions.get(bettor)) is not None:
                    self.tell(session)

        self.memory.did_settle(asked, result, now)
        return self._append_line(LineKind.RESULT, asked.digest, leaf, encode({**result._asdict(), "at": now}), then)

    def learn(self, events: Iterable[EventLog], head: int, block_at: int, *, is_anew: bool = False) -> None:
        """Takes news of the chain: events in its order, its newest block and that block's time, unix seconds.

        `is_anew` says that they are all events there are: blocks were taken back, and what was known is void.
        """
        if is_anew:
            self.facts = Facts(self.stream_id, self.terms.confirmations)
            self._closed_at.clear()
        self.facts.head, self.facts.block_at = head, block_at
        self.guard.note_block(block_at)
        for event in events:
            self.facts.add(event)
            session = self.memory.sessions.get(getattr(event, "session", b""))
            if session is not None:
                self.tell(session)
        self._closed_at += [(self.guard.now(), digest) for digest in self.facts.closed]
        self.facts.closed.clear()

    def forget(self) -> None:
        """Forgets sessions an hour after they closed, or ten minutes after they could have been opened, and questions
        two days after their results were due. The journal has it: whoever replays it holds no more than what is open.

        A proof, the last that can need a question, comes a day after `report_by` at the latest.
        """
        if not self.is_running:
            return
        now, memory = self.guard.now(), self.memory
        offers_before, questions_before = self.facts.block_at - FORGET_OFFER_SECONDS, now - KEPT_MS
        sessions = memory.unopened(offers_before, self.facts.sessions)
        while self._closed_at and self._closed_at[0][0] + FORGET_SESSION_MS < now:
            _, digest = self._closed_at.popleft()
            self.facts.sessions.pop(digest, None)
            if digest in memory.sessions:
                sessions.append(digest)
        if memory.did_forget(sessions, offers_before, questions_before, now):
            body = {"sessions": sessions, "offers_before": offers_before, "questions_before": questions_before}
            self._append("forgot", encode({**body, "at": now}))

    # What there is to see.

    def session(self, digest: bytes) -> Session:
        """A session of this stream. Raises Refused where there is none."""
        if (session := self.memory.sessions.get(digest)) is None:
            raise Refused(Code.UNKNOWN_SESSION)
        return session

    def balance(self, session: Session) -> int:
        """What the player can still stake: put in, won or lost, less open stakes."""
        net, waiting = self.memory.folded(session)
        return self._put_in(session) + net - _staked(waiting)

    def view(self, session: Session) -> Message:
        """A session as its player sees it."""
        now, account = self.guard.now(), session.account
        net, waiting = self.memory.folded(session)
        put_in, known = self._put_in(session), self.facts.sessions.get(session.digest)
        velocity = session.velocity.per_minute(now) if session.state.activated else 0
        return {
            **messages.limits(account.limits, now),
            "type": "session",
            "session": encode(session.digest),
            "stage": (known.stage if known else Stage.NONE).name.lower(),
            "is_confirmed": self.facts.is_confirmed(session.digest),
            "is_frozen": session.agreed is not None,
            "balance": str(put_in + net - _staked(waiting)),
            "net": str(net),
            "open_bets": encode(waiting),
            "velocity_per_minute": str(velocity),
            "warnings": [str(warning) for warning in warnings(put_in, net, velocity)],
            "completed": session.completed and messages.completed(session.completed),
        }

    def tell(self, session: Session) -> None:
        """Publishes a session's view to its player."""
        self.publish(session.digest, self.view(session))

    def book(self, asked: Asked) -> Message:
        """A locked question's book as it is published."""
        assert asked.book is not None
        if asked.signed is None:
            asked.signed = self.house.sign(self.domain.digest(asked.book))
        return messages.book(asked, asked.signed)

    # Checks.

    def is_fresh(self, at: int) -> bool:
        """Whether a text that was signed at unix milliseconds is still taken."""
        return abs(self.guard.now() - at) <= SIGNED_WITHIN_MS

    def check_asks(self, key: str) -> None:
        """Counts what a session's or wallet's key asks. Raises Refused where that is more than the stream allows."""
        if not self._requests.take(key):
            raise Refused(Code.TOO_MANY_REQUESTS)

    def _check_running(self) -> None:
        if self.has_failed:
            raise Refused(Code.STOPPED)
        if self.memory.has_ended:
            raise Refused(Code.ENDED)
        if self.is_asking:
            raise Refused(Code.ASKING, epoch=str(self.journal.epoch))

    def _locked(self, digest: bytes) -> Asked:
        if (asked := self.memory.questions.get(digest)) is None:
            raise Refused(Code.UNKNOWN_QUESTION)
        if asked.book is None:
            raise Refused(Code.TOO_EARLY)
        return asked

    def _member(self, digest: bytes, signature: Signature) -> str:
        member = signer_of(digest, signature)
        if member is None or member not in self.panel.members:
            raise Refused(Code.STRANGER)
        return member

    def _check_account(self, player: str, account: Account, now: int) -> None:
        if now < account.limits.cool_off_until:
            raise Refused(Code.COOL_OFF, until=str(account.limits.cool_off_until))
        exclusion = self.facts.exclusion(player)
        if exclusion.start <= now // MS < exclusion.end:
            raise Refused(Code.EXCLUDED, until=str(exclusion.end))

    def _check_open(self, session: Session) -> None:
        known = self.facts.sessions.get(session.digest)
        if known is not None and known.stage is Stage.EXITING:
            raise Refused(Code.EXIT_BEGUN)
        if known is None or known.stage is not Stage.OPEN or not self.facts.is_confirmed(session.digest):
            raise Refused(Code.NOT_OPEN)
        if session.agreed is not None:
            raise Refused(Code.FROZEN)

    def _check_place(self, session: Session, state: State, now: int) -> None:
        self._check_open(session)
        if now // MS >= session.offer.expires_at:
            raise Refused(Code.SESSION_EXPIRED)
        results, memory = self.memory.results(session), self.memory
        rules.check_base(session, state, results)
        self._check_account(session.offer.player, session.account, now)  # who wants no bets need not pay for access
        if session.state.activated:
            bet = state.open_bets[-1]
            rules.check_bet(bet, memory.questions.get(bet.question), memory.quotes.get(bet.quote), now)
            rules.check_limits(bet, self.terms, session, self.balance(session), len(state.open_bets) - 1, now)
            self._check_own_limits(session, bet, now)
            self.guard.check(now, bet.lock)
            self._check_books(now)
        rules.check_legal(session, state, results, self.facts.top_ups(session.digest))

    def _check_own_limits(self, session: Session, bet: OpenBet, now: int) -> None:
        account = session.account
        if not account.limits.of:
            return
        net, waiting = self.memory.folded(session)
        broken = limits.broken(
            account.limits,
            account.losses,
            now,
            stake=bet.stake,
            at_risk=sum(_staked(self.memory.folded(each)[1]) for each in account.sessions if not self._is_over(each)),
            session_loss=_staked(waiting) - net,
            session_ms=now - session.begun,
        )
        if broken is not None:
            raise Refused(Code.LIMIT, kind=str(broken), value=str(account.limits.at(broken, now)))

    def _check_books(self, now: int) -> None:
        """Observers must have signed the last book that they had time for: without them a receipt proves nothing."""
        for asked in reversed(self.memory.locked):
            if asked.is_booked:
                return
            if asked.question.lock + BOOK_MS <= now:
                raise Refused(Code.BOOKS_MISSING, question=encode(asked.digest))

    def _waits_to_be_opened(self, session: Session, now: int) -> bool:
        return session.digest not in self.facts.sessions and now // MS <= session.offer.valid_until

    def _is_over(self, session: Session) -> bool:
        known = self.facts.sessions.get(session.digest)
        return known is not None and known.is_closed

    def _put_in(self, session: Session) -> int:
        return session.offer.deposit + self.facts.top_ups(session.digest)

    # The journal.

    def _append(self, what: str, body: dict[str, Any], then: Callable[[], Any] = lambda: None) -> Future:
        """Queues an entry whose change in memory is made; `then` gives, or raises as Refused, what is answered once it
        is committed."""
        return self._queue(Entry(what, body), then)

    def _append_line(
        self,
        kind: LineKind,
        question: bytes,
        leaf: bytes,
        body: dict[str, Any],
        then: Callable[[Headed], Any] = lambda _: None,
        change: Callable[[Headed], None] = lambda _: None,
    ) -> Future:
        """The same with a line of the record, which `then` and `change`, in memory, are told."""
        made = Line(self.memory.n + 1, kind, self.journal.epoch, question, leaf)
        headed = Headed(made, record.next_head(self.memory.head, made))
        self.memory.did_line(headed)
        change(headed)
        return self._queue(Entry(kind.name.lower(), body, headed), lambda: then(headed))

    def _queue(self, entry: Entry, then: Callable[[], Any]) -> Future:
        queued = Queued(entry, then, Future())
        self._queued.append(queued)
        return queued.future

    @property
    def has_queued(self) -> bool:
        """Whether something waits to be committed."""
        return bool(self._queued)

    def take(self) -> list[Queued]:
        """What is to be committed next, in this order and by nobody else."""
        batch, self._queued = self._queued[:MOST_AT_ONCE], self._queued[MOST_AT_ONCE:]
        return batch

    def committed(self, batch: list[Queued]) -> None:
        """Signs, publishes and answers what was committed."""
        for queued in batch:
            if queued.entry.headed is not None:
                self.published = (queued.entry.headed.line.n, queued.entry.headed.head)
                self.publish(None, messages.line(queued.entry.headed))
            try:
                answer = queued.then()
            except Refused as refused:
                queued.future.set_exception(refused)
            else:
                queued.future.set_result(answer)

    def fail(self, batch: list[Queued], error: JournalError) -> None:
        """Ends the engine: it is not known what of a batch is in the journal, so that nothing is signed any more."""
        self.has_failed = True
        waiting, self._queued = [*batch, *self._queued], []
        for queued in waiting:
            queued.future.set_exception(error)

    def flush(self) -> None:
        """Commits and answers all that is queued. Raises JournalError, which ends the engine."""
        while batch := self.take():
            try:
                self.journal.commit([queued.entry for queued in batch])
            except JournalError as error:
                self.fail(batch, error)
                raise
            self.committed(batch)

    def _complete(self, placed: Placed) -> Completed:
        """The receipt of a state: the same bytes, however often it is asked for."""
        line, head = placed.headed
        receipt = Receipt(placed.state_hash, self.stream_id, line.n, line.epoch, head)
        signed = SignedReceipt(line.n, line.epoch, head, self.house.sign(self.domain.digest(receipt)))
        return Completed(placed.state_hash, placed.state, placed.player_signature, signed)


def check_asking(question: Question, chances_ppm: tuple[int, ...], edge_ppm: int) -> None:
    """Raises TermsError unless a house may ask a question at an edge: well formed, with odds, with 20 minutes between
    its end and `report_by`, and such that the journal gives it back, without which no engine could start again."""
    try:
        questions.check(question)
        _odds(question, chances_ppm, edge_ppm)
        decode(Question, encode(question))
    except (questions.QuestionError, LossError, Refused) as error:
        raise TermsError(str(error)) from None
    if question.report_by - question.end < 2 * LAND_MS:
        raise TermsError("results are due 20 minutes after the end or later")


def _odds(question: Question, chances_ppm: tuple[int, ...], edge_ppm: int) -> tuple[int, ...]:
    if len(chances_ppm) != len(question.choices):
        raise LossError("as many chances as choices")
    odds = tuple(odds_of(chance, edge_ppm) for chance in chances_ppm)
    disclosure(odds, chances_ppm)
    return odds


def _staked(bets: Iterable[OpenBet]) -> int:
    return sum(bet.stake for bet in bets)
