"""The journal as an SQLite file, for engines of one machine.

What is committed is on the disk (WAL, synchronous FULL). One process writes: it has the lock file and the newest
epoch. A batch is one transaction, so that many entries share one sync of the disk.
"""

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from tessera.live.journal import (
    IS_PUBLIC,
    PUBLIC_BODY,
    VERSION,
    Entry,
    Headed,
    Journal,
    JournalError,
    NotOwnerError,
    entry_of,
    headed_of,
)

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
LINE = "n, kind, epoch, question, leaf, head"


class SqliteJournal(Journal):
    """A journal in a file."""

    def __init__(self, path: Path | str, identity: str):
        """Opens or makes it. `identity` says which stream of which contract it is.

        Raises JournalError where it is another stream's or damaged, or the folder cannot be written.
        """
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self.path.with_suffix(".lock").open("w")
        except OSError as error:
            raise JournalError(f"{path} cannot be used: {error.strerror}") from None
        self._read = 0  # the last entry that was given
        try:
            self._db = self._opened(identity)
            self._reader = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, JournalError) as error:
            self._lock.close()
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"{path} cannot be used: {error}") from None

    def _opened(self, identity: str) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'stream'").fetchone():
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute("INSERT INTO stream VALUES (?, ?, 0)", (VERSION, identity))
            version, known = db.execute("SELECT version, identity FROM stream").fetchone()
            db.execute("COMMIT")
            if (version, known) != (VERSION, identity):
                raise JournalError(f"{self.path} is the journal of {known}, version {version}")
        except BaseException:
            db.close()
            raise
        return db

    def own(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            ((self.epoch,),) = self._db.execute("UPDATE stream SET epoch = epoch + 1 RETURNING epoch").fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be written: {error}") from None
        return True

    def unread(self) -> Iterator[Entry]:
        rows = self._db.execute("SELECT * FROM entries WHERE id > ? ORDER BY id", (self._read,))
        for number, *row in rows:
            self._read = number
            yield entry_of(row)

    def lines(self, first: int, count: int) -> list[Headed]:
        rows = self._rows(
            f"SELECT {LINE} FROM entries WHERE n >= ? ORDER BY n LIMIT ?",  # noqa: S608
            *(first, count),
        )
        return [headed_of(row) for row in rows]

    def public(self, after: int, skipped: int, count: int) -> list[Entry]:
        rows = self._rows(
            f"SELECT what, {PUBLIC_BODY}, {LINE} FROM entries "  # noqa: S608
            f"WHERE id > coalesce((SELECT id FROM entries WHERE n = ?), 0) AND {IS_PUBLIC} "
            "ORDER BY id LIMIT ? OFFSET ?",
            *(after, count, skipped),
        )
        return [entry_of(row) for row in rows]

    def _rows(self, statement: str, *arguments: int) -> list[tuple]:
        try:
            return self._reader.execute(statement, arguments).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be read: {error}") from None

    def trust(self) -> None:
        self.may_lack_tail = False

    def commit(self, entries: Sequence[Entry]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            (epoch,) = self._db.execute("SELECT epoch FROM stream").fetchone()
            if epoch != self.epoch:
                self._db.execute("ROLLBACK")
                raise NotOwnerError(f"another engine has taken {self.path} over")
            rows = [entry.row for entry in entries]
            self._db.executemany("INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"{self.path} cannot be written: {error}") from None

    def close(self) -> None:
        self._reader.close()
        self._db.close()
        self._lock.close()
