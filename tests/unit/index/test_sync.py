"""What is in the index is what is on the chain: after reorgs, deaths, refusals, and in any order of them."""

import os
import random
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.dialects import sqlite

from tessera.chain.errors import ChainError, NodeError, NodeRefusedError, OtherBlocksError
from tessera.chain.lmsr_markets import OutcomeDisputed
from tessera.chain.prediction_events import Predicted
from tessera.index import Index
from tessera.index.schema import Uint
from tests.habits import within
from tests.unit.index.conftest import ALL_KINDS, chance_log, dump, open_copy, rows_of
from tests.unit.index.node import Node, deployment


def mine(node: Node, blocks: int, logs: int = 2, seed: int = 0) -> None:
    """Blocks of so many events by chance."""
    rng = random.Random(f"{seed} {len(node.blocks)}")
    node.mine(*([chance_log(rng) for _ in range(logs)] for _ in range(blocks)))


def rows_in(index: Index) -> list:
    with index.snapshot() as snapshot:
        return list(snapshot.rows(*ALL_KINDS))


def check(index: Index, node: Node) -> None:
    assert rows_in(index) == rows_of(node)
    assert index.head().hash == node.blocks[-1].hash


def test_every_event_comes_back_as_it_was_logged(node, open_index):
    rng = random.Random(1)
    node.mine(*([chance_log(rng, kind) for _ in range(3)] for kind in ALL_KINDS))
    index = open_index(node)
    assert index.sync() == 3 * len(ALL_KINDS)
    assert {type(row) for row in rows_in(index)} == set(ALL_KINDS)
    check(index, node)


@pytest.mark.parametrize("tells_times", [True, False])
def test_a_row_has_the_time_of_its_block(node, open_index, tells_times):
    node.tells_times = tells_times
    mine(node, 3)
    index = open_index(node)
    index.sync()
    with index.snapshot() as snapshot:
        assert {row.block: snapshot.time(row.block) for row in snapshot.rows(*ALL_KINDS)} == {
            number: node.blocks[number].timestamp for number in (1, 2, 3)
        }


@pytest.mark.parametrize(("tells_times", "asked"), [(True, 23), (False, 62)])
def test_blocks_are_asked_for_only_where_logs_do_not_tell_their_time(node, open_index, tells_times, asked):
    """Where they do: the last block of the piece before and after, and after the last with a log."""
    mine(node, 40)
    node.mine([])
    node.tells_times = tells_times
    index = open_index(node)
    node.asked.clear()
    assert index.sync() == 80
    # And once more: whether that block is still on the chain.
    assert node.asked.count("eth_getBlockByNumber") - 1 == asked
    check(index, node)


@pytest.mark.parametrize("tells_times", [True, False])
def test_logs_of_a_fork_between_two_looks_at_the_chain_are_not_stored(node, open_index, tells_times):
    """The machine that is asked for logs is on another fork than the one that is asked for blocks."""
    mine(node, 6)
    node.tells_times = tells_times
    index, here = open_index(node), list(node.blocks)
    node.drop(4)
    mine(node, 3, seed=1)
    node.mine([])
    there = list(node.blocks)
    asked = 0

    def other_fork(method):
        nonlocal asked
        node.blocks = here
        if method == "eth_getLogs":
            asked += 1
            node.blocks = there if asked == 1 else here

    node.before = other_fork
    assert index.sync() == 12
    assert asked == 2
    node.before = lambda method: None
    check(index, node)


def test_texts_that_databases_refuse_are_kept_readable(node, open_index):
    node.mine([chance_log(random.Random(1), OutcomeDisputed, reason=b"nul \x00 and \xff")])
    index = open_index(node)
    index.sync()
    assert [row.reason for row in rows_in(index)] == ["nul \ufffd and \ufffd"]


def test_nothing_is_read_twice(node, open_index):
    mine(node, 5)
    index = open_index(node)
    assert index.sync() == 10
    assert index.sync() == 0
    node.asked.clear()
    assert index.sync() == 0
    assert "eth_getLogs" not in node.asked
    mine(node, 1)
    assert index.sync() == 2
    check(index, node)


def test_a_chain_without_the_contracts_yet_is_no_trouble(open_index):
    node = Node()
    index = Index("sqlite://", node.web3, deployment(first_block=3))
    assert index.sync() == 0
    assert index.head() is None
    with pytest.raises(ChainError, match="the index is empty"), index.snapshot():
        pass


def test_only_what_the_deployment_has_is_read(node):
    mine(node, 4)
    whole = deployment()
    some = replace(whole, contracts={name: whole.contracts[name] for name in ("Escrow", "PrizePool")})
    index = Index("sqlite://", node.web3, some)
    index.sync()
    addresses = set(some.addresses.values())
    assert rows_in(index) == [row for row in rows_of(node) if row.contract in addresses]
    assert {*some.addresses} == {*index.contracts}


@pytest.mark.parametrize("size", [1, 3, 7, 2_000])
def test_pieces_of_any_size_give_the_same_index(node, open_index, size):
    mine(node, 11)
    progress = []
    index = open_index(node, blocks_at_once=size)
    index.sync(lambda done, newest: progress.append((done, newest)))
    assert progress == [(min(done + size - 1, 11), 11) for done in range(1, 12, size)]
    check(index, node)


def test_pieces_are_halved_until_the_node_takes_them(node, open_index):
    mine(node, 40)
    node.most_blocks = 5
    index = open_index(node, blocks_at_once=32)
    progress = []
    index.sync(lambda done, newest: progress.append(done))
    # 24 (what is near the newest is a piece of its own), 12 and 6 are refused, 3 is taken.
    assert progress[0] == 3
    assert progress[-1] == 40
    assert {after - before for before, after in pairwise(progress)} <= {1, 2, 3, 4}
    node.most_blocks = 100
    check(index, node)


def test_a_node_that_refuses_one_block_is_an_error(node, open_index):
    mine(node, 3)
    node.most_blocks = 0
    index = open_index(node)
    with pytest.raises(NodeRefusedError, match="range too large"):
        index.sync()
    assert index.head() is None


def test_a_node_that_is_gone_is_asked_once(node, open_index):
    mine(node, 3)
    index = open_index(node)

    def gone(method):
        if method == "eth_getLogs":
            raise requests.ConnectionError("connection refused")

    node.before, node.asked = gone, []
    with pytest.raises(NodeError, match="connection refused"):
        index.sync()
    assert node.asked.count("eth_getLogs") == 1


@pytest.mark.parametrize(("dropped", "mined"), [(1, 1), (1, 3), (4, 4), (4, 1), (2, 0), (9, 12), (20, 3)])
def test_a_reorg_is_followed(node, open_index, dropped, mined):
    """To a longer chain, an equal one, a shorter one, and to one that shares nothing."""
    mine(node, 10)
    index = open_index(node, blocks_at_once=4)
    index.sync()
    node.drop(dropped)
    mine(node, mined, seed=1)
    index.sync()
    check(index, node)


def test_a_reorg_of_blocks_that_logged_nothing_is_seen(node, open_index):
    """What was empty is not on the new chain."""
    mine(node, 2)
    node.mine(*[[]] * 5)
    index = open_index(node)
    index.sync()
    node.drop(4)
    mine(node, 4)
    assert index.sync() == 8
    check(index, node)


def test_only_what_was_taken_back_is_read_again(node, open_index):
    mine(node, 50)
    index = open_index(node, blocks_at_once=10)
    index.sync()
    node.drop(2)
    mine(node, 2, seed=1)
    assert index.sync() == 4


@pytest.mark.parametrize("moment", range(1, 14))
def test_a_reorg_during_a_sync_leaves_no_trace(node, open_index, moment):
    """Whichever answer it falls between, of a sync of three pieces."""
    mine(node, 3)
    index = open_index(node, blocks_at_once=3)
    index.sync()
    mine(node, 6)
    node.asked.clear()

    def fork(method):
        if len(node.asked) == moment:
            node.drop(8)
            mine(node, 7, seed=moment)

    node.before = fork
    index.sync()
    assert len(node.asked) >= moment
    index.sync()
    check(index, node)


def test_logs_of_another_chain_are_not_taken(node, open_index):
    """A node among several answers once from its own chain; both ends are on the first chain before and after."""
    mine(node, 3)
    index, ours = open_index(node), list(node.blocks)

    def stray(method):
        if node.asked.count("eth_getLogs") == 1:
            node.blocks = list(ours)
            if method == "eth_getLogs":
                node.drop(2)
                mine(node, 2, seed=1)

    node.before, node.asked = stray, []
    index.sync()
    node.blocks = ours
    check(index, node)


def test_a_chain_that_never_stands_still_is_an_error(node, open_index):
    mine(node, 5)
    index = open_index(node)

    def churn(method):
        if method == "eth_getLogs":
            node.drop(1)
            mine(node, 1, seed=len(node.asked))

    node.before = churn
    with pytest.raises(ChainError, match="changed 20 times"):
        index.sync()
    node.before = lambda method: None
    index.sync()
    check(index, node)


@pytest.mark.parametrize("statement", [1, 2, 5, 9, 14, 20, 27])
def test_a_death_in_the_middle_loses_and_doubles_nothing(node, open_index, tmp_path, statement):
    """The process is gone before its n-th statement, whatever that is."""
    mine(node, 12)
    child = os.fork()
    if child == 0:
        index, count = open_index(node, blocks_at_once=3), 0

        def die(*_):
            nonlocal count
            count += 1
            if count == statement:
                os._exit(9)

        event.listen(index.engine, "before_cursor_execute", die)
        index.sync()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    index = open_index(node)
    before = 0 if index.head() is None else index.head().number
    assert before % 3 == 0
    assert index.sync() == 2 * (12 - before)
    check(index, node)


def test_two_at_once_do_each_piece_once(node, open_index):
    """One is overtaken between reading and writing: it sees that and goes on from there."""
    mine(node, 6)
    slow, fast = open_index(node, blocks_at_once=3), open_index(node)
    node.asked.clear()

    def overtake(method):
        if method == "eth_getLogs":
            node.before = lambda method: None
            assert fast.sync() == 12

    node.before = overtake
    assert slow.sync() == 0
    check(slow, node)


def test_marks_of_empty_blocks_do_not_pile_up(node, open_index):
    index = open_index(node, blocks_at_once=50)
    node.mine(*[[]] * 300)
    index.sync()
    node.mine(*[[]] * 300)
    index.sync()
    with index.engine.connect() as db:
        found = [number for (number,) in db.exec_driver_sql("SELECT number FROM blocks ORDER BY number")]
    assert found == [350, 400, 450, 500, 550, 584, 600]


def test_an_index_of_something_else_is_refused(node, open_index, tmp_path):
    open_index(node)
    other = deployment(first_block=2)
    with pytest.raises(ChainError, match="another deployment"):
        Index(f"sqlite:///{tmp_path}/index.db", node.web3, other)
    with pytest.raises(ChainError, match="the node is on chain 31337"):
        Index(f"sqlite:///{tmp_path}/new.db", node.web3, deployment(chain_id=1))


def test_a_snapshot_does_not_see_what_is_written_meanwhile(node, open_index):
    mine(node, 4)
    index = open_index(node)
    index.sync()
    with index.snapshot() as snapshot:
        before = rows_of(node)
        node.drop(2)
        mine(node, 5, seed=1)
        open_index(node).sync()
        assert snapshot.head.number == 4
        assert list(snapshot.rows(*ALL_KINDS)) == before
    check(index, node)


def test_numbers_are_compared_as_numbers(node, open_index):
    numbers = [0, 1, 9, 10, 2**63 - 1, 2**63, 2**63 + 1, 10**30, 2**256 - 1]
    node.mine([chance_log(random.Random(n), Predicted, event_id=n, outcome=0) for n in numbers[::-1]])
    index = open_index(node)
    index.sync()
    with index.snapshot() as snapshot:
        for n in numbers:
            assert [row.event_id for row in snapshot.rows(Predicted, event_id=n)] == [n]
    with index.engine.connect() as db:
        found = db.exec_driver_sql("SELECT event_id FROM predicted ORDER BY event_id").scalars().all()
    assert [int.from_bytes(n) if isinstance(n, bytes) else n for n in found] == numbers


@pytest.mark.parametrize("number", [-(2**63), 2**256])
def test_what_is_no_amount_is_not_written(number):
    with pytest.raises(ValueError, match="is no uint256, nor a small amount below 0"):
        Uint().process_bind_param(number, sqlite.dialect())


STEPS = st.one_of(
    st.tuples(st.just("mine"), st.integers(1, 4), st.integers(0, 2)),
    st.tuples(st.just("reorg"), st.integers(1, 6), st.integers(0, 5)),
    st.tuples(st.just("sync"), st.integers(1, 4), st.none()),
    st.tuples(st.just("sync, reorg meanwhile"), st.integers(1, 4), st.integers(1, 12)),
    st.tuples(st.just("sync, killed"), st.integers(1, 4), st.integers(1, 12)),
)


class KilledError(Exception):
    """The sync dies here."""


@settings(max_examples=15)
@given(steps=st.lists(STEPS, max_size=12), tells_times=st.booleans())
def test_any_history_gives_the_index_built_afresh(empty, steps, tells_times):
    with TemporaryDirectory() as folder:
        _live_through(
            steps, tells_times, *(partial(open_copy, empty, Path(folder) / name) for name in ("lived.db", "afresh.db"))
        )


def _live_through(steps, tells_times, open_lived, open_afresh):
    node = Node()
    node.tells_times = tells_times
    index = open_lived(node)
    for step, first, second in steps:
        if step == "mine":
            mine(node, first, second)
            continue
        if step == "reorg":
            node.drop(first)
            mine(node, second)
            continue
        index.blocks_at_once = first
        node.asked.clear()

        def trouble(method, step=step, moment=second):
            if len(node.asked) == moment and step == "sync, killed":
                raise KilledError
            if len(node.asked) == moment:
                node.drop(3)
                mine(node, 2)

        node.before = trouble
        try:
            index.sync()
        except KilledError:
            pass
        finally:
            node.before = lambda method: None
    index.sync()
    afresh = open_afresh(node)
    afresh.sync()
    assert dump(index) == dump(afresh)
    if len(node.blocks) > 1:
        check(index, node)


def test_logs_that_a_machine_leaves_out_are_asked_for_by_their_blocks_hash(node, open_index):
    """One that is behind answers an empty list; they stayed out until somebody deleted the index."""
    node.tells_blooms = True
    mine(node, 30)
    index = open_index(node)
    index.sync()
    mine(node, 4, seed=2)
    node.leaves_out = {31, 33}
    index.sync()
    node.leaves_out = set()
    check(index, node)


def test_no_log_is_asked_for_twice_where_headers_say_that_there_is_none(node, open_index):
    node.tells_blooms = True
    node.mine(*[[]] * 10)
    index = open_index(node)
    node.asked.clear()
    index.sync()
    assert node.asked.count("eth_getLogs") == 1


def test_a_chain_whose_contracts_count_other_blocks_is_not_read(node, tmp_path):
    """The log of a forfeiture has the node's block, an event's stop block is the contract's: as on Arbitrum."""
    web3 = node.web3
    index = Index(f"sqlite:///{tmp_path}/other.db", web3, deployment())
    with within(web3, ahead=300_000_000), pytest.raises(OtherBlocksError):
        index.sync()
    assert index.head() is None


def test_friends_markets_are_read_where_contracts_count_other_blocks(node, tmp_path):
    web3, record = node.web3, deployment(first_block=300_000_001)
    del record.contracts["PredictionEvents"]
    index = Index(f"sqlite:///{tmp_path}/friends.db", web3, record)
    node.mine([])
    with within(web3, ahead=300_000_000):
        index.sync()
    assert index.head().number == 300_000_001
