"""The journal: who owns it, what it keeps, and what an engine does when it fails."""

import sqlite3

import pytest

from tessera.live.journal import Entry, Headed, Journal, JournalError, NotOwnerError
from tessera.live.refusals import Code, Refused
from tessera.model.sessions.record import Line, LineKind

ENTRY = Entry("note", {"value": "1"})


def numbered(n: int) -> Entry:
    return Entry("bet", {"n": str(n)}, Headed(Line(n, LineKind.BET, 1, bytes([n] * 32), bytes(32)), bytes([n] * 32)))


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "stream.db", "a stream")
    yield journal
    journal.close()


def test_entries_come_back_in_their_order(journal):
    journal.commit([numbered(1), ENTRY])
    journal.commit([numbered(2)])
    assert list(journal.entries()) == [numbered(1), ENTRY, numbered(2)]
    assert journal.lines(1, 10) == [numbered(1).headed, numbered(2).headed]
    assert journal.lines(2, 10) == [numbered(2).headed]
    assert journal.lines(1, 1) == [numbered(1).headed]


def test_a_commit_is_on_the_disk_before_it_returns(journal):
    (mode,) = journal._db.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = journal._db.execute("PRAGMA synchronous").fetchone()
    assert (mode, synchronous) == ("wal", 2)  # FULL: a commit syncs the log


def test_each_opening_is_an_epoch(tmp_path):
    for epoch in (1, 2, 3):
        journal = Journal(tmp_path / "stream.db", "a stream")
        assert journal.epoch == epoch
        journal.close()


def test_one_process_owns_it(journal):
    with pytest.raises(NotOwnerError, match="another engine has"):  # a lock is an open file's, not a process's
        Journal(journal.path, "a stream")
    journal.commit([ENTRY])
    assert journal.epoch == 1


def test_an_owner_whose_epoch_is_over_writes_nothing(journal):
    with sqlite3.connect(journal.path) as db:
        db.execute("UPDATE stream SET epoch = 2")
    with pytest.raises(NotOwnerError, match="has taken"):
        journal.commit([ENTRY])
    assert list(journal.entries()) == []


def test_no_line_has_the_number_of_another(journal):
    journal.commit([numbered(1)])
    with pytest.raises(JournalError, match="cannot be written"):
        journal.commit([ENTRY, numbered(1)])
    with sqlite3.connect(journal.path) as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (1,)


def test_another_stream_s_journal_is_refused(tmp_path):
    Journal(tmp_path / "stream.db", "a stream").close()
    with pytest.raises(JournalError, match="is the journal of a stream, version 1"):
        Journal(tmp_path / "stream.db", "another stream")
    Journal(tmp_path / "stream.db", "a stream").close()


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "stream.db").write_text("no database, but long enough to be looked at as if it were one")
    with pytest.raises(JournalError, match="cannot be used"):
        Journal(tmp_path / "stream.db", "a stream")


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
