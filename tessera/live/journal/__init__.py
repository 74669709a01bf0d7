"""The journal of one stream: what the engine must never forget.

One `Journal`, two back ends: SQLite for one machine, PostgreSQL for many. Whoever has raised the stream's epoch last
owns it; what an owner of an older epoch writes afterwards is not written.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

import orjson

from tessera.chain.errors import ChainError
from tessera.live.wire import text_of
from tessera.model.sessions.record import Line, LineKind

VERSION = 2
# What of a row everybody may read: a bet's body says whose it is. For SQL of both back ends.
PUBLIC_BODY: LiteralString = "CASE WHEN what = 'bet' THEN '{}' ELSE body END"
IS_PUBLIC: LiteralString = "(n IS NOT NULL OR what IN ('question', 'book', 'ended'))"


class JournalError(ChainError):
    """The journal cannot be used: another engine has it, it is another stream's, or the disk or database fails."""

    code = "journal"


class NotOwnerError(JournalError):
    """Another engine owns the stream."""

    code = "not_owner"


class Headed(NamedTuple):
    """A line of the record, and the head after it."""

    line: Line
    head: bytes


@dataclass(frozen=True)
class Entry:
    """One entry: what it is, its content as JSON, and its line of the stream's record, if it has one."""

    what: str
    body: dict[str, Any]
    headed: Headed | None = None

    @property
    def row(self) -> tuple:
        """The entry as a database keeps it."""
        body = text_of(self.body)
        if self.headed is None:
            return self.what, body, None, None, None, None, None, None
        line, head = self.headed
        return self.what, body, line.n, int(line.kind), line.epoch, line.question, line.leaf, head


def entry_of(row: Sequence[Any]) -> Entry:
    """An entry from its row."""
    what, body, n, *_ = row
    return Entry(what, orjson.loads(body), None if n is None else headed_of(row[2:]))


def headed_of(row: Sequence[Any]) -> Headed:
    """A line and its head from the columns n, kind, epoch, question, leaf, head."""
    n, kind, epoch, question, leaf, head = row
    return Headed(Line(n, LineKind(kind), epoch, question, leaf), head)


class Journal(ABC):
    """A stream's journal. One thread at a time commits; `lines` may be asked by another one."""

    epoch = 0  # this owner's; 0 before `own`
    may_lack_tail = False  # the database is not the one that the last owner wrote to: acknowledged lines may be lost

    @abstractmethod
    def own(self) -> bool:
        """Takes the stream over with a new epoch; False while another engine has it. Raises JournalError."""

    @abstractmethod
    def unread(self) -> Iterator[Entry]:
        """Entries that it has not given yet, oldest first: all at first; an engine that waits keeps up by it."""

    @abstractmethod
    def lines(self, first: int, count: int) -> list[Headed]:
        """Lines of the record from number `first` on; at most `count`. Raises JournalError."""

    @abstractmethod
    def public(self, after: int, skipped: int, count: int) -> list[Entry]:
        """What everybody may read: lines, of bets without their body, questions, books that observers signed, the end.

        At most `count` entries after line number `after` and the next `skipped`. Raises JournalError.
        """

    @abstractmethod
    def commit(self, entries: Sequence[Entry]) -> None:
        """Writes entries in one transaction; on return they survive the machine's power.

        Raises NotOwnerError where another epoch has begun, JournalError where the disk or the database fails: then it
        is not known whether they were written, and nothing of them may be signed.
        """

    def beat(self) -> None:  # noqa: B027 # a file that is locked needs none
        """Says that the owner lives. Raises as `commit` does."""

    @abstractmethod
    def trust(self) -> None:
        """Notes that nothing is lacking: observers have said so."""

    @abstractmethod
    def close(self) -> None:
        """Lets another engine have it."""


def is_database(place: str) -> bool:
    """Whether a journal is in a database, which libpq takes as URL of two names or as `host=... dbname=...`, and not
    in a folder: of a folder each machine would have its own, and the stream two owners."""
    return re.match(r"[^/]*[:=]", place) is not None


def owned(journal: Journal) -> Journal:
    """A journal that this process owns. Raises NotOwnerError where another one does, JournalError."""
    if not journal.own():
        raise NotOwnerError("another engine has this stream: stop it first")
    return journal
