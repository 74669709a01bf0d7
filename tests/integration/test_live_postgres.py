"""The live engine's journal in a real PostgreSQL, where Debian's package (postgresql) is installed.

Engines fight for a stream, one is paused or killed, the database restarts, an answer or a tail is lost: no receipt is
lost, and no place of the record has two.
"""

import asyncio
import signal
import socket
import time
from contextlib import suppress

import psycopg
import pytest

import tests.live
from tessera.live import chain
from tessera.live.journal import Journal, JournalError, NotOwnerError, owned
from tessera.live.journal.postgres import APPEND, COLUMNS, PostgresJournal, owner_of
from tessera.live.refusals import Code, Refused
from tessera.model.sessions import record
from tessera.model.sessions.record import LineKind
from tessera.model.sessions.typed import Receipt
from tests.journals import *  # noqa: F403 # the suite of every journal
from tests.journals import ENTRY, numbered
from tests.live import DOMAIN, HOUSE, OBSERVERS, STREAM, Stage
from tests.live_processes import FolderChain, Process, Someone, observe
from tests.postgres import PROGRAMS, Cluster, cluster, folder, run
from tests.unit.live.test_recovery import check, killed
from tests.unit.live.test_tail import refuses_all, signed_receipt, tell

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


def taken(journal: Journal) -> Journal:
    """A journal once its owner has been silent for long enough."""
    for _ in range(1_000):
        if journal.own():
            return journal
        time.sleep(0.05)
    raise AssertionError("the owner never fell silent")


@pytest.fixture
def stage(database, tmp_path, monkeypatch):
    """An engine over PostgreSQL."""
    use(monkeypatch, database)
    stage = Stage(tmp_path)
    yield stage
    stage.journal.close()


def use(monkeypatch, url: str) -> None:
    """Stages keep their journal in a database."""
    monkeypatch.setattr(tests.live, "open_journal", lambda path: PostgresJournal(url, "a stream"))
    monkeypatch.setattr(tests.live, "taken", lambda path: taken(tests.live.open_journal(path)))


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


def test_who_owns_a_stream_says_where_it_listens(database):
    journal = owned(PostgresJournal(database, "a stream", "ws://here:1/ws"))
    assert owner_of(database, "a stream") == "ws://here:1/ws"
    journal.close()
    assert owner_of(database, "a stream") is None


def test_of_many_that_want_a_stream_one_gets_it(open_journal):
    rivals = [open_journal() for _ in range(6)]

    async def all_at_once() -> list[bool]:
        return await asyncio.gather(*(asyncio.to_thread(rival.own) for rival in rivals))

    assert sum(asyncio.run(all_at_once())) == 1


def test_an_owner_that_is_paused_in_the_middle_of_an_append_writes_nothing(open_journal):
    """What the server has of a statement whose end was not sent yet is an open transaction that holds the row."""
    old, rival = owned(open_journal()), open_journal()
    old.commit([numbered(1)])
    old._db.autocommit = False
    row = dict(zip(COLUMNS, ([value] for value in numbered(2).row), strict=True))
    old._db.execute(APPEND, row | {"count": 1, "stream": old._stream, "owner": old.epoch})
    assert taken(rival).epoch == 2
    assert list(rival.unread()) == [numbered(1)]
    with pytest.raises(psycopg.Error):
        old._db.commit()  # it comes back
    rival.commit([numbered(2)])
    with pytest.raises(JournalError):
        old.commit([numbered(2)])
    assert list(open_journal().unread()) == [numbered(1), numbered(2)]


def test_an_owner_whose_epoch_is_over_says_no_more_that_it_lives(open_journal, raise_epoch, monkeypatch):
    journal = owned(open_journal())
    journal._closing.set()  # its thread beats no more
    monkeypatch.setattr("tessera.live.journal.postgres.BEAT_SECONDS", 0)
    journal.beat()
    raise_epoch()
    with pytest.raises(NotOwnerError, match="has taken a stream over"):
        journal.beat()


def test_an_owner_that_lives_is_not_followed(open_journal):
    owner, rival = owned(open_journal()), open_journal()
    until = time.monotonic() + 2
    while time.monotonic() < until:
        owner.beat()
        assert not rival.own()
        time.sleep(0.05)


def test_an_owner_whose_connection_has_ended_is_followed_without_waiting_for_its_silence(database, open_journal):
    owner, rival = owned(open_journal()), PostgresJournal(database, "a stream", silent=3_600)
    try:
        owner.commit([numbered(1)])
        assert not rival.own()
        owner._db.close()  # as when its process is killed
        assert taken(rival).epoch == 2
        with pytest.raises(JournalError):
            owner.commit([numbered(2)])
        third = PostgresJournal(database, "a stream", silent=3_600)
        assert not third.own()
        third.close()
    finally:
        rival.close()


def test_who_may_not_see_the_owner_s_connection_waits_for_its_silence(database, open_journal):
    """Another role is told that the connection is there, but not since when."""
    owner = owned(open_journal())
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("CREATE ROLE stranger LOGIN")
        db.execute("GRANT ALL ON SCHEMA public TO stranger")
        db.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO stranger")
    rival = PostgresJournal(database.replace("tessera@", "stranger@"), "a stream")
    try:
        owner.beat()
        assert not rival.own()
    finally:
        rival.close()


@pytest.mark.parametrize("is_written", [True, False])
def test_a_commit_without_an_answer_is_looked_up(stage, is_written):
    player, quoted = stage.opened(), stage.ask()
    state = stage.next_state(player, stage.bet(quoted))
    future = stage.engine.place(*stage.signed(player, state))
    journal = stage.journal
    commit = journal.commit

    def lost(entries) -> None:
        if is_written:
            commit(entries)
        journal._db.close()
        raise JournalError("the answer was lost")

    journal.commit = lost
    with pytest.raises(JournalError):
        stage.engine.flush()
    assert isinstance(future.exception(timeout=0), JournalError)
    with pytest.raises(Refused):  # nothing more is signed
        stage.engine.place(*stage.signed(player, state))
    n = stage.engine.published[0]
    stage.restart()
    assert (stage.engine.session(player.session).state == state) is is_written
    if is_written:
        completed = stage.answer(stage.engine.place(*stage.signed(player, state)))
        assert (completed.receipt.n, completed.receipt.epoch) == (n + 1, 1)  # of the epoch that wrote it
    else:
        completed = stage.answer(stage.engine.place(*stage.signed(player, state)))
        assert (completed.receipt.n, completed.receipt.epoch) == (n + 2, 2)  # after the new epoch's line


def test_a_refused_state_is_not_taken_by_the_next_owner(stage):
    player, quoted = stage.opened(), stage.ask()
    state = stage.next_state(player, stage.bet(quoted))
    stage.learn(head=2)
    stage.engine.guard.note_block(stage.time // 1_000 - 31)
    with pytest.raises(Refused):
        stage.answer(stage.engine.place(*stage.signed(player, state)))
    stage.restart()  # its chain is new: else it would be taken
    with pytest.raises(Refused) as caught:
        stage.answer(stage.engine.place(*stage.signed(player, state)))
    assert caught.value.number is Code.STALE_BASE
    stage.place_bet(player, quoted)


def test_a_warning_about_replication_is_no_commit(stage):
    stage.journal._db.execute(
        "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END$$;"
        "CREATE TRIGGER warns AFTER INSERT ON live_entries EXECUTE FUNCTION warn();"
    )
    with pytest.raises(JournalError, match="synchronous replication"):
        stage.ask()
    assert stage.engine.has_failed


def test_killed_under_load_every_receipt_is_honoured(database, tmp_path, monkeypatch):
    use(monkeypatch, database)
    for number in range(3):
        check(tmp_path, killed(tmp_path, 5, number, 0.1 * number))


def free_ports(count: int) -> list[int]:
    with_ports = [socket.socket() for _ in range(count)]
    for one in with_ports:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in with_ports]
    for one in with_ports:
        one.close()
    return ports


def audit(url: str, receipts: list) -> None:
    """Every receipt is a line of the record, each line is one, and every state is the model's successor."""
    journal = PostgresJournal(url, "a stream")
    try:
        entries = list(journal.unread())
    finally:
        journal.close()
    lines = [entry.headed for entry in entries if entry.headed is not None]
    assert record.heads(DOMAIN, STREAM, [line for line, _ in lines]) == [head for _, head in lines]
    for _, session, state, receipt in receipts:
        line, head = lines[receipt.n - 1]
        leaf = DOMAIN.digest(state, session=session)
        assert (line.kind, line.leaf, line.epoch, head) == (LineKind.BET, leaf, receipt.epoch, receipt.head)
        signed = Receipt(leaf, STREAM, line.n, line.epoch, head)
        assert receipt.signature == HOUSE.sign(DOMAIN.digest(signed))
    assert len([*tests.live.states_of(entries)]) >= len(receipts)


def test_engines_fight_for_a_stream_while_players_bet(tmp_path):
    """One is killed, one is paused and comes back, the database is killed: players go on, by the client alone."""
    with cluster() as running:
        database = running.database()
        ports = free_ports(2)
        first, second = (Process(database, port, tmp_path) for port in ports)
        urls = [first.address, second.address]
        people = [Someone(f"player {i}", urls, FolderChain(tmp_path), tmp_path) for i in range(3)]

        def receipts(since: float = 0) -> list:
            return [one for person in people for one in person.receipts if one[0] > since]

        async def go_on(after: str) -> None:
            """Until everybody has got a receipt from now on."""
            since = time.monotonic()
            async with asyncio.timeout(60):
                while min(sum(one[0] > since for one in person.receipts) for person in people) < 1:
                    for playing in tasks:
                        assert not playing.done(), (after, playing.exception())
                    await asyncio.sleep(0.05)

        async def scene() -> None:
            await until(lambda: first.epochs or second.epochs)
            stop = asyncio.Event()
            observers = [asyncio.create_task(observe(urls, FolderChain(tmp_path), index)) for index in (0, 1)]
            # No more bets than results make room for.
            tasks.extend(asyncio.create_task(person.play(stop, pause=1.5)) for person in people)
            await go_on("the start")
            owner, other = (first, second) if first.epochs else (second, first)
            owner.send(signal.SIGKILL)
            await go_on("a kill")
            assert other.epochs
            waited = owner.log.read_text().count("waits")
            owner.start()
            await until(lambda: owner.log.read_text().count("waits") > waited)
            other.send(signal.SIGSTOP)
            await go_on("a pause")
            other.send(signal.SIGCONT)
            await until(lambda: "was lost" in other.log.read_text())
            await go_on("the end of a pause")
            running.kill()
            await until(lambda: not (running.data / "postmaster.pid").exists())
            running.start()
            await go_on("the database's restart")
            stop.set()
            await asyncio.gather(*tasks)
            for observer in observers:
                observer.cancel()
            await asyncio.gather(*observers, return_exceptions=True)

        async def until(is_so) -> None:
            async with asyncio.timeout(60):
                while not is_so():
                    await asyncio.sleep(0.05)

        tasks: list[asyncio.Task] = []
        try:
            asyncio.run(scene())
            assert [person.is_broken for person in people] == [None] * 3
            epochs = sorted(first.epochs + second.epochs)
            assert len(set(epochs)) == len(epochs) >= 4
            first.send(signal.SIGTERM)
            second.send(signal.SIGTERM)
            assert first.log.read_text().splitlines()[-1] == "stopped"
            audit(database, receipts())
        finally:
            for process in (first, second):
                with suppress(ProcessLookupError):
                    process.send(signal.SIGKILL)


def test_a_promoted_standby_that_lacks_a_line_ends_the_stream(tmp_path, monkeypatch):
    with cluster() as primary, folder() as other:
        use(monkeypatch, primary.url)
        stage = Stage(tmp_path)
        stage.player, stage.quoted = stage.opened(), stage.ask()
        stage.place_bet(stage.player, stage.quoted)
        standby = Cluster(other)
        run("pg_basebackup", "-h", primary.folder, "-U", "tessera", "-D", standby.data, "-R", "-X", "stream")
        standby.start()
        try:
            with psycopg.connect(primary.url, autocommit=True) as db:
                while db.execute("SELECT count(*) FROM pg_stat_replication").fetchone() == (0,):
                    time.sleep(0.1)
            with pytest.raises(JournalError, match="synchronous_standby_names"):
                PostgresJournal(primary.url, "a stream")
            standby.stop("fast")
            lost = stage.place_bet(stage.player, stage.ask())
            n = stage.engine.published[0]
            primary.kill()
            standby.start()
            run("pg_ctl", "-D", standby.data, "-w", "promote")
            use(monkeypatch, standby.url)
            stage.restart()
            assert stage.journal.may_lack_tail
            assert stage.engine.published[0] < n
            stage.player.state = stage.engine.session(stage.player.session).state
            refuses_all(stage, Code.ASKING)
            assert tell(stage, OBSERVERS[0], n) is None
            refuses_all(stage, Code.ASKING)
            stage.answer(stage.engine.lost(*signed_receipt(stage, lost)))  # the player's receipt
            refuses_all(stage, Code.ENDED)
            (duty,) = chain.due(stage.engine)
            assert duty.text.startswith("exit of")
            stage.restart()
            assert not stage.engine.is_running
            assert stage.entries()[-1].what == "ended"
            stage.journal.close()
        finally:
            standby.stop()
            primary.start()


def test_a_promoted_standby_that_has_everything_goes_on(tmp_path, monkeypatch):
    with cluster() as primary, folder() as other:
        use(monkeypatch, primary.url)
        stage = Stage(tmp_path)
        player, quoted = stage.opened(), stage.ask()
        completed = stage.place_bet(player, quoted)
        n = stage.engine.published[0]
        standby = Cluster(other)
        run("pg_basebackup", "-h", primary.folder, "-U", "tessera", "-D", standby.data, "-R", "-X", "stream")
        primary.kill()
        standby.start()
        try:
            run("pg_ctl", "-D", standby.data, "-w", "promote")
            use(monkeypatch, standby.url)
            stage.restart()
            for observer in OBSERVERS[:2]:
                decided = tell(stage, observer, n)
            stage.answer(decided)
            assert stage.answer(stage.engine.place(*stage.signed(player, player.state))) == completed
            assert stage.engine.published[0] == n + 1
            stage.restart()  # it is known now
            assert stage.engine.is_running
            stage.journal.close()
        finally:
            standby.stop()
            primary.start()


def test_not_owner_is_said(open_journal):
    owned(open_journal())
    with pytest.raises(NotOwnerError):
        owned(open_journal())
