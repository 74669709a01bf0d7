"""The event index in a real PostgreSQL: a cluster of its own, where Debian's package (postgresql) is installed."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import create_engine, select, text

from tessera.chain import Outcome
from tessera.chain.prediction_events import EventCreated, Predicted
from tessera.index import Index
from tessera.index.schema import table_of
from tests.embedded_club import (  # noqa: F401
    bet,
    bettor,
    creator,
    deployed,
    market,
    other_bettor,
    settle,
    tessera,
    travel,
    web3,
)
from tests.postgres import PROGRAMS, cluster
from tests.unit.index.conftest import ALL_KINDS, NUMBERS, chance_log, dump, rows_of
from tests.unit.index.node import Node, deployment

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL here (Debian: apt-get install postgresql)"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A cluster that listens on a socket in its own folder; the URL of its first database."""
    with cluster("-c fsync=off") as running:
        yield running.url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def database(server) -> str:
    """A new database."""
    name = f"index_{next(_numbers)}"
    with create_engine(server, isolation_level="AUTOCOMMIT").connect() as db:
        db.execute(text(f"CREATE DATABASE {name}"))
    return server.replace("/postgres?", f"/{name}?")


_numbers = count()


@pytest.fixture
def open_index(database) -> Iterator[Callable[..., Index]]:
    opened = []

    def open_it(node: Node, **options) -> Index:
        opened.append(Index(database, node.web3, deployment(), **options))
        return opened[-1]

    yield open_it
    for index in opened:
        index.engine.dispose()


def mine(node: Node, blocks: int, seed: int = 0) -> None:
    rng = random.Random(f"{seed} {len(node.blocks)}")
    node.mine(*([chance_log(rng) for _ in range(3)] for _ in range(blocks)))


def check(index: Index, node: Node) -> None:
    with index.snapshot() as snapshot:
        assert list(snapshot.rows(*ALL_KINDS)) == rows_of(node)


def test_it_holds_what_sqlite_holds(open_index):
    node, rng = Node(), random.Random(1)
    node.mine(*([chance_log(rng, kind) for _ in range(2)] for kind in ALL_KINDS))
    here, there = open_index(node, blocks_at_once=7), Index("sqlite://", node.web3, deployment())
    assert here.sync() == there.sync() == 2 * len(ALL_KINDS)
    assert dump(here) == dump(there)
    check(here, node)


def test_numbers_are_exact_sorted_and_summed(open_index):
    node = Node()
    node.mine([chance_log(random.Random(n), Predicted, event_id=n) for n in NUMBERS[::-1]])
    index = open_index(node)
    index.sync()
    with index.engine.connect() as db:
        column = table_of(Predicted).c.event_id
        assert db.scalars(select(column).order_by(column)).all() == sorted(NUMBERS)
        assert db.scalar(text("SELECT sum(event_id) FROM predicted")) == sum(NUMBERS)
        kind = text(
            "SELECT data_type, numeric_precision FROM information_schema.columns WHERE column_name = 'event_id'"
        )
        assert set(map(tuple, db.execute(kind))) == {("numeric", 78)}


@pytest.mark.parametrize(("dropped", "mined"), [(1, 2), (4, 1), (20, 3)])
def test_it_follows_a_reorg(open_index, dropped, mined):
    node = Node()
    mine(node, 10)
    index = open_index(node, blocks_at_once=4)
    index.sync()
    node.drop(dropped)
    mine(node, mined, seed=1)
    index.sync()
    check(index, node)


def test_a_snapshot_does_not_see_what_is_written_meanwhile(open_index):
    node = Node()
    mine(node, 4)
    index = open_index(node)
    index.sync()
    with index.snapshot() as snapshot:
        before = rows_of(node)
        node.drop(2)
        mine(node, 5, seed=1)
        open_index(node).sync()
        assert list(snapshot.rows(*ALL_KINDS)) == before
    check(index, node)


def test_two_that_sync_at_once_do_each_piece_once(open_index):
    """Each is told what it added itself."""
    node = Node()
    mine(node, 15)
    indexes = [open_index(node, blocks_at_once=1) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        added = sum(pool.map(Index.sync, indexes))
    assert added == 45
    check(indexes[0], node)


def test_many_that_open_a_new_database_at_once_make_its_tables_once(open_index):
    node = Node()
    mine(node, 3)
    with ThreadPoolExecutor(6) as pool:
        indexes = list(pool.map(open_index, [node] * 6))
    indexes[-1].sync()
    check(indexes[0], node)


def test_texts_in_lists_are_the_same_in_both(open_index):
    """PostgreSQL knows no NUL character; in JSON it could be written down."""
    node = Node()
    node.mine([chance_log(random.Random(1), EventCreated, event_id=1, outcomes=["a\x00b", '\ud7ff "quoted"'])])
    here, there = open_index(node), Index("sqlite://", node.web3, deployment())
    here.sync(), there.sync()
    assert dump(here) == dump(there)
    check(here, node)


def test_every_query_answers_as_in_sqlite(tessera, creator, bettor, other_bettor, market, bet, settle, database):  # noqa: F811
    bet(bettor, market, Outcome.YES)
    bet(other_bettor, market, Outcome.NO)
    settle(market, Outcome.NO)
    tessera.markets.claim(other_bettor, market)
    answers = []
    for url in (database, "sqlite://"):
        index = Index(url, tessera.web3, tessera.deployment)
        index.sync()
        with index.snapshot() as snapshot:
            answers.append(
                (
                    snapshot.markets(),
                    snapshot.price_history(market),
                    snapshot.leaderboard(),
                    [snapshot.portfolio(who.address) for who in (creator, bettor, other_bettor)],
                    snapshot.ledger(bettor.address, offset=1, limit=2),
                    snapshot.events(),
                    snapshot.forfeited(),
                    snapshot.prize_history(),
                )
            )
        index.engine.dispose()
    assert answers[0] == answers[1]
    assert len(answers[0][2]) == 3
