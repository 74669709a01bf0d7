"""What changed, to pages that listen (server-sent events): so that they read again only what is another by now."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from tessera.chain.blocks import Block
from tessera.chain.escrow import ConsentChanged, Entry
from tessera.chain.lmsr_markets import LmsrMarkets
from tessera.chain.play_euro import Invited, Joined, Uninvited
from tessera.club.refusals import RefusedError
from tessera.club.settings import Limits
from tessera.index.index import Index

KINDS = (*LmsrMarkets.EVENTS, Entry, ConsentChanged, Invited, Joined, Uninvited)
MOST_KEPT = 256  # changes, for those who come back
MOST_WAITING = 32  # messages for a page that does not read
QUIET_SECONDS = 15.0  # between signs of life


@dataclass(frozen=True)
class Change:
    """What the blocks up to `block` changed: markets and accounts, or anything (`everything`)."""

    block: Block
    markets: frozenset[int] = frozenset()
    accounts: frozenset[str] = frozenset()
    everything: bool = False

    def message(self) -> str:
        """As an event of a stream."""
        data = {
            "block": self.block.number,
            "block_hash": self.block.hash,
            "block_time": self.block.timestamp,
            "markets": sorted(self.markets),
            "accounts": sorted(self.accounts),
            "all": self.everything,
        }
        return event("block", data, number=self.block.number)


class Watch:
    """What changed in an index since the last look. For one thread, the one that syncs it."""

    def __init__(self, index: Index):
        self._index = index
        self._last: Block | None = None
        self._last_with_logs: Block | None = None

    def look(self) -> Change | None:
        """What changed; None: nothing, or nothing was read yet. The first look says that anything may have."""
        with self._index.snapshot() as snapshot:
            last, with_logs, head = self._last, self._last_with_logs, snapshot.head
            if head == last:
                return None
            self._last, self._last_with_logs = head, snapshot.last_with_logs()
            if last is None or head.number <= last.number or (with_logs is not None and not snapshot.has(with_logs)):
                return Change(head, everything=True)
            rows = list(snapshot.rows_after(last.number, *KINDS))
        markets = frozenset(vars(row)["market_id"] for row in rows if "market_id" in vars(row))
        accounts = frozenset(vars(row)["account"] for row in rows if "account" in vars(row))
        return Change(head, markets, accounts)


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
        self._kept: deque[Change] = deque(maxlen=MOST_KEPT)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    def begin(self) -> None:
        """Notes the loop that serves pages."""
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """Lets all streams end."""
        self._ended = True
        for listener in self._listeners:
            listener.news.set()

    def publish_from(self, change: Change) -> None:
        """Tells pages of a change. Any thread."""
        self._later(self.publish, change)

    def tell_from(self, message: str) -> None:
        """Sends everybody a message. Any thread."""
        self._later(self.tell, message)

    def publish(self, change: Change) -> None:
        """Tells pages of a change."""
        self._kept.append(change)
        self.tell(change.message())

    def tell(self, message: str) -> None:
        """Sends everybody a message."""
        for listener in self._listeners:
            listener.put(message)

    def enter(self, who: str, since: int | None) -> Listener:
        """A new listener of an address, who knows what changed up to a block. Raises RefusedError."""
        if Counter(self._listeners.values())[who] >= self._limits.streams:
            raise RefusedError("too_many_requests", "Too many pages of your address listen here.", retry_after=30)
        if len(self._listeners) >= self._limits.all_streams:
            raise RefusedError("busy", "Too many pages listen here: ask every few seconds instead.", retry_after=60)
        listener = Listener()
        self._listeners[listener] = who
        if self._kept:
            listener.put(self._since(since).message())
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

    def _since(self, block: int | None) -> Change:
        """All that changed after a block, in one."""
        newest = self._kept[-1]
        missed = [change for change in self._kept if block is not None and change.block.number > block]
        # What is kept has to reach back to the block, or one before is missing.
        if block is None or self._kept[0].block.number > block or any(change.everything for change in missed):
            return Change(newest.block, everything=True)
        return Change(
            newest.block, _union(change.markets for change in missed), _union(change.accounts for change in missed)
        )


def _union(sets: Iterable[frozenset]) -> frozenset:
    return frozenset().union(*sets)


def event(name: str, data: dict, *, number: int | None = None) -> str:
    """An event as it goes over the line."""
    first = "" if number is None else f"id: {number}\n"
    return f"{first}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
