"""The journal of one stream: what the engine must never forget, in SQLite.

What is committed is on the disk (WAL, synchronous FULL). One process writes: it has the lock file and the newest
epoch. A batch is one transaction, so that many entries share one sync of the disk.
"""

import fcntl
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tessera.chain.errors import ChainError
from tessera.model.sessions.record import Line, LineKind

VERSION = 1
SCHEMA = """
CREATE TABLE stream (version INTEGER NOT NULL, identity TEXT NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    what TEXT NOT NULL,
    body TEXT NOT NULL,
    n INTEGER UNIQUE,
    kind INTEGER,
    epoch INTEGER,
    question BLOB,
    leaf BLOB,
    head BLOB
);
"""


class JournalError(ChainError):
    """The journal cannot be used: another engine has it, it is another stream's, or the disk fails."""

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


class Journal:
    """A journal that this process owns until `close`. Not thread-safe: one thread commits."""

    def __init__(self, path: Path | str, identity: str):
        """Opens or makes it and takes it over with a new epoch. `identity` says which stream of which contract it is.

        Raises NotOwnerError where another process has it, JournalError where it is another stream's or damaged.
        """
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise NotOwnerError(f"another engine has {path}: stop it first") from None
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self.epoch = self._take_over(identity)
        except sqlite3.Error as error:
            self._lock.close()
            raise JournalError(f"{path} cannot be used: {error}") from None
        except JournalError:
            self._db.close()
            self._lock.close()
            raise

    def _take_over(self, identity: str) -> int:
        db = self._db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'stream'").fetchone():
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute("INSERT INTO stream VALUES (?, ?, 0)", (VERSION, identity))
        version, known, epoch = db.execute("SELECT version, identity, epoch FROM stream").fetchone()
        if (version, known) != (VERSION, identity):
            db.execute("ROLLBACK")
            raise JournalError(f"{self.path} is the journal of {known}, version {version}")
        db.execute("UPDATE stream SET epoch = ?", (epoch + 1,))
        db.execute("COMMIT")
        return epoch + 1

    def entries(self) -> Iterator[Entry]:
        """All entries, oldest first."""
        rows = self._db.execute("SELECT * FROM entries ORDER BY id")
        for _, what, body, n, kind, epoch, question, leaf, head in rows:
            headed = None if n is None else Headed(Line(n, LineKind(kind), epoch, question, leaf), head)
            yield Entry(what, json.loads(body), headed)

    def lines(self, first: int, count: int) -> list[Headed]:
        """Lines of the record from number `first` on; at most `count`."""
        rows = self._db.execute(
            "SELECT n, kind, epoch, question, leaf, head FROM entries WHERE n >= ? ORDER BY n LIMIT ?", (first, count)
        )
        return [Headed(Line(row[0], LineKind(row[1]), *row[2:5]), row[5]) for row in rows]

    def commit(self, entries: Sequence[Entry]) -> None:
        """Writes entries in one transaction; on return they survive the machine's power.

        Raises NotOwnerError where another epoch has begun, JournalError where the disk fails: then it is not known
        whether they were written, and nothing of them may be signed.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            (epoch,) = self._db.execute("SELECT epoch FROM stream").fetchone()
            if epoch != self.epoch:
                self._db.execute("ROLLBACK")
                raise NotOwnerError(f"another engine has taken {self.path} over")
            self._db.executemany("INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, entries))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be written: {error}") from None

    def close(self) -> None:
        """Lets another engine have it."""
        self._db.close()
        self._lock.close()


def _row(entry: Entry) -> tuple:
    body = json.dumps(entry.body, separators=(",", ":"))
    if entry.headed is None:
        return entry.what, body, None, None, None, None, None, None
    line, head = entry.headed
    return entry.what, body, line.n, int(line.kind), line.epoch, line.question, line.leaf, head
