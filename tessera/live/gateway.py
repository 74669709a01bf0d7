"""A gateway: a stream's door on any machine. It keeps no state, and many may stand before one engine.

It has one connection to the engine that owns the stream, whoever that is now, and passes on what is published to all
its clients, and their commands to the engine, which does not count them again where the address in the database has its
key. What is no command ends here; lines of the record are read from the journal. A client sees a take-over as a
greeting by the new engine; what was not answered it sends again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tessera.live.client import CONNECTING
from tessera.live.commands import COMMANDS, parsed
from tessera.live.journal import Headed, Journal, JournalError
from tessera.live.messages import Message
from tessera.live.refusals import Code, Refused
from tessera.live.requests import Requests
from tessera.live.source import FILES_AT, MOST_LINES, Listener
from tessera.live.wire import decode_hash, encode, hexed, text_of
from tessera.model.sessions.record import LineKind

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.1
ANSWER_SECONDS = 10.0


class Gateway:
    """One stream, as its engine tells of it."""

    def __init__(self, owner: Callable[[], str | None], open_journal: Callable[[], Journal]):
        """`owner` says where the stream's engine listens, `open_journal` gives a journal to read; both may raise
        JournalError."""
        self.listeners: set[Listener] = set()
        self.has_stopped = asyncio.Event()
        self.files: Path | None = None
        self.is_ready = asyncio.Event()  # an engine was reached
        self._owner, self._open, self._journal = owner, open_journal, None
        self._about: Message = {}
        self._greeted_at = 0.0
        self._questions: dict[str, Message] = {}  # open or undecided, by hash
        self._quotes: dict[str, Message] = {}
        self._books: dict[str, Message] = {}
        self._socket: ClientConnection | None = None
        self._requests = Requests()

    async def run(self) -> None:
        """Until it is cancelled: connects to the stream's engine, and to the next one where that ends."""
        try:
            while True:
                await self._pass_on()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self.has_stopped.set()

    async def _pass_on(self) -> None:
        try:
            url = await asyncio.to_thread(self._owner)
            if url is None:
                return
            query = f"bundles=true&after={self._about['n']}" if self._about else "bundles=true"
            async with connect(f"{url}{'&' if '?' in url else '?'}{query}", **CONNECTING) as socket:
                self._socket = socket
                async for text in socket:
                    content = orjson.loads(text)
                    for message in content if isinstance(content, list) else [content]:
                        self._hear(message)
        except (OSError, TimeoutError, ValueError, WebSocketException):  # an address that is none, too
            pass
        except JournalError as error:
            log.warning("%s", error)
        finally:
            self._socket = None
            self._requests.end(Refused(Code.STOPPED))

    def _hear(self, message: Message) -> None:
        if self._requests.take(message) or "id" in message:  # an answer that nobody waits for any more is nobody's
            return
        self._note(message)
        session = decode_hash(message["session"]) if message["type"] == "session" else None
        text = text_of(message)
        for listener in [*self.listeners]:
            listener(session, text)

    def _note(self, message: Message) -> None:
        """What somebody who comes later must know."""
        match message["type"]:
            case "stream":
                before, self._about, self._greeted_at = self._about, message, time.monotonic()
                if before and int(before["n"]) < int(message["n"]):  # the lines between come next, to everybody
                    self._about = message | {"n": before["n"], "head": before["head"]}
                for known in (self._questions, self._quotes, self._books):
                    known.clear()
                self.is_ready.set()
            case "line":
                self._about |= {"n": message["n"], "head": message["head"]}
                if int(message["kind"]) == LineKind.LOCK:
                    self._quotes.pop(message["question"], None)
            case "question":
                self._questions[message["hash"]] = message
                self._forget_overdue()
            case "quote" if message["quote"]["question"] in self._questions:
                self._quotes[message["quote"]["question"]] = message
            case "book" if message["book"]["question"] in self._questions:
                self._books[message["book"]["question"]] = message
            case "result":
                for known in (self._questions, self._quotes, self._books):
                    known.pop(message["question"], None)
            case "ended":
                self._about["has_ended"] = True

    @property
    def requests_per_second(self) -> float:
        """Of one session's key, that the engine takes, once that was reached."""
        return int(self._about["terms"]["requests_per_second"])

    def _now(self) -> int:
        """Unix milliseconds by the engine's clock."""
        return int(self._about["now"]) + round((time.monotonic() - self._greeted_at) * 1_000)

    def _forget_overdue(self) -> None:
        """What was not decided until `report_by` is the chain's to say: an engine tells nobody of it, either."""
        now = self._now()
        for name in [name for name, asked in self._questions.items() if int(asked["question"]["report_by"]) < now]:
            for known in (self._questions, self._quotes, self._books):
                known.pop(name, None)

    def about(self) -> Message:
        """What a client has to know of the stream. Raises Refused before an engine was reached."""
        if not self._about:
            raise Refused(Code.STOPPED)
        return self._about | {"now": str(self._now())}

    def greeting(self) -> tuple[int, list[Message]]:
        """The last line that was told, and what somebody who comes now must know; the stream first.

        Raises Refused before an engine was reached.
        """
        messages = [self.about()]
        self._forget_overdue()
        for name, question in self._questions.items():
            others = (known[name] for known in (self._books, self._quotes) if name in known)
            messages += [question, *others]
        return int(self._about["n"]), messages

    async def ask(self, name: str, body: Any) -> Message:
        """The engine's answer. Raises Refused; STOPPED where there is none, and the engine may have taken it."""
        if isinstance(body, BaseModel):
            body = {field: encode(getattr(body, field)) for field in type(body).model_fields}
        elif name in COMMANDS:
            parsed(COMMANDS[name], body)
        if self._socket is None:
            raise Refused(Code.STOPPED)
        try:
            answer = await self._requests.ask(self._socket, name, body, ANSWER_SECONDS)
        except TimeoutError:
            raise Refused(Code.STOPPED) from None
        del answer["id"]
        if answer["type"] == "fairness" and answer["files"] == FILES_AT:
            answer["files"] = None  # which the engine has at its own door, not here
        if answer["type"] != "refused":
            return answer
        number, reason = Code(answer["number"]), answer["reason"]
        details = {key: value for key, value in answer.items() if key not in ("type", "code", "number", "reason")}
        raise Refused(number, reason, **details)

    async def question(self, digest: bytes) -> list[Message]:
        """A question with its book and result, while it is open or undecided. Raises Refused."""
        name = hexed(digest)
        if name not in self._questions:
            raise Refused(Code.UNKNOWN_QUESTION)
        return [known[name] for known in (self._questions, self._books) if name in known]

    async def lines(self, first: int, count: int) -> list[Headed]:
        """Lines of the record, from the journal. Raises JournalError."""
        return await asyncio.to_thread(self._lines, first, min(count, MOST_LINES))

    def _lines(self, first: int, count: int) -> list[Headed]:
        try:
            if self._journal is None:
                self._journal = self._open()
            return self._journal.lines(first, count)
        except JournalError:
            journal, self._journal = self._journal, None
            if journal is not None:
                journal.close()
            raise
