"""An observer at work: signs books and reports what its witness saw, until it is stopped or its source is over."""

import asyncio
from collections.abc import Callable

from tessera.live.client import Connection, Observer
from tessera.live.keys import Key
from tessera.live.messages import Message
from tessera.observe.witness import Witness

STEP_SECONDS = 0.2

# What an engine has been sent ("book" or "report"), with what in it, and why it refused it; None: it took it.
Hear = Callable[[str, Message, str | None], None]


async def observe(
    connection: Connection, key: Key, witness: Witness, stopping: asyncio.Event, over: asyncio.Event, hear: Hear
) -> None:
    """Until `stopping` is set, or `over` is and all that the witness has seen is reported."""
    reported: set[bytes] = set()

    def note(what: str, body: Message, refused: str | None) -> None:
        if what == "report":
            reported.add(body["question"])
        hear(what, body, refused)

    def is_awaited() -> bool:
        return any(
            digest not in reported and digest not in connection.results and witness.has_seen(question)
            for digest, question in connection.questions.items()
        )

    observer = Observer(connection, key, witness)
    observer.on_answered.append(note)
    while not stopping.is_set():
        await observer.step()
        if over.is_set() and not is_awaited():
            return
        try:
            await asyncio.wait_for(stopping.wait(), STEP_SECONDS)
        except TimeoutError:
            continue
