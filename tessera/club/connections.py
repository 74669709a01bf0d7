"""Connections of one address: so many, none that says nothing, and none that takes nothing of its answer. The rest of
HTTP is uvicorn's."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tessera.club.limits import visitor
from tessera.club.settings import Network, is_among

SILENT_SECONDS = 15.0  # in which a connection has to ask for something
# In which a connection has to take 48 kB of what waits for it: a slow phone takes 400 bytes a second.
STALLED_SECONDS = 120.0
BODY = json.dumps({"code": "too_many_requests", "detail": "Too many connections from your address."})
REFUSAL = (
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 10\r\nConnection: close\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
).encode()


def bounded(most: int, trusted: Sequence[Network]) -> type[H11Protocol]:
    """A protocol for uvicorn that takes at most so many connections of an address; any number of the `trusted`, which
    are proxies: these count their own visitors."""
    count: Counter[str] = Counter()

    class Bounded(H11Protocol):
        who = ""
        silence: asyncio.TimerHandle | None = None
        stall: asyncio.TimerHandle | None = None
        refused = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.who = visitor({"client": self.client})
            count[self.who] += 1
            if count[self.who] > most and not is_among(trusted, self.client[0] if self.client else ""):
                self.refused = True
                transport.write(REFUSAL)
                transport.close()
            else:
                self.silence = self.loop.call_later(SILENT_SECONDS, self.end_silence)

        def data_received(self, data: bytes) -> None:
            if not self.refused:
                super().data_received(data)

        def end_silence(self) -> None:
            """Ends a connection that has asked for nothing yet, or not to the end."""
            if self.cycle is None:
                self.transport.close()

        def pause_writing(self) -> None:
            super().pause_writing()
            # Not closed: that would wait for the rest to be taken.
            self.stall = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self.stall is not None:
                self.stall.cancel()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            for timer in (self.silence, self.stall):
                if timer is not None:
                    timer.cancel()
            count[self.who] -= 1
            if not count[self.who]:
                del count[self.who]

    return Bounded
