"""The SQLite journal: what is its own. What every journal must do is in tests/journals.py."""

import sqlite3

import pytest

from tessera.live.journal import JournalError, NotOwnerError, is_database, owned
from tessera.live.journal.sqlite import SqliteJournal
from tessera.live.refusals import Code, Refused
from tests.journals import *  # noqa: F403 # the suite of every journal


@pytest.fixture
def open_journal(tmp_path):
    opened = []

    def open_it(identity: str = "a stream") -> SqliteJournal:
        opened.append(SqliteJournal(tmp_path / "stream.db", identity))
        return opened[-1]

    yield open_it
    for journal in opened:
        journal.close()


@pytest.fixture
def raise_epoch(tmp_path):
    def raise_it() -> None:
        with sqlite3.connect(tmp_path / "stream.db") as db:
            db.execute("UPDATE stream SET epoch = epoch + 1")

    return raise_it


def test_a_commit_is_on_the_disk_before_it_returns(journal):
    (mode,) = journal._db.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = journal._db.execute("PRAGMA synchronous").fetchone()
    assert (mode, synchronous) == ("wal", 2)  # FULL: a commit syncs the log


def test_another_stream_s_journal_is_refused(open_journal):
    open_journal()
    with pytest.raises(JournalError, match="is the journal of a stream, version 2"):
        open_journal("another stream")


def test_what_is_no_database_is_refused(tmp_path, open_journal):
    (tmp_path / "stream.db").write_text("no database, but long enough to be looked at as if it were one")
    with pytest.raises(JournalError, match="cannot be used"):
        open_journal()


def test_a_folder_that_is_none_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"file/stream.db cannot be used: (Not a directory|File exists)"):
        SqliteJournal(tmp_path / "file" / "stream.db", "a stream")


@pytest.mark.parametrize("url", ["postgres:/live:secret@db/live", "postgresql://live:secret%zz@db/live", "live:secret"])
def test_a_url_that_cannot_be_read_is_not_quoted(url):
    """libpq quotes what it cannot read, and the operator's log had the password."""
    postgres = pytest.importorskip("tessera.live.journal.postgres")
    for use in (postgres.PostgresJournal, postgres.owner_of):
        with pytest.raises(JournalError, match="the journal's URL cannot be read: postgresql://USER") as caught:
            use(url, "a stream")
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "is_so"),
    [
        ("postgresql://live:secret@db/live", True),
        ("postgres://live:secret@db/live", True),  # libpq's other name: two machines had a file each, and both bet
        ("postgresql+psycopg://db/live", True),
        ("postgres:/live:secret@db/live", True),  # which is said to be unreadable
        ("host=db dbname=live", True),
        ("/var/lib/live", False),
        ("live", False),
        ("./postgresql/a:b", False),
    ],
)
def test_what_is_no_folder_is_a_database(place, is_so):
    assert is_database(place) is is_so


def test_a_second_engine_is_told_to_wait(journal, open_journal):
    with pytest.raises(NotOwnerError, match="another engine has"):  # a lock is an open file's, not a process's
        owned(open_journal())


def test_a_line_that_was_bent_stops_the_engine(stage):
    stage.opened()
    stage.journal.close()
    with sqlite3.connect(stage.path) as db:
        db.execute("UPDATE entries SET leaf = zeroblob(32) WHERE n = 2")
    with pytest.raises(JournalError, match="line 2 of the journal does not follow"):
        stage.start()


def test_an_engine_that_lost_its_journal_signs_nothing(stage):
    player, quoted = stage.opened(), stage.ask()
    with sqlite3.connect(stage.path) as db:
        db.execute("UPDATE stream SET epoch = 9")
    stage.published.clear()
    future = stage.engine.place(*stage.signed(player, stage.next_state(player, stage.bet(quoted))))
    with pytest.raises(NotOwnerError):
        stage.engine.flush()
    assert isinstance(future.exception(timeout=0), NotOwnerError)
    assert stage.published == []
    for command in (stage.engine.tick, lambda: stage.engine.close(*stage.agreement(player))):
        with pytest.raises(Refused) as caught:
            command()
        assert caught.value.number is Code.STOPPED
