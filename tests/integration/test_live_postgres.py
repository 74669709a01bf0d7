"""The live engine's journal in a real PostgreSQL, where Debian's package (postgresql) is installed."""

import psycopg
import pytest

from tessera.live.journal import JournalError
from tessera.live.journal.postgres import PostgresJournal
from tests.journals import *  # noqa: F403 # the suite of every journal
from tests.journals import ENTRY, numbered
from tests.postgres import PROGRAMS, cluster

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL here (Debian: apt-get install postgresql)"),
]


@pytest.fixture(scope="module")
def server():
    with cluster() as running:
        yield running


@pytest.fixture
def database(server) -> str:
    return server.database()


@pytest.fixture
def open_journal(database):
    opened = []

    def open_it(identity: str = "a stream") -> PostgresJournal:
        opened.append(PostgresJournal(database, identity))
        return opened[-1]

    yield open_it
    for journal in opened:
        journal.close()


@pytest.fixture
def raise_epoch(database):
    def raise_it() -> None:
        with psycopg.connect(database, autocommit=True) as db:
            db.execute("UPDATE live_streams SET epoch = epoch + 1")

    return raise_it


def test_streams_of_one_database_are_apart(open_journal):
    first, second = open_journal("first"), open_journal("second")
    assert first.own()
    assert second.own()
    first.commit([numbered(1)])
    second.commit([numbered(1), ENTRY])
    assert list(open_journal("first").unread()) == [numbered(1)]
    assert list(open_journal("second").unread()) == [numbered(1), ENTRY]


def test_a_database_that_syncs_nothing_is_refused():
    with cluster("-c fsync=off") as running, pytest.raises(JournalError, match="fsync is off"):
        PostgresJournal(running.url, "a stream")
