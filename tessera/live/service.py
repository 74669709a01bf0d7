"""An engine for as long as its process lives: it waits for its stream, serves it, and waits again where it lost it.

While it waits it keeps up with the journal and the chain, so that it can take over in a moment: nothing that takes long
stands between an owner's end and the next one's first receipt.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from itertools import islice

from tessera.chain.errors import ChainError
from tessera.live.chain import Watch
from tessera.live.facts import Facts
from tessera.live.journal import Journal, JournalError
from tessera.live.memory import Memory
from tessera.live.runner import CHAIN_SECONDS, Runner

log = logging.getLogger(__name__)

TRY_SECONDS = 0.1  # between two attempts to take a stream over
PAGE = 5_000  # entries of the journal that are in memory at once while it is read
AGAIN_SECONDS = 0.5  # after the journal failed


class Service:
    """One stream, in one of the processes that may run its engine.

    `open_journal`, `memory` and `watch` make what is needed anew after a failure; `runner` makes the engine from them;
    `serve` serves it until it has stopped; `say` tells the operator.
    """

    def __init__(
        self,
        open_journal: Callable[[], Journal],
        memory: Callable[[], Memory],
        watch: Callable[[], Watch],
        runner: Callable[[Journal, Memory, Facts, Watch], Runner],
        serve: Callable[[Runner], Awaitable[None]],
        say: Callable[[str], None],
        *,
        confirmations: int = 0,
        every: float = CHAIN_SECONDS,
    ):
        """Looks at the chain every so many seconds while it waits."""
        self._every = every
        self._open, self._memory, self._watch_of, self._runner = open_journal, memory, watch, runner
        self._serve, self._say, self._confirmations = serve, say, confirmations
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stopping` is set. Raises JournalError where the journal cannot be opened at the start, and what ended
        an engine whose journal did not fail."""
        journal = await asyncio.to_thread(self._open)
        while True:
            try:
                runner = await self._taken(journal)
                if runner is None:
                    return
                await self._served(runner)
                if not runner.engine.has_failed:
                    if runner.failure is not None:  # no failure of the journal: nobody knows what it would do next
                        raise runner.failure
                    return
                self._say("the stream was lost: it is another engine's, or the journal failed; waits for it again")
            except JournalError as error:
                log.warning("%s", error)
            finally:
                await asyncio.to_thread(journal.close)
            journal = await self._opened_again()
            if journal is None:
                return

    async def _served(self, runner: Runner) -> None:
        """Until it has stopped; a signal that came before the server listens for them stops it, too."""

        async def stop() -> None:
            await self.stopping.wait()
            runner.has_stopped.set()

        stopping = asyncio.create_task(stop())
        try:
            await self._serve(runner)
        finally:
            stopping.cancel()

    async def _opened_again(self) -> Journal | None:
        warned = ""
        while not await self._is_stopping(AGAIN_SECONDS):
            try:
                return await asyncio.to_thread(self._open)
            except JournalError as error:
                if str(error) != warned:
                    log.warning("%s", error)
                warned = str(error)
        return None

    async def _taken(self, journal: Journal) -> Runner | None:
        """The engine, once the stream is this process's; None where it is stopped before."""
        memory, watch = self._memory(), self._watch_of()
        await self._read(journal, memory)
        gc.collect()
        facts = await asyncio.to_thread(_seen, watch, Facts(memory.stream_id, self._confirmations))
        facts.forget_closed(memory.sessions)
        seen_at, looking, waits = time.monotonic(), None, False
        while not await asyncio.to_thread(journal.own):
            if not waits:
                self._say("another engine has this stream: waits for its end")
            waits = True
            if await self._is_stopping(TRY_SECONDS):
                return None
            await self._read(journal, memory)
            if looking is not None and looking.done():
                facts, seen_at, looking = await looking, time.monotonic(), None
                facts.forget_closed(memory.sessions)
            if looking is None and time.monotonic() - seen_at >= self._every:
                looking = asyncio.create_task(asyncio.to_thread(_seen, watch, facts))  # a slow node holds up nothing
        if looking is not None:
            facts = await looking
        runner = self._runner(journal, memory, facts, watch)
        gc.freeze()  # what was replayed stays: the collector need not walk through it in the middle of a bet
        return runner

    async def _read(self, journal: Journal, memory: Memory) -> None:
        entries, count = journal.unread(), PAGE
        while count == PAGE:  # so that the whole journal is never in memory
            page = await asyncio.to_thread(lambda: [*islice(entries, PAGE)])
            for entry in page:
                memory.replay(entry)
            count = len(page)

    async def _is_stopping(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _seen(watch: Watch, facts: Facts) -> Facts:
    """What the chain says by now."""
    try:
        news = watch.look()
    except ChainError as error:
        log.warning("the chain: %s", error)
        return facts
    if news.is_anew:
        facts = Facts(facts.stream_id, facts.confirmations)
    facts.head, facts.block_at = news.head, news.block_at
    for event in news.events:
        facts.add(event)
    return facts
