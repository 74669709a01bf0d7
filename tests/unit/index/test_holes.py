"""A node that leaves logs out of old blocks: noticed by what the contracts count, and read again."""

from collections import Counter

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tessera.chain import Outcome
from tessera.index import Index
from tessera.index.api import app_of
from tessera.index.holes import IncompleteError
from tessera.index.index import FILL_SECONDS
from tessera.index.schema import blocks
from tessera.index.syncer import Syncer
from tests.habits import within
from tests.unit.index.conftest import dump


@pytest.fixture
def index(tessera, tmp_path) -> Index:
    return Index(f"sqlite:///{tmp_path}/index.db", tessera.web3, tessera.deployment)


@pytest.fixture
def bets(market, bet, bettor, other_bettor) -> list[int]:
    """The blocks of three bets."""
    return [bet(who, market, Outcome.YES).block for who in (bettor, other_bettor, bettor)]


def test_bets_that_are_left_out_are_said_with_what_to_do_and_read_again(tessera, index, market, bets):
    with within(tessera.web3, leaves_out=bets[:2]):
        index.sync()
        index.check()  # no contract keeps a sum of all bets
        with pytest.raises(IncompleteError) as said:
            index.check(thorough=True)
    assert str(said.value) == (
        f"the node leaves logs out (market {market} has 3 bets, the logs show 1): "
        "ask another node, the index reads again from it by itself"
    )
    index._filled = -FILL_SECONDS
    index.check(thorough=True)
    afresh = Index("sqlite://", tessera.web3, tessera.deployment)
    afresh.sync()
    assert dump(index)[1:] == dump(afresh)[1:]


def test_a_market_that_is_left_out_is_noticed_by_the_total(tessera, index, market):
    created = tessera.web3.eth.block_number
    with within(tessera.web3, leaves_out=[created]):
        index.sync()
        with pytest.raises(IncompleteError, match="1 markets, the logs show 0"):
            index.check()


def test_a_settled_market_is_noticed_where_its_end_is_left_out(tessera, index, market, bet, bettor, settle):
    bet(bettor, market, Outcome.YES)
    settle(market, Outcome.YES)
    with within(tessera.web3, leaves_out=[tessera.web3.eth.block_number]):
        index.sync()
        with pytest.raises(IncompleteError, match=f"market {market} is settled, the logs do not show it"):
            index.check(thorough=True)


def test_a_whole_history_has_no_holes_and_is_not_read_again(tessera, index, bets):
    index.sync()
    with within(tessera.web3) as node:
        index.check(thorough=True)
        assert node.asked["eth_getLogs"] == 0


def test_all_logs_are_asked_for_again_once_in_ten_minutes(tessera, index, bets):
    with within(tessera.web3, leaves_out=bets[:1]) as node:
        index.sync()
        asked = node.asked["eth_getLogs"]
        for _ in range(3):
            with pytest.raises(IncompleteError):
                index.check(thorough=True)
        assert node.asked["eth_getLogs"] == asked + 1


def test_only_what_follows_the_first_hole_is_read_anew(tessera, index, bets):
    """And what is read again replaces nothing before it."""
    with within(tessera.web3, leaves_out=bets[-1:]):
        index.sync()
    done = []
    assert index.fill()
    assert index.head().number == tessera.web3.eth.block_number
    index._filled = -FILL_SECONDS
    assert not index.fill(lambda block, newest: done.append((block, newest)))
    assert done[-1] == (index.head().number, index.head().number)


def test_each_block_keeps_how_many_rows_it_has(tessera, index, bets):
    """By this a block is found of which only a part was read."""
    index.sync()
    with index._database.connected() as db:
        kept = dict(db.execute(select(blocks.c.number, blocks.c.logs).where(blocks.c.logs != 0)).tuples().all())
    assert kept == Counter(row.block for row in tessera.log_reader().read())
    assert set(bets) <= set(kept)


def test_an_empty_index_has_no_holes(tessera, index):
    index.check(thorough=True)
    assert not index.fill()


def test_answers_of_a_block_that_were_others_before_are_sent_again(tessera, index, bets, market):
    """The block's hash is the same, and so was the tag of both."""
    with within(tessera.web3, leaves_out=bets[:1]):
        index.sync()
    client = TestClient(app_of(index))
    before = {path: client.get(path) for path in ("/leaderboard", f"/markets/{market}")}
    index.check(thorough=True)
    for path, answer in before.items():
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 200
        assert again.json() != answer.json()
        assert again.json()["block_hash"] == answer.json()["block_hash"]
    assert client.get(f"/markets/{market}").json()["answer"]["bets"] == 3
    with index.snapshot() as snapshot:
        expected = [(line.account, line.bets) for line in snapshot.leaderboard()]
    leaders = client.get("/leaderboard").json()["answers"]
    assert [(line["account"], line["bets"]) for line in leaders] == expected


def test_what_a_service_says_of_itself_names_the_hole(tessera, index, market):
    syncer = Syncer(index, every=0.01)
    with within(tessera.web3, leaves_out=[tessera.web3.eth.block_number]):
        index.sync()
        for _ in range(2):  # whether anything is new or not
            syncer.look()
            assert "1 markets, the logs show 0" in syncer.error
    index._filled = -FILL_SECONDS
    syncer.look()
    assert syncer.error is None
