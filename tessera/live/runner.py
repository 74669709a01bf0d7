"""Runs an engine: commits what is queued, keeps its time, watches the chain, and hands its news to whoever listens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from eth_account.messages import SignableMessage

from tessera.chain.errors import ChainError
from tessera.chain.wallet import Wallet
from tessera.index.limits import Allowance
from tessera.live import answers, chain, messages
from tessera.live.commands import COMMANDS, parsed
from tessera.live.engine import Engine, Queued
from tessera.live.journal import Headed, JournalError
from tessera.live.keys import is_signed_by
from tessera.live.messages import Message
from tessera.live.publication import Publication
from tessera.live.refusals import Code, Refused
from tessera.live.source import FILES_AT, MOST_LINES, Listener
from tessera.live.wire import text_of

log = logging.getLogger(__name__)

TICK_SECONDS = 0.05
CHAIN_SECONDS = 2.0
BEAT_SECONDS = 0.1
FORGET_SECONDS = 60.0
PUBLISH_SECONDS = 1.0
CODE_CHECKS_A_SECOND = 10.0  # that the chain is asked for all wallets together
MOST_CODE_CHECKS = 20  # that wait for a chain that answers more slowly


class Runner:
    """An engine in the running loop. Commits are in a thread of their own, and so are, unless `is_inline`, what is read
    from the chain and what is sent there: a transaction may wait for minutes to be mined."""

    def __init__(
        self,
        engine: Engine,
        watch: chain.Watch,
        wallet: Wallet,
        *,
        every: float = CHAIN_SECONDS,
        is_inline: bool = False,
        feed: Callable[[Engine], None] = lambda engine: None,
        drift: Callable[[], int] | None = None,
        files: Path | None = None,
        files_at: str | None = None,
    ):
        """Looks at the chain every so many seconds. `feed` asks questions, in each tick; `drift` gives the clock's lead
        over a time server's, in milliseconds. What is public is written to the folder `files`, which people find at
        `files_at`; without that they find it at the engine's own door."""
        self.engine, self.watch, self.wallet = engine, watch, wallet
        self.listeners: set[Listener] = set()
        self.has_stopped = asyncio.Event()
        self.failure: Exception | None = None  # what ended it
        self.files, self._files_at = files, files_at or (FILES_AT if files else None)
        self.publication = Publication(
            engine.journal, engine.domain, engine.stream_id, engine.house, lambda: answers.identity(engine), files
        )
        self._every = every
        self._is_inline, self._feed, self._drift = is_inline, feed, drift
        self._disk = ThreadPoolExecutor(1, "journal")
        self._reading = ThreadPoolExecutor(1, "record")
        self._publishing = ThreadPoolExecutor(1, "public")
        self._chain = ThreadPoolExecutor(1, "chain")
        self._sending = ThreadPoolExecutor(1, "sending")
        self._acting: asyncio.Task[None] | None = None  # what is due on chain is under way
        self._wallets = ThreadPoolExecutor(1, "wallets")
        self._code_checks = Allowance(CODE_CHECKS_A_SECOND)
        self._checking = 0  # whose code is being asked, or waits for it
        self._queued = asyncio.Event()
        engine.publish = self._publish

    def _publish(self, session: bytes | None, message: Message) -> None:
        if not self.listeners:
            return
        text = text_of(message)
        for listener in [*self.listeners]:
            listener(session, text)

    @property
    def requests_per_second(self) -> float:
        """Of one session's key, that the engine takes."""
        return self.engine.terms.requests_per_second

    def about(self) -> Message:
        """What a client has to know of the stream."""
        return answers.about(self.engine)

    def greeting(self) -> tuple[int, list[Message]]:
        """The last line that is published, and what somebody who comes now must know; the stream first."""
        engine = self.engine
        return engine.published[0], [self.about(), *answers.undecided(engine), *answers.opened(engine)]

    async def ask(self, name: str, body: Any) -> Message:
        """Runs a command, and gives its answer once it is in the journal. Raises Refused, JournalError."""
        if name == "follow":
            return answers.follow(self.engine, body)
        if name == "fairness":
            return messages.fairness(self.publication.figures, self.engine.terms.picture_delay_ms, self._files_at)
        command = COMMANDS[name]
        body = body if isinstance(body, command.form) else parsed(command, body)
        if command.consent is not None:
            await self._check_consent(command.consent, body)
        future, message = command.run(self.engine, body)
        if future is None:
            return message(None)
        self._queued.set()
        # Whoever hangs up stops waiting and no more: the commit sets this future, and others may wait for it.
        return message(await asyncio.shield(asyncio.wrap_future(future)))

    async def _check_consent(self, consent: Callable[[Engine, Any], SignableMessage], body: Any) -> None:
        """Raises Refused unless a command's wallet has signed for it, by its key or, if it is a contract, by its code.

        Whoever makes the engine ask the chain holds up nobody else, and nothing of what the engine itself does there.
        """
        try:
            text = consent(self.engine, body)
        except UnicodeEncodeError:  # half of a pair of UTF-16
            raise Refused(Code.MALFORMED, "text that nobody can sign") from None
        if is_signed_by(body.player, text, body.signature):
            return
        if self._checking >= MOST_CODE_CHECKS or not self._code_checks.take(""):
            raise Refused(Code.TOO_MANY_REQUESTS, "too many signatures of contract wallets at once: try again")
        asked = (self.watch.is_signed_by_code, body.player, text, body.signature)
        self._checking += 1
        try:
            is_signed = await self._on_chain(*asked, thread=self._wallets)
        except ChainError:
            reason = "the chain cannot be asked now whether your wallet signed: try again"
            raise Refused(Code.TOO_MANY_REQUESTS, reason) from None
        finally:
            self._checking -= 1
        if not is_signed:
            raise Refused(Code.SIGNATURE)

    async def question(self, digest: bytes) -> list[Message]:
        """A question with its book and result, as far as there are. Raises Refused."""
        return answers.question(self.engine, digest)

    async def lines(self, first: int, count: int) -> list[Headed]:
        """Lines of the record."""
        return await self._in(self._reading, self.engine.journal.lines, first, min(count, MOST_LINES))

    async def run(self) -> None:
        """Until the journal fails, or it is cancelled. Raises JournalError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._commit())
                tasks.create_task(self._again(TICK_SECONDS, self.tick))
                tasks.create_task(self._again(self._every, self.look))
                tasks.create_task(self._again(BEAT_SECONDS, self._beat))
                tasks.create_task(self._again(FORGET_SECONDS, self._forget))
                tasks.create_task(self._again(PUBLISH_SECONDS, self._make_public))
                if self._drift is not None:
                    tasks.create_task(self._again(60, self._compare))
        except Exception as error:
            self.failure = error
            raise
        finally:
            self.has_stopped.set()
            self._disk.shutdown()
            self._reading.shutdown(wait=False)
            self._publishing.shutdown()  # which reads the journal that is closed next
            self._chain.shutdown(wait=False)
            if self._acting is not None:
                self._acting.cancel()
            self._sending.shutdown(wait=False, cancel_futures=True)
            self._wallets.shutdown(wait=False)

    async def _commit(self) -> None:
        engine = self.engine
        while True:
            await self._queued.wait()
            self._queued.clear()
            while engine.has_queued:
                batch = engine.take()
                try:
                    await self._in(self._disk, engine.journal.commit, [queued.entry for queued in batch])
                except JournalError as error:
                    self._fail(batch, error)
                    raise
                engine.committed(batch)

    def _fail(self, batch: list[Queued], error: JournalError) -> None:
        """Ends the engine, and tells its operator why."""
        log.error("the engine signs nothing more: %s", error)
        self.engine.fail(batch, error)

    async def tick(self) -> None:
        """Locks, quotes and asks what is due now."""
        if not self.engine.is_running:
            return
        self._feed(self.engine)
        self.engine.tick()
        self._queued.set()

    async def look(self) -> None:
        """Looks at the chain, and does there what is due, unless that is under way: then what is seen now is older."""
        engine, is_acting = self.engine, self._acting is not None and not self._acting.done()
        try:
            news = await self._on_chain(self.watch.look)
            engine.learn(news.events, news.head, news.block_at, is_anew=news.is_anew)
            if questions := chain.overdue(engine):
                for digest, outcome in (await self._on_chain(self.watch.decided, engine.panel, questions)).items():
                    engine.decide(digest, outcome)
                self._queued.set()
        except ChainError as error:
            # Bets stop by themselves while the newest block that is known is too old.
            self._warn(error)
            return
        if is_acting:
            return
        if self._acting is not None:
            self._acting.result()
        duties = chain.due(engine)
        self._acting = asyncio.create_task(self._act(duties)) if duties else None
        if self._acting is not None and self._is_inline:
            await self._acting

    async def _act(self, duties: list[chain.Duty]) -> None:
        """Does what is due, up to where an exit is to be answered that was not known before: the next round begins
        with that."""
        known = {duty.text for duty in duties}
        try:
            for duty in duties:
                if any(urgent.text not in known for urgent in chain.challenges(self.engine)):
                    return
                # An owner that was paused, and followed, sends nothing, also where that was while it waited: its next
                # transaction would take the place of one that the new owner has sent by the same account.
                await self._beat()
                await self._on_chain(chain.perform, duty, self.watch.tessera, self.wallet, thread=self._sending)
        except ChainError as error:
            self._warn(error)

    def _warn(self, error: ChainError) -> None:
        if self.engine.has_failed:
            raise error
        log.warning("the chain: %s", error)

    async def _beat(self) -> None:
        """Raises JournalError where the stream is another engine's."""
        try:
            await self._in(self._disk, self.engine.journal.beat)
        except JournalError as error:
            self._fail([], error)
            raise

    async def _forget(self) -> None:
        self.engine.forget()
        self._queued.set()

    async def _make_public(self) -> None:
        try:
            while await self._in(self._publishing, self.publication.step):
                pass
        except (JournalError, OSError) as error:  # bets go on; the next attempt begins from what is in the file
            log.warning("the public record: %s", error)

    async def _compare(self) -> None:
        assert self._drift is not None
        try:
            self.engine.guard.note_drift(await self._in(self._chain, self._drift))
        except Exception as error:  # a time server that is silent for long stops bets by itself
            log.warning("the time server: %s", error)

    async def _again(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await work()
            await asyncio.sleep(seconds)

    async def _on_chain(self, call: Callable, *arguments: Any, thread: ThreadPoolExecutor | None = None) -> Any:
        if self._is_inline:  # the embedded chain is good for one thread
            return call(*arguments)
        return await self._in(thread or self._chain, call, *arguments)

    async def _in(self, thread: ThreadPoolExecutor, call: Callable, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, call, *arguments)
