"""The journal in PostgreSQL, for engines of many machines: a stream is taken over when its owner's connection has
ended, or when its owner falls silent.

The epoch in the stream's row is the ownership. An append is one statement, in which the row's update holds the epoch
and the insert takes its numbers from it: an owner whose epoch is over writes no row, however long it was paused. A
plain `INSERT .. WHERE epoch = ..` would be unsound: it could look before the new epoch's commit, and appear after the
new owner has replayed. No transaction is open across a round trip. Connections are direct: no pooler between.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import Diagnostic

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

SILENT_SECONDS = 1.0  # without a sign of life for so long, an owner may be followed
BEAT_SECONDS = 0.2
BUSY_SECONDS = 5.0  # that an engine may not call, before it counts as hung
PAGE = 5_000  # entries that are read at once
_TABLES = 6_077_513  # the advisory lock under which tables are made

SCHEMA = """
CREATE TABLE IF NOT EXISTS live_streams (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity text NOT NULL UNIQUE,
    version integer NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    entries bigint NOT NULL DEFAULT 0,
    beat timestamptz NOT NULL DEFAULT '-infinity',
    pid integer,
    pid_began timestamptz,
    url text,
    history text
) WITH (fillfactor = 20);
CREATE TABLE IF NOT EXISTS live_entries (
    stream integer NOT NULL,
    id bigint NOT NULL,
    what text NOT NULL,
    body text NOT NULL,
    n bigint,
    kind smallint,
    epoch bigint,
    question bytea,
    leaf bytea,
    head bytea,
    PRIMARY KEY (stream, id),
    UNIQUE (stream, n)
);
"""
# Values go in binary (%b), which takes half of what text takes.
APPEND = """
WITH o AS (
    UPDATE live_streams SET entries = entries + %(count)s, beat = clock_timestamp()
    WHERE id = %(stream)s AND epoch = %(owner)s RETURNING entries - %(count)s AS before
)
INSERT INTO live_entries
SELECT %(stream)s, o.before + e.place, e.what, e.body, e.n, e.kind, e.epoch, e.question, e.leaf, e.head
FROM o, unnest(
    %(what)b::text[], %(body)b::text[], %(n)b::bigint[], %(kind)b::smallint[], %(epoch)b::bigint[],
    %(question)b::bytea[], %(leaf)b::bytea[], %(head)b::bytea[]
) WITH ORDINALITY AS e (what, body, n, kind, epoch, question, leaf, head, place)
"""
PUBLIC: LiteralString = f"""
SELECT what, {PUBLIC_BODY}, n, kind, epoch, question, leaf, head FROM live_entries
WHERE stream = %s AND {IS_PUBLIC}
AND id > coalesce((SELECT id FROM live_entries WHERE stream = %s AND n = %s), 0)
ORDER BY id LIMIT %s OFFSET %s
"""  # noqa: S608
COLUMNS = ("what", "body", "n", "kind", "epoch", "question", "leaf", "head")
# The owner's connection is ended first: a statement of which it sent a part would hold the row.
END_OLD = """
SELECT pg_terminate_backend(a.pid, 2000) FROM live_streams s JOIN pg_stat_activity a
ON a.pid = s.pid AND a.backend_start = s.pid_began
WHERE s.id = %(stream)s AND s.beat < clock_timestamp() - %(silent)s * interval '1 second' AND a.pid <> pg_backend_pid()
"""
# An owner without its connection writes nothing more, and takes the stream anew itself: it need not be waited for. Who
# may not see the connection's beginning takes it for alive.
GONE = """
SELECT epoch FROM live_streams s WHERE id = %s AND NOT EXISTS (
    SELECT FROM pg_stat_activity a WHERE a.pid = s.pid AND coalesce(a.backend_start, s.pid_began) = s.pid_began
)
"""
TAKE_OVER = """
UPDATE live_streams s SET epoch = s.epoch + 1, beat = clock_timestamp(), pid = a.pid, pid_began = a.backend_start,
url = %(url)s, history = coalesce(s.history, %(history)s)
FROM pg_stat_activity a
WHERE a.pid = pg_backend_pid() AND s.id = %(stream)s
AND (s.epoch = %(gone)s OR s.beat < clock_timestamp() - %(silent)s * interval '1 second')
RETURNING s.epoch, s.history
"""
# The system's number and its timeline: another one is a promoted standby, or a backup that was restored.
HISTORY = """
SELECT system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM pg_control_system()
"""


def connected(url: str) -> psycopg.Connection:
    """A connection that commits each statement by itself, and durably. Raises psycopg.Error, and JournalError where
    the URL is none: libpq would quote it, password and all."""
    url = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        form = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        raise JournalError(
            f"the journal's URL cannot be read: {form}, with signs like @ and % as %40 and %25"
        ) from None
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=2,
        tcp_user_timeout=2_000,
        keepalives_idle=2,
        keepalives_interval=1,
        application_name="tessera live",
        options="-c synchronous_commit=on",
    )


class PostgresJournal(Journal):
    """A journal in a database, which many streams may share."""

    def __init__(self, url: str, identity: str, address: str = "", *, silent: float = SILENT_SECONDS):
        """Opens or makes it. `identity` says which stream of which contract it is; `address` where its owner listens.

        Raises JournalError where the database cannot be reached, or does not keep what it acknowledges.
        """
        self.url, self.identity, self.address, self._silent = url, identity, address, silent
        self._read = 0  # the last entry that was given
        self._warning: str | None = None
        self._beaten = self._alive = 0.0  # when the owner's row was written last, and when its engine called last
        self._using = Lock()
        self._closing = Event()
        with _in_words(), ExitStack() as stack:
            self._db = stack.enter_context(closing(connected(url)))
            self._reader = stack.enter_context(closing(connected(url)))
            self._db.add_notice_handler(self._note)
            self._check()
            self._stream = self._made()
            self._connections = stack.pop_all()

    def _check(self) -> None:
        """Raises JournalError unless what is committed is on the disk, and on a standby where there is one."""
        if self._value("SHOW fsync") != "on":
            raise JournalError("fsync is off in this PostgreSQL: it would lose bets that were acknowledged")
        standbys = self._value(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name IS DISTINCT FROM 'pg_basebackup'"
        )
        if standbys and not self._value("SHOW synchronous_standby_names"):
            raise JournalError(
                "this PostgreSQL has a standby that may lag behind: name it in synchronous_standby_names, or its "
                "promotion ends the stream"
            )

    def _made(self) -> int:
        """The number of this stream's row."""
        with self._db.transaction():
            self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_TABLES,))
            self._db.execute(SCHEMA)
            self._db.execute(
                "INSERT INTO live_streams (identity, version) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (self.identity, VERSION),
            )
        stream, version = self._row("SELECT id, version FROM live_streams WHERE identity = %s", self.identity)
        if version != VERSION:
            raise JournalError(f"the journal of {self.identity} is of version {version}")
        return stream

    def own(self) -> bool:
        gone, history = self._rows(GONE, self._stream), self._value(HISTORY)
        about = {
            "stream": self._stream,
            "silent": self._silent,
            "gone": gone[0][0] if gone else None,
            "url": self.address,
            "history": history,
        }
        with _in_words():
            self._db.execute(END_OLD, about)
        row = self._surely(lambda db: db.execute(TAKE_OVER, about).fetchone())
        if row is None:
            return False
        self.epoch, known = row
        self._alive = time.monotonic()
        Thread(target=self._keep_beating, name="beat", daemon=True).start()
        self.may_lack_tail = known != history
        return True

    def unread(self) -> Iterator[Entry]:
        while True:
            rows = self._rows(
                "SELECT id, what, body, n, kind, epoch, question, leaf, head FROM live_entries "
                "WHERE stream = %s AND id > %s ORDER BY id LIMIT %s",
                *(self._stream, self._read, PAGE),
            )
            for number, *row in rows:
                self._read = number
                yield entry_of(row)
            if len(rows) < PAGE:
                return
            if self.epoch:
                self.beat()

    def lines(self, first: int, count: int) -> list[Headed]:
        rows = self._rows(
            "SELECT n, kind, epoch, question, leaf, head FROM live_entries "
            "WHERE stream = %s AND n >= %s ORDER BY n LIMIT %s",
            *(self._stream, first, count),
        )
        return [headed_of(row) for row in rows]

    def public(self, after: int, skipped: int, count: int) -> list[Entry]:
        rows = self._rows(PUBLIC, *(self._stream, self._stream, after, count, skipped))
        return [entry_of(row) for row in rows]

    def commit(self, entries: Sequence[Entry]) -> None:
        columns = zip(*(entry.row for entry in entries), strict=True)
        arguments = {name: list(column) for name, column in zip(COLUMNS, columns, strict=True)}
        owner = {"count": len(entries), "stream": self._stream, "owner": self.epoch}
        written = self._surely(lambda db: db.execute(APPEND, arguments | owner, prepare=True).rowcount)
        if written != len(entries):
            raise NotOwnerError(f"another engine has taken {self.identity} over")

    def beat(self) -> None:
        self._alive = time.monotonic()
        self._beat()

    def _keep_beating(self) -> None:
        """Beats for an engine that is busy for a moment; not for one that hangs, or that lost the stream."""
        while not self._closing.wait(BEAT_SECONDS):
            if time.monotonic() - self._alive < BUSY_SECONDS:
                try:
                    self._beat()
                except JournalError:
                    return  # the engine notices it by itself

    def _beat(self) -> None:
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        statement = "UPDATE live_streams SET beat = clock_timestamp() WHERE id = %s AND epoch = %s"
        arguments = (self._stream, self.epoch)
        if not self._surely(lambda db: db.execute(statement, arguments).rowcount):
            raise NotOwnerError(f"another engine has taken {self.identity} over")

    def trust(self) -> None:
        history = self._value(HISTORY)
        statement = "UPDATE live_streams SET history = %s, beat = clock_timestamp() WHERE id = %s AND epoch = %s"
        self._surely(lambda db: db.execute(statement, (history, self._stream, self.epoch)))
        self.may_lack_tail = False

    def close(self) -> None:
        self._closing.set()
        with self._using, self._connections, suppress(psycopg.Error):
            if self.epoch:
                self._db.execute(
                    "UPDATE live_streams SET beat = '-infinity' WHERE id = %s AND epoch = %s",
                    (self._stream, self.epoch),
                )

    def _surely(self, run: Callable[[psycopg.Connection], Any]) -> Any:
        """What the owner's connection says. An error, or a warning, leaves open whether it was written."""
        with self._using, _in_words():
            self._warning = None
            answer = run(self._db)
            if self._warning is not None:
                raise JournalError(f"the journal's database: {self._warning}")
            self._beaten = time.monotonic()
        return answer

    def _note(self, notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":  # such as a commit that waited for its standby in vain
            self._warning = notice.message_primary

    def _value(self, statement: LiteralString) -> Any:
        return self._row(statement)[0]

    def _row(self, statement: LiteralString, *arguments: Any) -> tuple:
        rows = self._rows(statement, *arguments)
        if not rows:
            raise JournalError(f"the journal's database has lost {self.identity}")
        return rows[0]

    def _rows(self, statement: LiteralString, *arguments: Any) -> list[tuple]:
        with _in_words():
            return self._reader.execute(statement, arguments or None).fetchall()


def owner_of(url: str, identity: str) -> str | None:
    """Where the engine listens that owns a stream; None where nobody does. Raises JournalError."""
    with _in_words(), connected(url) as db:
        row = db.execute(
            "SELECT url FROM live_streams WHERE identity = %s AND beat > '-infinity'", (identity,)
        ).fetchone()
    return row[0] if row else None


def identity_of(url: str, stream_id: int) -> str:
    """The identity of the stream of a number. Raises JournalError where the database has none, or several."""
    with _in_words(), connected(url) as db:
        rows = db.execute(
            "SELECT identity FROM live_streams WHERE identity LIKE %s ORDER BY id", (f"stream {stream_id} of %",)
        ).fetchall()
    if len(rows) != 1:
        raise JournalError(f"the database has {len(rows)} streams of number {stream_id}")
    return rows[0][0]


@contextmanager
def _in_words() -> Iterator[None]:
    """Turns the database's errors into JournalError."""
    try:
        yield
    except psycopg.Error as error:
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise JournalError(f"the journal's database: {text}") from None
