"""What pages hear of: new blocks, whether anything happened in them, and names."""

import asyncio
import json

import pytest

from tessera.chain import Outcome
from tessera.chain.blocks import Block
from tessera.club.news import MOST_WAITING, NAMES, News, Step, Watch
from tessera.club.refusals import RefusedError
from tessera.club.settings import Limits


def step(number: int, *, quiet: bool = False) -> Step:
    blocks = [Block(block, f"0x{block:064x}", 1_000 + block) for block in (number, number - 1)]
    return Step(*blocks, quiet)


def data_of(message: str) -> dict:
    return json.loads(message.partition("data: ")[2])


@pytest.fixture
def watch(world) -> Watch:
    """What has looked once."""
    world.node.index.sync()
    watch = Watch(world.node.index, world.node.store)
    first = watch.step()
    assert (first.after, first.quiet) == (None, False)  # nothing is known of before
    assert not watch.names_changed()
    return watch


def test_a_block_is_quiet_where_nothing_was_logged(world, watch, market, bet, bettor, travel):
    world.node.index.sync()
    created = watch.step()
    assert not created.quiet
    assert watch.step() is None
    travel(5)
    world.node.index.sync()
    empty = watch.step()
    assert (empty.after, empty.quiet) == (created.block, True)
    bet(bettor, market, Outcome.YES)
    world.node.index.sync()
    after = watch.step()
    assert (after.after, after.quiet) == (empty.block, False)


def test_a_newcomer_is_no_quiet_block(world, watch):
    phone = world.phone()
    phone.join(world.codes()[0])
    world.send_all()
    assert not watch.step().quiet
    world.enter(phone)
    assert not watch.step().quiet


def test_what_the_chain_took_back_is_no_quiet_block(world, watch, market, bet, bettor, web3, travel):
    world.node.index.sync()
    watch.step()
    snapshot = web3.provider.ethereum_tester.take_snapshot()
    bet(bettor, market, Outcome.YES)
    world.node.index.sync()
    watch.step()
    web3.provider.ethereum_tester.revert_to_snapshot(snapshot)
    for _ in range(4):  # a longer chain, in which nobody bets
        travel(7)
    world.node.index.sync()
    taken_back = watch.step()
    assert not taken_back.quiet
    travel(7)
    world.node.index.sync()
    assert watch.step().quiet


def test_names_are_news_whichever_node_was_told(world, watch):
    phone, other = world.member(), world.started()
    assert not watch.names_changed()
    assert world.name(phone, "Ada", issued_at=5).status_code == 200
    elsewhere = Watch(other.index, other.store)
    elsewhere.names_changed()
    assert watch.names_changed()
    assert not watch.names_changed()
    assert world.name(phone, "Ava", issued_at=6).status_code == 200
    assert watch.names_changed()
    assert elsewhere.names_changed()
    world.node.store.revoke(world.node.store.members()[0].code)  # its name stands for an account of before
    assert watch.names_changed()


@pytest.fixture
def news() -> News:
    return News(Limits(streams=2, all_streams=3))


def test_who_is_new_hears_of_the_newest_block_as_one_to_read(news):
    assert not news.enter("a").waiting
    news.publish(step(4))
    news.publish(step(5, quiet=True))
    [message] = news.enter("a").waiting
    assert message.startswith("event: block\n")
    assert data_of(message) == {
        "block": 5, "block_hash": f"0x{5:064x}", "block_time": 1_005, "after": None, "quiet": False,
    }  # fmt: skip


def test_so_many_listen_from_one_address_and_in_all(news):
    news.enter("a")
    news.enter("a")
    with pytest.raises(RefusedError) as refused:
        news.enter("a")
    assert (refused.value.code, refused.value.retry_after) == ("too_many_requests", 30)
    news.enter("b")
    with pytest.raises(RefusedError) as refused:
        news.enter("c")
    assert refused.value.code == "busy"


def test_who_does_not_read_is_let_go_and_makes_room(news):
    async def run():
        slow = news.enter("a")
        for number in range(MOST_WAITING + 1):
            news.publish(step(number))
        messages = [message async for message in news.messages(slow)]
        assert messages == [": welcome\n\n"]
        news.enter("a")
        news.enter("a")

    asyncio.run(run())


def test_a_page_that_listens_is_told_and_streams_end_with_the_node(news):
    async def run():
        news.begin()
        stream = news.messages(news.enter("a"))
        assert await anext(stream) == ": welcome\n\n"
        news.publish_from(step(7))
        assert data_of(await anext(stream))["block"] == 7
        news.tell_from(NAMES)
        assert await anext(stream) == NAMES
        news.end()
        assert [message async for message in stream] == []

    asyncio.run(run())
