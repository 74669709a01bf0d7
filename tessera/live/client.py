"""The other side of the engine: a connection, a player who does all that the protocol asks of one, and an observer.

What a player must not lose is in its notebook, a file, before it is sent or relied on. Needs nothing of the engine's.
"""

import asyncio
import json
import logging
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tessera.chain.blocks import block_at
from tessera.chain.deployments import LOCAL_CHAINS, Tessera
from tessera.chain.errors import ChainError, Reverted
from tessera.chain.micro_sessions import (
    NO_BOOK,
    NO_RECEIPT,
    NO_SIGNATURE,
    BookProof,
    Signature,
    SignedReceipt,
    Stage,
)
from tessera.chain.micro_sessions import Session as OnChain
from tessera.chain.signatures import digest_of
from tessera.chain.wallet import Wallet
from tessera.live.accounts import follow_text, offer_text, tail_text
from tessera.live.asked import EMPTY_ROOT
from tessera.live.clock import MS, wall_clock
from tessera.live.keys import Key, signer_of
from tessera.live.messages import Message
from tessera.live.panel import BOOKED, Panel
from tessera.live.refusals import Refused
from tessera.live.requests import Requests
from tessera.live.terms import KEPT_MS, LAND_MS
from tessera.live.wire import decode, decode_hash, decode_signature, encode
from tessera.model.sessions import questions, record, states
from tessera.model.sessions.record import Line, LineKind
from tessera.model.sessions.states import Exclusion
from tessera.model.sessions.typed import (
    Book,
    Close,
    Domain,
    Offer,
    OpenBet,
    Question,
    Quote,
    Receipt,
    Refusal,
    State,
)

log = logging.getLogger(__name__)

RECEIPT_MS = 2_000  # after a question's lock, a receipt is taken no more
BOOK_MS = 5_000  # after the lock, a book is taken no more
HEADS_KEPT = 100_000
ANSWER_SECONDS = 10.0
TRIES, TRY_SECONDS = 30, 0.5  # while nobody has the stream
# An engine that was paused or cut off says nothing, and ends nothing either.
CONNECTING: dict[str, Any] = {
    "max_size": 2**24,
    "open_timeout": 2,
    "close_timeout": 0.2,
    "ping_interval": 1,
    "ping_timeout": 3,
}
SILENT_SECONDS = 2.0  # after which a state is sent to the next address
RETRY_SECONDS = 0.1  # after all addresses were tried
AGAIN_MS = 30_000  # after which an observer sends again what is not decided
UNANSWERED_SECONDS = 1.0  # after which a bet is shown to observers
SAID = ("chain_id", "contract", "stream_id", "house_key", "operator", "panel", "panels", "members", "threshold")
LATER = ("stopped", "asking", "too_many_requests")  # refusals that say nothing of the state itself


class EngineRefused(ChainError):
    """The engine said no. `answer` is its whole message; `name` the code."""

    code = "engine_refused"

    def __init__(self, answer: Message):
        super().__init__(answer.get("reason", "refused"))
        self.answer, self.name = answer, answer.get("code", "")


class OtherStreamError(ChainError):
    """An engine that is not of the stream that it names, or not of the one that was asked before."""

    code = "other_stream"


class FrozenError(ChainError):
    """The player signs nothing more in this session: exit alone. `str(error)` says why."""

    code = "frozen"


@dataclass(frozen=True)
class Stream:
    """A stream as its engine describes it, and as the chain has confirmed."""

    domain: Domain
    stream_id: int
    house_key: str
    panel: Panel
    activation: int


def stream_on_chain(tessera: Tessera, stream_id: int, house_key: str, activation: int) -> Stream:
    """A stream by its number, with its panel; key and activation cost are an offer's or its engine's."""
    sessions, panels = tessera.sessions, tessera.panels
    panel_id = sessions.stream(stream_id).panel_id
    members, threshold = tuple(panels.members_of(panel_id)), panels.threshold_of(panel_id)
    panel = Panel(panel_id, panels.address, members, threshold, sessions.domain)
    return Stream(sessions.domain, stream_id, house_key, panel, activation)


class Connection:
    """A WebSocket to an engine: questions, quotes, books, results and the running head, each checked as it comes.

    Where it ends, it is made anew, to the next of its addresses: the record goes on where it was, also in an engine
    that has taken the stream over. An address of another stream is left out, with a warning in the log.
    """

    def __init__(self, url: str | Sequence[str], tessera: Tessera, after: int | None = None):
        """`url` is ws://HOST:PORT/ws, or several of one stream; `tessera` the deployment that it must belong to.

        `after` is the line of the record after which lines are wanted: 0 gives the whole record. By default it begins
        now.
        """
        self.urls, self.tessera = [url] if isinstance(url, str) else [*url], tessera
        self.stream: Stream | None = None
        self.questions: dict[bytes, Question] = {}
        self.quotes: dict[bytes, tuple[bytes, Quote, Message]] = {}  # newest of each question
        self.books: dict[bytes, Book] = {}
        self.leaves: dict[bytes, list[bytes]] = {}  # of the lines that were seen
        self.confirmed: dict[bytes, list[bytes]] = {}  # leaves of books that enough observers signed
        self.results: dict[bytes, int] = {}
        self.signed: dict[bytes, tuple[int, list[Signature]]] = {}  # outcomes by what `Panels` asks: results and books
        self.sessions: dict[bytes, Message] = {}
        self.heads: OrderedDict[int, bytes] = OrderedDict()
        self._quoted: OrderedDict[int, bytes] = OrderedDict()  # hashes of quotes by the number of their line
        self.epoch = 0  # of the engine
        self._lost: dict[str, Any] | None = None  # what the house signed last, which shows a line that it lost
        self.has_ended = False  # the stream: its journal lost a line
        self.broken: str | None = None  # how the house broke its record
        self.hear: list[Callable[[Message], None]] = []
        self.keeps: list[Callable[[bytes], bool]] = []  # who still needs a question that is long over
        self.on_connected: list[Callable[[], Awaitable[Any]]] = []  # run when the connection was made anew
        self._requests = Requests()
        self._news = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Task | None = None
        self._failed: ChainError | None = None
        self._refused = ""  # why an engine ended the connection
        self._after, self._greeted = after, False
        self._lead = 0  # of the clock of a local chain
        self._said: Message = {}  # of the stream, and compared with the chain
        self._working: set[asyncio.Task] = set()

    async def __aenter__(self) -> "Connection":
        self._listening = asyncio.create_task(self._keep())
        try:
            await self.until(lambda: self.stream is not None)
        except TimeoutError:
            self._listening.cancel()
            raise TimeoutError(f"no engine answers at {' '.join(self.urls)}") from None
        except BaseException:
            self._listening.cancel()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _keep(self) -> None:
        """Connects, and connects again, until it is cancelled or no address is left that is of this stream."""
        while self._failed is None:
            for url in [*self.urls]:
                try:
                    await self._talk(url)
                except OtherStreamError as error:
                    log.warning("%s is left out: %s", url, error)
                    self.urls.remove(url)
                    self._failed = None if self.urls else error
                except ChainError as error:  # the chain cannot be asked
                    self._failed = error
                self._news.set()
                if self._failed is not None:
                    return
                await asyncio.sleep(0)
            await asyncio.sleep(TRY_SECONDS if self._refused else RETRY_SECONDS)

    async def _talk(self, url: str) -> None:
        """Connects to an address, and listens until that ends."""
        last = next(reversed(self.heads)) if self.heads else self._after
        query = "bundles=true" if last is None else f"bundles=true&after={last}"
        try:
            async with connect(f"{url}?{query}", **CONNECTING) as socket:
                self._socket, self._greeted = socket, False
                await self._listen(socket)
        except (OSError, TimeoutError, ValueError, WebSocketException):  # an address that is none, too
            pass
        finally:
            self._socket = None
            self._requests.end(ChainError("the engine ended the connection"))
            self._news.set()

    def now(self) -> int:
        """Unix milliseconds: this machine's clock, on a local chain the chain's."""
        return wall_clock() + self._lead

    @property
    def about(self) -> Stream:
        """The stream. Raises ChainError before the engine has said which."""
        if self.stream is None:
            raise ChainError("the engine has not said which stream it is")
        return self.stream

    def renew(self) -> None:
        """Ends a connection on which nothing comes: the next address is tried."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def ask(self, name: str, seconds: float = ANSWER_SECONDS, **body: Any) -> Message:
        """A command's answer. Raises EngineRefused; TimeoutError where there is none, ChainError without connection."""
        if self._socket is None or not self._greeted:
            raise ChainError("there is no connection to the engine")
        answer = await self._requests.ask(self._socket, name, encode(body), seconds)
        if answer["type"] == "refused":
            raise EngineRefused(answer)
        return answer

    async def until(self, is_so: Callable[[], bool], seconds: float = ANSWER_SECONDS) -> None:
        """Waits until something that messages tell is so. Raises TimeoutError; ChainError where the engine is not of
        this stream."""
        async with asyncio.timeout(seconds):
            while not is_so():
                if self._failed is not None:
                    raise self._failed
                self._news.clear()
                await self._news.wait()

    async def _listen(self, socket: ClientConnection) -> None:
        """Until the connection ends. Raises ConnectionError where it says what is no message of this API, so that the
        next address is tried."""
        async for text in socket:
            with _of_this_api():
                content = json.loads(text)
            for message in content if isinstance(content, list) else [content]:
                with _of_this_api():
                    is_answer = self._requests.take(message)
                    # A view, too, that was asked for: newer ones may come with it, before whoever waits for it goes on.
                    if not is_answer or message["type"] == "session":
                        self._take(message)
                if not is_answer:
                    for hear in self.hear:
                        hear(message)
            self._news.set()

    def _greet(self, message: Message) -> None:
        """Takes up the record where it was; what the engine's record lacks is shown to it."""
        is_new, said = self.stream is None, {name: message[name] for name in SAID}
        if is_new:
            self.stream, self._said = self._checked(message), said
        elif said != self._said:
            raise OtherStreamError("this engine is of another stream than before")
        self._greeted = True
        if self.about.domain.chain_id in LOCAL_CHAINS:  # whose time may be moved: the engine goes by it
            self._lead = int(message["now"]) - wall_clock()
        n, head = int(message["n"]), decode_hash(message["head"])
        self.epoch, self.has_ended = int(message["epoch"]), self.has_ended or message["has_ended"]
        if not self.heads:
            if self._after == 0:
                self.heads[0] = record.first_head(self.about.domain, self.about.stream_id)
            else:
                self.heads[n] = head
        last = next(reversed(self.heads))
        if n < last:
            self._break(f"the engine has lost line {last} of the record")
        elif self.heads.get(n, head) != head:
            self._break(f"line {n} of the record is another one than before")
        for work in () if is_new else self.on_connected:
            self._start(work())
        if n < last and self._lost is not None:
            self._start(self.ask("lost", **self._lost))

    def _start(self, work: Awaitable[Any]) -> None:
        """Does what belongs to a new connection; where it ends again, the next one does it."""

        async def run() -> None:
            with suppress(ChainError, TimeoutError):
                await work

        task = asyncio.create_task(run())
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _take(self, message: Message) -> None:
        match message["type"]:
            case "refused" if message["id"] is None:
                if message["reason"] != self._refused:
                    log.warning("the engine refuses: %s", message["reason"])
                self._refused = message["reason"]
            case "stream":
                self._refused = ""
                self._greet(message)
            case "line":
                self._line(message)
            case "question":
                question = decode(Question, message["question"])
                with suppress(questions.QuestionError):  # nobody can bet on it, and the rest goes on
                    questions.check(question)
                    self.questions[self.about.domain.digest(question)] = question
                self._forget()
            case "quote":
                quote = decode(Quote, message["quote"])
                digest = self.about.domain.digest(quote)
                signature = decode_signature(message["signature"])
                if signer_of(digest, signature) == self.about.house_key and self._is_in_record(digest, quote.number):
                    self.quotes[quote.question] = (digest, quote, message)
                    self._lost = {"quote": quote, "signature": signature}
            case "ended":
                self.has_ended = True
            case "book":
                self._book(message)
            case "result":
                self.take_result(message)
            case "session":
                self.sessions[decode_hash(message["session"])] = message

    def _checked(self, message: Message) -> Stream:
        """Compares what an engine says of its stream with the chain. Raises OtherStreamError where they differ."""
        sessions, panels = self.tessera.sessions, self.tessera.panels
        stream_id, panel_id = int(message["stream_id"]), int(message["panel"])
        try:
            on_chain = sessions.stream(stream_id)
        except Reverted:
            raise OtherStreamError(f"this engine is of stream {stream_id}, which this chain does not have") from None
        expected = (sessions.domain.chain_id, sessions.address, on_chain.operator, on_chain.panel_id, panels.address)
        said = (int(message["chain_id"]), message["contract"], message["operator"], panel_id, message["panels"])
        if said != expected:
            raise OtherStreamError("this engine is not of the stream that it names")
        house_key = to_checksum_address(message["house_key"])
        return stream_on_chain(self.tessera, stream_id, house_key, int(message["terms"]["activation"]))

    def _forget(self) -> None:
        """Forgets questions that are long over and nobody here has a bet on: an observer runs for months."""
        before = self.now() - KEPT_MS
        for digest, question in [*self.questions.items()]:
            if question.report_by >= before or any(keeps(digest) for keeps in self.keeps):
                continue
            if (book := self.books.pop(digest, None)) is not None:
                self.signed.pop(record.book_key(digest, book.root), None)
            for known in (self.questions, self.quotes, self.leaves, self.confirmed, self.results, self.signed):
                known.pop(digest, None)

    def _is_in_record(self, quote: bytes, number: int) -> bool:
        """Whether a quote is its line of the record, or of one before those that were told: odds are the same for
        everybody."""
        if number - 1 in self.heads and number in self.heads and self._quoted.get(number) != quote:
            self._break(f"the house signed another quote for line {number} than its record has")
            return False
        return number <= next(reversed(self.heads), number)

    def _break(self, how: str) -> None:
        """Notes how the record is broken; the first fault stands, whatever follows from it."""
        self.broken = self.broken or how

    def _line(self, message: Message) -> None:
        line = Line(
            int(message["n"]),
            LineKind(int(message["kind"])),
            int(message["epoch"]),
            decode_hash(message["question"]),
            decode_hash(message["leaf"]),
        )
        head = decode_hash(message["head"])
        before = self.heads.get(line.n - 1)
        if before is None or line.n in self.heads or head != record.next_head(before, line):
            self._break(f"line {line.n} of the record does not follow from those before it")
        self.heads[line.n] = head
        if len(self.heads) > HEADS_KEPT:
            self.heads.popitem(last=False)
        if line.kind is LineKind.QUOTE:
            self._quoted[line.n] = line.leaf
            if len(self._quoted) > HEADS_KEPT:
                self._quoted.popitem(last=False)
        if line.kind is LineKind.BET:
            self.leaves.setdefault(line.question, []).append(line.leaf)

    def _book(self, message: Message) -> None:
        book, panel = decode(Book, message["book"]), self.about.panel
        signer = signer_of(self.about.domain.digest(book), decode_signature(message["signature"]))
        if signer != self.about.house_key or book.stream_id != self.about.stream_id:
            return
        if book.n in self.heads and self.heads[book.n] != book.head:
            self._break(f"the house signed another head for line {book.n} than its record has")
        self.books[book.question] = book
        question = self.questions.get(book.question)
        if question is not None and book.question not in self.confirmed:
            leaves = [decode_hash(leaf) for leaf in message["leaves"]]
            is_root = book.root == (record.book_root(leaves) if leaves else EMPTY_ROOT)
            digest = panel.book(book.question, question, book.root)
            if is_root and self._enough(digest, message["signatures"]):
                self.confirmed[book.question] = leaves
                key = record.book_key(book.question, book.root)
                self.signed[key] = (BOOKED, [decode_signature(by) for by in message["signatures"].values()])

    def take_result(self, message: Message) -> None:
        """Takes a question's result where enough observers signed it."""
        digest = decode_hash(message["question"])
        question = self.questions.get(digest)
        if question is None or message["outcome"] is None:
            return  # what nobody reported is the chain's to say
        outcome = int(message["outcome"])
        if self._enough(self.about.panel.result(digest, question, outcome), message["signatures"]):
            self.results[digest] = outcome
            self.signed[digest] = (outcome, [decode_signature(by) for by in message["signatures"].values()])

    def _enough(self, digest: bytes, signatures: dict[str, str]) -> bool:
        signers = {signer_of(digest, decode_signature(signature)) for signature in signatures.values()}
        return len(signers & set(self.about.panel.members)) >= self.about.panel.threshold


@contextmanager
def _of_this_api() -> Iterator[None]:
    """Turns what reading a message raises that nobody can read into ConnectionError."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, Refused) as error:
        raise ConnectionError("no message of this API") from error


class Notebook:
    """What a player keeps of one session, one JSON object a line, on the disk before `write` returns."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, what: str, **body: Any) -> None:
        """Adds a line, after one that a crash or a full disk cut off on a line of its own."""
        with self.path.open("ab+") as file:
            if size := file.tell():
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps({"what": what, **encode(body)}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> list[Message]:
        """All lines; one that a crash cut off is left out."""
        if not self.path.exists():
            return []
        lines = []
        for line in self.path.read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
        return lines


def signed_by_house(lines: Sequence[Message], domain: Domain) -> list[Message]:
    """Quotes, receipts and refusals of a session's notebook, as scripts/audit_stream.py reads them."""
    items, session = [], bytes(32)
    for line in lines:
        match line["what"]:
            case "offer":
                session = domain.digest(decode(Offer, line["offer"]))
            case "completed":
                receipt = line["receipt"] | {name: int(line["receipt"][name]) for name in ("n", "epoch")}
                state = domain.digest(decode(State, line["state"]), session=session)
                items.append({"type": "receipt", "state": encode(state), **receipt})
            case "quoted":
                items.append({"type": "quote", **line["quote"], "signature": line["signature"]})
            case "refused":
                items.append({"type": "refusal", **line["refusal"], "signature": line["signature"]})
    return items


class Player:
    """One session of one player. It signs nothing that it could lose by, and keeps all that it needs to exit alone."""

    def __init__(
        self, connection: Connection, wallet: Wallet, key: Key, notebook: Notebook, now: Callable[[], int] | None = None
    ):
        self.connection, self.wallet, self.key, self.notebook = connection, wallet, key, notebook
        self.now = now or connection.now
        self.offer: Offer | None = None
        self.session = bytes(32)
        self.state = State()  # the newest that is completed
        self.signature: Signature | None = None
        self.receipt: SignedReceipt | None = None
        self.book: BookProof | None = None
        self.used_seq = 0
        self.unanswered: dict[int, State] = {}  # signed after the newest completed one, by seq: the house may post one
        self.frozen: str | None = None
        self._noted: set[bytes] = set()  # questions whose result is in the notebook
        self._one_at_a_time = asyncio.Lock()
        self.on_unanswered: list[Callable[[Message], Awaitable[Any]]] = []  # who publishes when a state was sent
        connection.on_connected.append(self._follow_again)
        connection.keeps.append(self._has_bet_on)
        self._recall()
        connection.hear.append(self._hear)

    def _hear(self, message: Message) -> None:
        """Results of open bets go into the notebook as they come: an exit alone may need them."""
        if message["type"] == "result":
            self._outcomes()

    def _has_bet_on(self, question: bytes) -> bool:
        states = (self.state, *self.unanswered.values())
        return any(bet.question == question for state in states for bet in state.open_bets)

    def _recall(self) -> None:
        """Takes up a session where its notebook ends. A state that was sent and has no answer freezes it."""
        unanswered = False
        for line in self.notebook.lines():
            match line["what"]:
                case "offer":
                    self.offer = offer = decode(Offer, line["offer"])
                    if self.connection.stream is None:  # without the engine, the chain says all that an exit needs
                        self.connection.stream = stream_on_chain(
                            self.connection.tessera, offer.stream_id, offer.house_key, offer.activation
                        )
                    self.session = self.connection.about.domain.digest(self.offer)
                case "sent":
                    self._did_sign(decode(State, line["state"]))
                    unanswered = True
                case "refused":
                    unanswered = False
                case "completed":
                    receipt = _receipt_of(line["receipt"])
                    self._did_complete(decode(State, line["state"]), decode_signature(line["signature"]), receipt, None)
                    unanswered = False
                case "booked":
                    root, proof = decode_hash(line["book"]["root"]), map(decode_hash, line["book"]["proof"])
                    state, signature = decode(State, line["state"]), decode_signature(line["signature"])
                    self._did_complete(state, signature, None, BookProof(root, [*proof]))
                    key = record.book_key(state.open_bets[-1].question, root)
                    by = [decode_signature(signature) for signature in line.get("signatures", ())]
                    self.connection.signed[key] = (BOOKED, by)
                    unanswered = False
                case "result":
                    digest, outcome = decode_hash(line["question"]), int(line["outcome"])
                    self.connection.results[digest] = outcome
                    self.connection.signed[digest] = (outcome, [decode_signature(by) for by in line["signatures"]])
                case "frozen":
                    self.frozen = line["why"]
        if unanswered and self.frozen is None:
            self._freeze("a state that was sent has no answer")

    def _did_sign(self, state: State) -> None:
        self.used_seq = state.seq
        self.unanswered[state.seq] = state

    def _did_complete(
        self, state: State, signature: Signature, receipt: SignedReceipt | None, book: BookProof | None
    ) -> None:
        self.state, self.signature, self.receipt, self.book = state, signature, receipt, book
        self.unanswered = {seq: later for seq, later in self.unanswered.items() if seq > state.seq}

    async def open(self, deposit: int, most_activation: int, loss_cap: int | None = None) -> bytes:
        """Opens and activates a session of a deposit, in which at most `loss_cap` may be lost, top-ups included; by
        default the deposit, which leaves no room to top up. Its id. The wallet signs that it wants the offer.

        Raises EngineRefused, Reverted, and ChainError where the activation, which the house names and earns at once,
        costs more than the most that it may, or the offer is not what was asked for; nothing was sent then.
        """
        about, at = self.connection.about, self.connection.now()  # by the engine's clock, as it told it
        if about.activation > most_activation:
            costs = f"the activation costs {about.activation}, more than the {most_activation} that it may"
            raise ChainError(f"{costs}: nothing was sent")
        text = offer_text(about.domain, about.stream_id, self.key.address, deposit, loss_cap, at)
        answer = await self._asked(
            "offer",
            player=self.wallet.address,
            session_key=self.key.address,
            deposit=deposit,
            loss_cap=loss_cap,
            at=at,
            signature=bytes(self.wallet.account.sign_message(text).signature),
        )
        offer, signature = decode(Offer, answer["offer"]), decode_signature(answer["signature"])
        session = about.domain.digest(offer)
        asked = (self.wallet.address, self.key.address, about.house_key, about.stream_id, deposit, about.activation)
        given = (
            offer.player,
            offer.session_key,
            offer.house_key,
            offer.stream_id,
            offer.deposit,
            offer.activation,
        )
        operator = self.connection.tessera.sessions.stream(about.stream_id).operator
        if given != asked or offer.loss_cap > (loss_cap or deposit) or signer_of(session, signature) != operator:
            raise ChainError("the offer is not what was asked for, or not the operator's")
        self.notebook.write("offer", offer=offer, signature=signature)
        self.offer, self.session = offer, session
        self.connection.tessera.sessions.open_session(self.wallet, offer, signature)
        await self.begin()
        return session

    async def begin(self) -> None:
        """Activates the session that is open on chain, once the engine knows of it: `open` does, and it may be tried
        again where that was refused. Raises EngineRefused, FrozenError; TimeoutError where the engine does not see it.
        """
        self._running()
        await self.follow()
        await self.connection.until(lambda: self.view["is_confirmed"], 600)
        await self._send(replace(states.activation(self.state), seq=self._next_seq()), self.now() + RECEIPT_MS)

    async def follow(self) -> Message:
        """Asks to be told of the session; its view."""
        at = self.now()
        text = follow_text(self.connection.about.domain, self.session, at)
        return await self._asked("follow", session=self.session, at=at, signature=self.key.sign_message(text))

    async def _follow_again(self) -> None:
        if self.offer is not None:
            await self.follow()

    @property
    def view(self) -> Message:
        """The session as the engine last told it: balance, velocity, warnings, limits."""
        return self.connection.sessions[self.session]

    async def bet(self, question: bytes, choice: int, stake: int) -> OpenBet:
        """Bets on a choice at the newest quote; the bet, once its receipt is there.

        Raises EngineRefused (nothing was bet), FrozenError where the answer came too late or not at all.
        """
        async with self._one_at_a_time:  # no new state is signed while one is unanswered
            return await self._bet(question, choice, stake)

    async def _bet(self, question: bytes, choice: int, stake: int) -> OpenBet:
        offer = self._running()
        digest, quote, message = self.connection.quotes[question]
        asked = self.connection.questions[question]
        self.notebook.write("quoted", quote=quote, signature=decode_signature(message["signature"]))
        liability = states.liability_of(stake, quote.odds[choice])
        bet = OpenBet(question, digest, asked.lock, asked.report_by, choice, stake, liability)
        for is_last in (False, True):
            outcomes = self._outcomes()
            try:
                state = states.successor(offer, self.state, bet, outcomes, self._next_seq(), self._top_ups())
                await self._send(state, asked.lock)
                break
            except EngineRefused as error:
                if error.name != "results_missing" or is_last:
                    raise
                for result in error.answer["results"]:
                    self.connection.take_result(result)
        return bet

    async def close(self, valid_seconds: int = 3_600) -> Close:
        """Signs what the session comes to, and freezes it; the operator lands it. Raises EngineRefused.

        Raises ChainError where an open bet has no result yet.
        """
        self._running()
        net, waiting = states.fold(self.state, self._outcomes())
        if waiting:
            raise ChainError(f"{len(waiting)} open bets have no result yet")
        agreement = Close(net, self.state.activated, self.now() // MS + valid_seconds)
        signature = self.key.sign(self.connection.about.domain.digest(agreement, session=self.session))
        self._freeze("an agreement to close is signed")
        body = {"session": self.session, "agreement": agreement, "signature": signature}
        self.notebook.write("closing", **body)
        await self._asked("close", **body)
        return agreement

    async def _asked(self, name: str, **body: Any) -> Message:
        """The answer to what may be said twice: said again while there is no engine. Raises EngineRefused,
        ChainError."""
        tries = 0
        while True:
            try:
                return await self.connection.ask(name, **body)
            except (TimeoutError, ChainError) as error:
                tries += 1
                is_final = isinstance(error, EngineRefused) and error.name not in LATER
                if is_final or tries > TRIES:
                    raise
            await asyncio.sleep(TRY_SECONDS)

    @property
    def room(self) -> int:
        """What can be topped up: what is put in beyond the session's loss cap could never be bet."""
        offer = self._running()
        return max(offer.loss_cap - offer.deposit - self._top_ups(), 0)

    def top_up(self, amount: int) -> None:
        """Adds money to the betting balance of the open session, on chain; the engine counts it once it is confirmed.

        Raises ChainError where it is more than there is room for, FrozenError, Reverted.
        """
        offer, room = self._running(), self.room
        if not 0 < amount <= room:
            raise ChainError(f"a top-up of 1 to {room}: beyond the session's loss cap it could never be bet")
        self.connection.tessera.sessions.top_up(self.wallet, offer, amount)

    def exit(self) -> None:
        """Begins to end the session alone, on chain, by the newest completed state. Raises Reverted."""
        if self.offer is None:
            raise ChainError("there is no session")
        if self.frozen is None:
            self._freeze("the player exits")
        self._land_book()
        receipt, book = self.receipt or NO_RECEIPT, self.book or NO_BOOK
        signature = self.signature or NO_SIGNATURE
        self.connection.tessera.sessions.start_exit(self.wallet, self.offer, self.state, signature, receipt, book)

    def watch(self) -> str | None:
        """Looks at the chain and does what the protocol asks of a player there; what it did, None: nothing was due.

        It answers an exit that somebody else began, lands results and books of open bets 10 minutes before they are
        due, or at once in an exit, and ends the exit when it is over. To be called at least once in a day, and once
        between a result and its `report_by`. Where the house was a moment before it, it did nothing. Raises Reverted.
        """
        sessions = self.connection.tessera.sessions
        if self.offer is None:
            return None
        known = sessions.session(self.session)
        if known.stage in (Stage.NONE, Stage.CLOSED):
            return None
        try:
            return self._watch(self.offer, known)
        except Reverted:
            if sessions.session(self.session) == known:
                raise
            return None

    def _watch(self, offer: Offer, known: OnChain) -> str | None:
        tessera = self.connection.tessera
        now = block_at(tessera.web3).timestamp
        is_exiting = known.stage is Stage.EXITING
        if is_exiting and self.frozen is None:
            self._freeze("an exit has begun")
        is_behind = known.seq < self.state.seq or (known.seq == self.state.seq and not known.by_player)
        # A later state than the newest completed one is one whose receipt came too late, or never.
        state = self.unanswered.get(known.seq, self.state)
        if is_exiting and is_behind and now < known.end:
            if self._land_book():
                now = block_at(tessera.web3).timestamp
            signature, receipt = self.signature or NO_SIGNATURE, self.receipt or NO_RECEIPT
            tessera.sessions.challenge(self.wallet, offer, self.state, signature, receipt, self.book or NO_BOOK)
            return "answered the exit"
        for bet in state.open_bets:
            is_due = is_exiting or self.now() >= bet.report_by - LAND_MS
            if is_due and self._land(bet, now):
                return "landed a result or book"
        if is_exiting and known.seq == state.seq:
            exclusion = Exclusion(*tessera.sessions.exclusion_of(offer.player))
            counts = known.by_player or known.proven
            if now >= states.ready_at(offer, state, known.end, counts, exclusion):
                tessera.sessions.finalize(self.wallet, offer, state)
                return "ended the exit"
        return None

    def _land(self, bet: OpenBet, now: int) -> bool:
        """Whether something about a bet was landed now."""
        keys = [bet.question]
        if bet.question in self.connection.books:
            keys.append(record.book_key(bet.question, self.connection.books[bet.question].root))
        return any(self._land_report(bet, key, now) for key in keys)

    def _land_book(self) -> bool:
        """Whether the book that stands for the newest state's receipt was landed now: the chain must have it first."""
        if self.book is None:
            return False
        bet, now = self.state.open_bets[-1], block_at(self.connection.tessera.web3).timestamp
        return self._land_report(bet, record.book_key(bet.question, self.book.root), now)

    def _land_report(self, bet: OpenBet, key: bytes, now: int) -> bool:
        panels, panel = self.connection.tessera.panels, self.connection.about.panel
        question = panel.asked(key, bet)
        if key not in self.connection.signed or not question.not_before <= now <= question.deadline:
            return False
        if panels.result(panel.panel_id, panels.question_id(question))[0]:
            return False
        outcome, signatures = self.connection.signed[key]
        panels.submit_reports(self.wallet, panel.panel_id, question, outcome, signatures)
        return True

    def _running(self) -> Offer:
        if self.connection.broken is not None and self.frozen is None:
            self._freeze(self.connection.broken)
        if self.frozen is not None or self.offer is None:
            raise FrozenError(self.frozen or "there is no session")
        return self.offer

    def _freeze(self, why: str) -> None:
        self.frozen = why
        self.notebook.write("frozen", why=why)

    def _next_seq(self) -> int:
        return max(self.used_seq, self.state.seq) + 1

    def _top_ups(self) -> int:
        return self.connection.tessera.sessions.session(self.session).top_ups

    def _outcomes(self) -> dict[bytes, int | None]:
        outcomes: dict[bytes, int | None] = {}
        for bet in self.state.open_bets:
            if bet.question in self.connection.results:
                outcomes[bet.question], signatures = self.connection.signed[bet.question]
                if bet.question not in self._noted:
                    self.notebook.write(
                        "result", question=bet.question, outcome=outcomes[bet.question], signatures=signatures
                    )
                    self._noted.add(bet.question)
        return outcomes

    async def _send(self, state: State, lock: int) -> None:
        """Signs a state, sends it, and takes its receipt. Raises EngineRefused, FrozenError."""
        domain = self.connection.about.domain
        state_hash = domain.digest(state, session=self.session)
        signature = self.key.sign(state_hash)
        self._did_sign(state)
        self.notebook.write("sent", state=state, signature=signature)
        answer = await self._answered(state, state_hash, signature, lock + RECEIPT_MS)
        if answer is not None and self.now() <= lock + RECEIPT_MS:
            receipt = self._checked(answer, state_hash)
            self.notebook.write("completed", state=state, signature=signature, receipt=receipt._asdict())
            self._did_complete(state, signature, receipt, None)
            return
        question = state.open_bets[-1].question if state.open_bets else bytes(32)
        while self.now() <= lock + BOOK_MS:
            leaves = self.connection.confirmed.get(question, [])
            if state_hash in leaves:
                book = BookProof(record.book_root(leaves), record.book_proof(leaves, state_hash))
                _, by = self.connection.signed[record.book_key(question, book.root)]
                self.notebook.write("booked", state=state, signature=signature, book=book._asdict(), signatures=by)
                self._did_complete(state, signature, None, book)
                return
            await asyncio.sleep(0.1)
        self._freeze("the engine did not answer in time")
        raise FrozenError("the engine did not answer in time: exit alone")

    async def _answered(self, state: State, state_hash: bytes, signature: Signature, until: int) -> Message | None:
        """What an engine answers a state: the same state is sent again, to whichever engine there is, until a time.

        None where there is no answer by then. Raises EngineRefused where the house has signed that it refuses.
        """
        body = {"session": self.session, "state": state, "signature": signature}
        unanswered = asyncio.create_task(self._show_unanswered(body))
        try:
            while (left := until - self.now()) >= 0:
                try:
                    return await self.connection.ask("place", seconds=min(left / MS + 0.1, SILENT_SECONDS), **body)
                except EngineRefused as error:
                    if error.name not in LATER:
                        self._refused(error, state_hash)
                        raise
                except TimeoutError:
                    self.connection.renew()
                except ChainError:
                    pass
                await asyncio.sleep(RETRY_SECONDS)
            return None
        finally:
            unanswered.cancel()

    async def _show_unanswered(self, body: dict[str, Any]) -> None:
        """A state that is unanswered for a second goes to observers, who publish when they saw it."""
        await asyncio.sleep(UNANSWERED_SECONDS)
        for show in self.on_unanswered:
            with suppress(ChainError, OSError, TimeoutError):
                await show({"type": "unanswered", **encode(body)})

    def _refused(self, error: EngineRefused, state_hash: bytes) -> None:
        """Notes a refusal that the house signed; without its signature the state may still be completed."""
        about = self.connection.about
        try:
            refusal, signature = decode(Refusal, error.answer["refusal"]), decode_signature(error.answer["signature"])
            signer = signer_of(about.domain.digest(refusal), signature)
        except (KeyError, ChainError):
            refusal, signature, signer = None, None, None
        expected = (state_hash, about.stream_id)
        if refusal is None or (refusal.state, refusal.stream_id) != expected or signer != about.house_key:
            self._freeze("a refusal without the house's signature")
            return
        self.notebook.write("refused", refusal=refusal, signature=signature)
        completed = error.answer.get("completed")
        if completed is not None and int(completed["state"]["seq"]) > self.state.seq:
            self._freeze("the engine completed a state later than it may")

    def _checked(self, answer: Message, state_hash: bytes) -> SignedReceipt:
        """The receipt of an answer. Raises FrozenError where it is forged, or not what the record says."""
        about = self.connection.about
        try:
            receipt = _receipt_of(answer["receipt"])
        except (KeyError, ChainError, ValueError):
            receipt = None
        if receipt is not None:
            signed = Receipt(state_hash, about.stream_id, receipt.n, receipt.epoch, receipt.head)
            in_record = self.connection.heads.get(receipt.n) == receipt.head
            if in_record and signer_of(about.domain.digest(signed), receipt.signature) == about.house_key:
                return receipt
        self._freeze("a receipt that is forged, or not of the record")
        raise FrozenError("a receipt that is forged, or not of the record: exit alone")


def _receipt_of(body: Message) -> SignedReceipt:
    signature = decode_signature(body["signature"])
    return SignedReceipt(int(body["n"]), int(body["epoch"]), decode_hash(body["head"]), signature)


Source = Callable[[Question], Awaitable[int | None]]


class Observer:
    """A member of the panel: signs the books whose lines it has, and reports what its source saw.

    `source` gives what was observed of a question whose end is over (see `questions.winning_choice`), None: nothing.
    What an engine has not taken, or has forgotten since it was followed by another one, is sent again.
    """

    def __init__(self, connection: Connection, key: Key, source: Source, now: Callable[[], int] | None = None):
        self.connection, self.key, self.source, self.now = connection, key, source, now or connection.now
        self._books: dict[bytes, dict[str, Any]] = {}  # signatures of books that are not confirmed yet
        self._reports: dict[bytes, dict[str, Any]] = {}  # reports of questions that are not decided yet
        self._considered: set[bytes] = set()  # questions whose book was looked at
        self._sent: dict[tuple[str, bytes], int] = {}  # when it was sent last
        # Told what was sent, with what in it, and why the engine refused it, if it did.
        self.on_answered: list[Callable[[str, Message, str | None], None]] = []
        connection.on_connected.append(self._connected)

    async def step(self) -> None:
        """Signs and reports what is due now. What the engine does not take now is sent again in a later step."""
        connection, panel = self.connection, self.connection.about.panel
        self._considered &= connection.questions.keys()
        for digest, book in [*connection.books.items()]:
            question = connection.questions.get(digest)
            if question is None or digest in self._considered:
                continue
            self._considered.add(digest)
            leaves = connection.leaves.get(digest, [])
            root = record.book_root(leaves) if leaves else EMPTY_ROOT
            is_whole = connection.broken is None and connection.heads.get(book.n) == book.head
            if is_whole and book.root == root and self.now() <= question.lock + RECEIPT_MS:
                signature = self.key.sign(panel.book(digest, question, root))
                self._books[digest] = {"question": digest, "root": root, "signature": signature}
        for digest, question in [*connection.questions.items()]:
            if digest in self._reports or digest in connection.results or digest not in connection.books:
                continue
            is_time = question.end <= self.now() <= question.report_by - LAND_MS
            if is_time and (observed := await self.source(question)) is not None:
                outcome = questions.winning_choice(question, observed)
                signature = self.key.sign(panel.result(digest, question, outcome))
                self._reports[digest] = {"question": digest, "outcome": outcome, "signature": signature}
        now, confirmed, results = self.now(), connection.confirmed, connection.results
        await self._send("book", self._books, lambda asked: asked in confirmed)
        await self._send("report", self._reports, lambda asked: asked in results)
        for waiting in (self._books, self._reports):
            for digest in [*waiting]:
                if digest not in connection.questions or now > connection.questions[digest].report_by - LAND_MS:
                    del waiting[digest]

    async def run(self, seconds: float = 0.2) -> None:
        """Steps until it is cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(seconds)

    async def _connected(self) -> None:
        """Another engine may know nothing of what was sent to the last one, and may ask how far the record goes."""
        self._sent.clear()
        connection = self.connection
        n, head = next(reversed(connection.heads.items()))
        text = tail_text(connection.about.domain, connection.about.stream_id, connection.epoch, n, head)
        await connection.ask("tail", n=n, head=head, signature=self.key.sign(digest_of(text)))

    async def _send(self, name: str, bodies: dict[bytes, Message], is_done: Callable[[bytes], bool]) -> None:
        for digest, body in [*bodies.items()]:
            if is_done(digest):
                self._sent.pop((name, digest), None)
                del bodies[digest]
                continue
            if self._sent.get((name, digest), 0) + AGAIN_MS > self.now():
                continue
            with suppress(ChainError, TimeoutError):
                refused = None
                try:
                    await self.connection.ask(name, **body)
                except EngineRefused as error:
                    if error.name in LATER:
                        continue
                    refused = error.name
                self._sent[name, digest] = self.now()
                for answered in self.on_answered:
                    answered(name, body, refused)
