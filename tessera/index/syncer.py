"""An index that follows its chain."""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from tessera.chain.blocks import Block
from tessera.chain.errors import ChainError
from tessera.index.index import Index
from tessera.index.snapshot import NoIndexError

log = logging.getLogger("tessera.index")


class Syncer:
    """Keeps an index up to date in a thread of its own: the only one that writes."""

    def __init__(self, index: Index, every: float, *, checks: bool = True):
        """Looks for new blocks every so many seconds; `checks` whether the contracts count what their logs show."""
        self.index = index
        self.every = every
        self._checks, self._explained = checks, False
        self.error: str | None = None
        self.head: Block | None = None  # up to where the index has read
        self.then: Callable[[], None] = lambda: None  # after each sync
        self._stop = Event()
        self._thread = Thread(target=self._run, name="sync", daemon=True)

    def start(self) -> None:
        with suppress(NoIndexError):  # the first look says what is wrong
            self.head = self.index.head()
        self._thread.start()

    def stop(self) -> None:
        """Waits for the piece that is being read."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(_StopSync):
            while not self._stop.is_set():
                self.look()
                self._stop.wait(self.every)

    def look(self) -> None:
        """Reads what is new, and compares it with what the contracts count."""
        try:
            added = self.index.sync(self._go_on)
            self.head = self.index.head()
            self.then()
            if self._checks and (added or not self._explained):
                self._explained = False
                self.index.check(self._go_on)
                self._explained = True
            self.error = None
        except _StopSync:
            raise
        # Whatever a node answers: the next attempt starts from what is stored.
        except Exception as error:
            self.error = str(error) if isinstance(error, ChainError) else f"{type(error).__name__}: {error}"
            log.warning("not synced, trying again in %s s: %s", self.every, self.error)

    def _go_on(self, block: int, newest: int) -> None:
        if self._stop.is_set():
            raise _StopSync


class _StopSync(Exception):
    pass
