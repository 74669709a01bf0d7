"""What one visitor may take of a stream's door: commands, connections, and lines of the record.

A visitor is an address. What a connection says of a session whose key it has shown counts for that session alone, once
it was opened on chain: a thousand players may come from one carrier's address, and keep what is theirs whatever a
stranger among them takes. An offer that nobody has opened is no session: it costs nothing.
"""

import asyncio
from collections import Counter
from functools import cached_property

from tessera.index.limits import Allowance
from tessera.live.refusals import Code, Refused
from tessera.live.source import Source

COMMANDS_A_SECOND = 500.0  # of an address, over REST and WebSocket together
COMINGS_A_SECOND = 100.0  # new connections of an address, each of which is told all that is open and undecided
WISHES_A_SECOND = 10.0  # of an address: an offer that nobody uses is 4 kB for 20 minutes, and stays in the journal
WISHES = ("offer", "limit")  # of wallets that need no session: each is an entry of the journal
LINES_A_SECOND = 10_000.0  # of the record, to an address
LINES_OF_SESSION = 1_000.0  # beside them, to those who follow a session
READ_SECONDS = 0.1  # after which whoever waits for lines looks again
MOST_CONNECTIONS = 200  # of an address, which follow no session
MOST_OF_SESSION = 8  # connections that are counted for the session that they follow


class Visitors:
    """All visitors of one door."""

    def __init__(self, source: Source, most_connections: int):
        self._source, self.most_connections = source, most_connections
        self.commands, self.comings = Allowance(COMMANDS_A_SECOND), Allowance(COMINGS_A_SECOND)
        self.wishes, self.lines = Allowance(WISHES_A_SECOND), Allowance(LINES_A_SECOND)
        self.lines_of_sessions = Allowance(LINES_OF_SESSION)
        self.connections: Counter[str | bytes] = Counter()  # by address or session

    @cached_property
    def sessions(self) -> Allowance:
        """Twice what the engine takes of a session's key: whoever signs is told by the engine, which counts better."""
        return Allowance(2 * self._source.requests_per_second)


class Visitor:
    """Whoever is at the other end of a connection or request; one without an address is trusted, and counts its own
    visitors."""

    def __init__(self, visitors: Visitors, address: str | None):
        self._all, self._address = visitors, address
        self._counted_as: str | bytes | None = None
        self.followed: set[bytes] = set()  # sessions whose key it has shown, and offers
        self._opened: set[bytes] = set()  # those that are on chain

    def enter(self) -> None:
        """Counts a connection until it leaves. Raises Refused where there are too many."""
        if self._address is None:
            return
        is_full = self._all.connections[self._address] >= self._all.most_connections
        if is_full or not self._all.comings.take(self._address):
            raise Refused(Code.TOO_MANY_CONNECTIONS)
        self._count_as(self._address)

    def leave(self) -> None:
        """The connection is over."""
        self._count_as(None)

    def follow(self, session: bytes, *, is_opened: bool) -> None:
        """The visitor has shown a session's key; what it does counts for the session once that is opened on chain."""
        self.followed.add(session)
        if not is_opened:
            return
        self._opened.add(session)
        if self._counted_as == self._address is not None and self._all.connections[session] < MOST_OF_SESSION:
            self._count_as(session)

    def waits_for(self, session: bytes) -> bool:
        """Whether it follows an offer that was not opened when it last heard of it."""
        return session in self.followed and session not in self._opened

    def _count_as(self, who: str | bytes | None) -> None:
        count = self._all.connections
        if self._counted_as is not None:
            count[self._counted_as] -= 1
            if not count[self._counted_as]:
                del count[self._counted_as]
        self._counted_as = who
        if who is not None:
            count[who] += 1

    def take(self, name: str, session: bytes | None = None) -> None:
        """Counts a command, about a session if it is about one. Raises Refused where there are too many."""
        if self._address is None:
            return
        if session in self._opened:
            is_allowed = self._all.sessions.take(session.hex())
        else:
            is_allowed = self._all.commands.take(self._address)
        if not is_allowed or (name in WISHES and not self._all.wishes.take(self._address)):
            raise Refused(Code.TOO_MANY_REQUESTS)

    def take_lines(self, count: int) -> bool:
        """Whether so many lines of the record may be read now."""
        if self._address is None:
            return True
        who = self._counted_as
        is_sessions = isinstance(who, bytes) and self._all.lines_of_sessions.take(who.hex(), count)
        return is_sessions or self._all.lines.take(self._address, count)

    async def wait_for_lines(self, count: int) -> None:
        """Until so many lines of the record may be read."""
        while not self.take_lines(count):
            await asyncio.sleep(READ_SECONDS)
