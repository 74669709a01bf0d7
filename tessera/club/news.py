"""What is new, to pages that listen (server-sent events): so that they ask for nothing while nothing happens."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from tessera.chain.blocks import Block
from tessera.club.refusals import RefusedError
from tessera.club.settings import Limits
from tessera.club.store import Store
from tessera.index.index import Index

MOST_WAITING = 32  # messages for a page that does not read
QUIET_SECONDS = 15.0  # between signs of life
NAMES = "event: names\ndata: {}\n\n"


@dataclass(frozen=True)
class Step:
    """The newest block, and the one before that was announced; `quiet`: no contract logged anything since that one."""

    block: Block
    after: Block | None
    quiet: bool

    def message(self) -> str:
        """As an event of a stream."""
        data = {
            "block": self.block.number,
            "block_hash": self.block.hash,
            "block_time": self.block.timestamp,
            "after": self.after.hash if self.after else None,
            "quiet": self.quiet,
        }
        return f"event: block\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


class Watch:
    """What is new in an index and a club since the last look. For one thread, the one that syncs the index."""

    def __init__(self, index: Index, store: Store):
        self._index, self._store = index, store
        self._last: Block | None = None
        self._last_with_logs: Block | None = None
        self._names: tuple | None = None

    def step(self) -> Step | None:
        """The newest block, where it is another than at the last look."""
        with self._index.snapshot() as snapshot:
            after, head, with_logs = self._last, snapshot.head, snapshot.last_with_logs()
        if head == after:
            return None
        # What the chain took back was logged, too: then the last block with logs is another, or an earlier one.
        quiet = after is not None and with_logs == self._last_with_logs
        self._last, self._last_with_logs = head, with_logs
        return Step(head, after, quiet)

    def names_changed(self) -> bool:
        """Whether members are called otherwise than at the last look, whichever node or command was told."""
        before, self._names = self._names, self._store.names_version()
        return before is not None and before != self._names


@dataclass(eq=False)
class Listener:
    """A page that listens. `gone`: it did not read, and has to come again."""

    waiting: deque[str] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    gone: bool = False

    def put(self, message: str) -> None:
        """Sends a message when the page takes it."""
        self.waiting.append(message)
        self.gone = self.gone or len(self.waiting) > MOST_WAITING
        self.news.set()


class News:
    """All pages that listen to a node. One event loop's, but for what says otherwise."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._listeners: dict[Listener, str] = {}
        self._newest: Block | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False
        self.first: Callable[[Block], None] = lambda block: None  # who learns of a block before pages do

    def begin(self) -> None:
        """Notes the loop that serves pages."""
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """Lets all streams end."""
        self._ended = True
        for listener in self._listeners:
            listener.news.set()

    def publish_from(self, step: Step) -> None:
        """Tells pages of a block. Any thread."""
        self._later(self.publish, step)

    def tell_from(self, message: str) -> None:
        """Sends everybody a message. Any thread."""
        self._later(self.tell, message)

    def publish(self, step: Step) -> None:
        """Tells pages of a block."""
        self._newest = step.block
        self.first(step.block)
        self.tell(step.message())

    def tell(self, message: str) -> None:
        """Sends everybody a message."""
        for listener in self._listeners:
            listener.put(message)

    def enter(self, who: str) -> Listener:
        """A new listener, of a visitor. Raises RefusedError."""
        if Counter(self._listeners.values())[who] >= self._limits.streams:
            raise RefusedError("too_many_requests", "Too many pages of your address listen here.", retry_after=30)
        if len(self._listeners) >= self._limits.all_streams:
            raise RefusedError("busy", "Too many pages listen here: ask every few seconds instead.", retry_after=60)
        listener = Listener()
        self._listeners[listener] = who
        if self._newest is not None:
            listener.put(Step(self._newest, None, quiet=False).message())
        return listener

    async def messages(self, listener: Listener) -> AsyncIterator[str]:
        """What a listener is sent, until it is gone."""
        try:
            yield ": welcome\n\n"
            while not listener.gone and not self._ended:
                try:
                    async with asyncio.timeout(QUIET_SECONDS):
                        await listener.news.wait()
                except TimeoutError:
                    yield f": {int(time.time())}\n\n"
                    continue
                listener.news.clear()
                while listener.waiting:
                    yield listener.waiting.popleft()
        finally:
            self._listeners.pop(listener, None)

    def _later(self, action: Callable[..., None], what: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action, what)
