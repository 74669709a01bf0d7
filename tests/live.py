"""A live engine as tests use it: a clock at will, players and observers whose keys are known, and no chain."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from eth_account import Account
from eth_utils.crypto import keccak

from tessera.chain.micro_sessions import ExitPosted, PostedState, SelfExcluded, SessionClosed, SessionOpened, ToppedUp
from tessera.live.accounts import Completed
from tessera.live.asked import Quoted
from tessera.live.clock import Guard
from tessera.live.engine import Engine
from tessera.live.journal import Entry, Journal, owned
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.keys import Key
from tessera.live.panel import Panel
from tessera.live.terms import Terms
from tessera.live.wire import decode
from tessera.model.sessions import states
from tessera.model.sessions.questions import Kind
from tessera.model.sessions.typed import Choice, Close, Domain, Offer, OpenBet, Question, State

EUR = 10**6
STREAM = 3
BEGIN = 1_800_000_000_000  # unix milliseconds
TERMS = Terms(
    activation=EUR // 2,
    least_deposit=EUR,
    greatest_deposit=1_000 * EUR,
    least_stake=EUR // 10,
    greatest_stake=5 * EUR,
    greatest_liability=10 * EUR,
    edge_ppm=50_000,
    between_ms=0,
    requests_per_second=1_000,
)
DOMAIN = Domain(31_337, "0x" + "5e" * 20)
PANELS = "0x" + "9a" * 20
EVENT = {"contract": DOMAIN.contract, "block": 1, "log_index": 0, "transaction": "0x"}


def key(name: str) -> Key:
    """A key that tests know by its name."""
    return Key(keccak(text=name))


OBSERVERS = sorted((key(f"observer {i}") for i in range(3)), key=lambda one: int(one.address, 16))
PANEL = Panel(7, PANELS, tuple(one.address for one in OBSERVERS), 2, DOMAIN)
HOUSE, OPERATOR = key("house"), key("operator")


def open_journal(path: Path) -> Journal:
    """A stage's journal: a file, where a test puts nothing else here."""
    return SqliteJournal(path, "a stream")


def taken(path: Path) -> Journal:
    """The same, owned by this process. Raises NotOwnerError."""
    return owned(open_journal(path))


def offer_of(entry: Entry) -> Offer:
    """What a journal's entry offers."""
    return decode(Offer, entry.body["offer"])


def states_of(entries: Iterable[Entry]) -> Iterator[tuple[bytes, State]]:
    """The session and the state of each bet of a journal, each a legal successor of the one before by the model.

    The journal has a state's number and newest bet; that the rest is what was signed, its hash in the record says.
    """
    offers, results, newest = {}, {}, {}
    for entry in entries:
        match entry.what:
            case "offer":
                offer = offer_of(entry)
                offers[DOMAIN.digest(offer)] = offer
            case "result":
                results[entry.headed.line.question] = int(entry.body["outcome"])
            case "bet":
                session, bet = bytes.fromhex(entry.body["session"][2:]), entry.body["bet"]
                base = newest.get(session, State())
                net, waiting = states.fold(base, results)
                added = () if bet is None else (decode(OpenBet, bet),)
                state = State(int(entry.body["seq"]), base.seq, net, True, waiting + added)
                assert DOMAIN.digest(state, session=session) == entry.headed.line.leaf
                states.check_successor(offers[session], base, state, dict(results))
                newest[session] = state
                yield session, state


@dataclass
class Player:
    """One session's player: what the session key signed, and what was answered."""

    wallet: object
    key: Key
    session: bytes = b""
    offer: object = None
    state: State = field(default_factory=State)
    completed: list[Completed] = field(default_factory=list)


class Stage:
    """An engine and everybody around it. `restart` is the same engine, replayed from its journal."""

    def __init__(self, folder: Path, terms: Terms = TERMS, **guard):
        self.path, self.terms, self.time = folder / "stream.db", terms, BEGIN
        self.guard_options = guard
        self.published: list[tuple[bytes | None, dict]] = []
        self.questions_made = self.wishes = 0
        self.lacks_tail = False  # the database is another one than before
        self.events = []
        self.start()

    def start(self) -> None:
        self.guard = Guard(lambda: self.time, **self.guard_options)
        self.journal = taken(self.path)
        self.journal.may_lack_tail |= self.lacks_tail
        self.engine = Engine(DOMAIN, STREAM, PANEL, self.terms, HOUSE, OPERATOR, self.journal, self.guard)
        self.engine.publish = lambda session, message: self.published.append((session, message))
        self.learn(*self.events)

    def entries(self) -> list[Entry]:
        """All that is in the journal."""
        reader = open_journal(self.path)
        try:
            return list(reader.unread())
        finally:
            reader.close()

    def restart(self) -> None:
        self.journal.close()
        self.events, old = [], self.events
        self.start()
        self.learn(*old)

    def learn(self, *events, head: int = 1) -> None:
        """News of the chain, whose newest block is of this second."""
        self.events += events
        self.engine.learn(events, head, self.time // 1_000)

    def pass_time(self, ms: int) -> None:
        """Time passes, for clock and chain; what is due is done."""
        self.time += ms
        self.learn()
        self.engine.tick()
        self.engine.flush()

    def answer(self, future):
        """What a command is answered once it is committed."""
        self.engine.flush()
        return future.result(timeout=0)

    def offered(self, name: str = "player", deposit: int = 20 * EUR, *, wallet: str = "", **more) -> Player:
        """A player who was offered a session; `wallet` is whose it is, where that is another name."""
        player = Player(Account.from_key(keccak(text=f"wallet of {wallet or name}")), key(f"session key of {name}"))
        session = self.answer(self.engine.offer(*self.wish(player, deposit, **more)))
        player.session, player.offer = session.digest, session.offer
        return player

    def wish(self, player: Player, deposit: int = EUR, loss_cap: int | None = None) -> tuple:
        """The arguments of `Engine.offer`, each time another wish."""
        self.wishes += 1
        return player.wallet.address, player.key.address, deposit, loss_cap, self.time - self.wishes % 1_000

    def opened(self, name: str = "player", **more) -> Player:
        """A player whose session is open and activated."""
        player = self.offered(name, **more)
        self.learn(self.opening(player))
        self.place(player, states.activation(player.state))
        return player

    def opening(self, player: Player) -> SessionOpened:
        return SessionOpened(session=player.session, player=player.wallet.address, stream_id=STREAM, **EVENT)

    def topping_up(self, player: Player, amount: int) -> ToppedUp:
        return ToppedUp(session=player.session, amount=amount, **EVENT)

    def exiting(self, player: Player, state: State, by_player=True, seconds=3_600) -> ExitPosted:
        posted = PostedState(*state.fields)
        end = self.time // 1_000 + seconds
        fields = {"state_hash": DOMAIN.digest(state, session=player.session), "by_player": by_player, "state": posted}
        return ExitPosted(session=player.session, first_end=end, end=end, **fields, **EVENT)

    def closing(self, player: Player) -> SessionClosed:
        return SessionClosed(session=player.session, net=0, activated=True, **EVENT)

    def excluding(self, player: Player, seconds=86_400) -> SelfExcluded:
        start = self.time // 1_000
        return SelfExcluded(account=player.wallet.address, start=start, end=start + seconds, **EVENT)

    def question(self, lock_in: int = 10_000, **more) -> Question:
        """A binary question that locks in so many milliseconds."""
        self.questions_made += 1
        lock = self.time + lock_in
        fields = {
            "kind": Kind.BINARY,
            "stream_id": STREAM,
            "text": f"Does car {self.questions_made} turn left?",
            "lock": lock,
            "start": lock + 3_000,
            "end": lock + 8_000,
            "report_by": lock + 3 * 3_600_000,
            "symbols": 0,
            "choices": (Choice(0, 0), Choice(1, 1)),
        }
        return Question(**fields | more)

    def ask(self, chances=(500_000, 500_000), **more) -> Quoted:
        """A question's first quote."""
        return self.answer(self.engine.ask(self.question(**more), chances))

    def bet(self, quoted: Quoted, choice: int = 0, stake: int = EUR) -> OpenBet:
        question = self.engine.memory.questions[quoted.quote.question].question
        liability = states.liability_of(stake, quoted.quote.odds[choice])
        return OpenBet(
            quoted.quote.question, quoted.digest, question.lock, question.report_by, choice, stake, liability
        )

    def outcomes(self, player: Player) -> dict[bytes, int | None]:
        """What is known of a player's open bets."""
        asked = self.engine.memory.questions
        results = {bet.question: asked[bet.question].result for bet in player.state.open_bets}
        return {question: result.outcome for question, result in results.items() if result is not None}

    def next_state(self, player: Player, bet: OpenBet) -> State:
        """The honest successor of a player's state with a bet more; not checked, so that it may be refused."""
        net, waiting = states.fold(player.state, self.outcomes(player))
        used = self.engine.session(player.session).used_seq
        return State(max(used, player.state.seq) + 1, player.state.seq, net, True, (*waiting, bet))

    def signed(self, player: Player, state: State, by: Key | None = None) -> tuple:
        """The arguments of `Engine.place`."""
        return player.session, state, (by or player.key).sign(DOMAIN.digest(state, session=player.session))

    def place(self, player: Player, state: State) -> Completed:
        """A state that must be taken."""
        completed = self.answer(self.engine.place(*self.signed(player, state)))
        player.state = state
        player.completed.append(completed)
        return completed

    def place_bet(self, player: Player, quoted: Quoted, choice: int = 0, stake: int = EUR) -> Completed:
        return self.place(player, self.next_state(player, self.bet(quoted, choice, stake)))

    def lock(self, quoted: Quoted, signers: int = 2) -> None:
        """Time passes to a question's lock; so many observers sign its book."""
        asked = self.engine.memory.questions[quoted.quote.question]
        self.pass_time(max(asked.question.lock - self.time, 0))
        for observer in OBSERVERS[:signers]:
            digest = PANEL.book(asked.digest, asked.question, asked.book.root)
            self.engine.confirm_book(asked.digest, asked.book.root, observer.sign(digest))
        self.engine.flush()

    def report(self, quoted: Quoted, outcome: int, by: Key):
        question = self.engine.memory.questions[quoted.quote.question].question
        digest = PANEL.result(quoted.quote.question, question, outcome)
        return self.engine.report(quoted.quote.question, outcome, by.sign(digest))

    def settle(self, quoted: Quoted, outcome: int) -> None:
        """A question is locked, booked, and decided by two observers."""
        if self.engine.memory.questions[quoted.quote.question].book is None:
            self.lock(quoted)
        self.pass_time(9_000)
        for observer in OBSERVERS[:2]:
            self.report(quoted, outcome, observer)
        self.engine.flush()

    def agreement(self, player: Player, **more) -> tuple:
        """The arguments of `Engine.close`, for what the session comes to."""
        net, _ = states.fold(player.state, self.outcomes(player))
        agreement = replace(Close(net, player.state.activated, self.time // 1_000 + 3_600), **more)
        return player.session, agreement, player.key.sign(DOMAIN.digest(agreement, session=player.session))
