"""What a door serves: an engine in this process, or one that a gateway has reached."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from tessera.live.journal import Headed
from tessera.live.messages import Message

MOST_LINES = 1_000  # of the record in one answer
FILES_AT = "/files/"  # where the engine's own door has the public files

Listener = Callable[[bytes | None, str], None]  # whom a message concerns (a session, None: everybody), and its text


class Source(Protocol):
    """One stream, as its door sees it."""

    listeners: set[Listener]
    has_stopped: asyncio.Event
    files: Path | None  # the folder of what is public, where it has one

    @property
    def requests_per_second(self) -> float:
        """Of one session's key, that the engine takes."""
        ...

    async def run(self) -> None:
        """Until it fails or is cancelled."""
        ...

    def about(self) -> Message:
        """What a client has to know of the stream. Raises Refused where nobody can say."""
        ...

    def greeting(self) -> tuple[int, list[Message]]:
        """The last line that is published, and what somebody who comes now must know; the stream first."""
        ...

    async def ask(self, name: str, body: Any) -> Message:
        """The answer of a command, of `follow` or `fairness`. Raises Refused, ChainError."""
        ...

    async def lines(self, first: int, count: int) -> list[Headed]:
        """Lines of the record, at most MOST_LINES. Raises JournalError."""
        ...

    async def question(self, digest: bytes) -> list[Message]:
        """A question with its book and result, as far as there are. Raises Refused."""
        ...
