"""What pages hear of: what changed in each block, and all that they missed."""

import asyncio
import json

import pytest

from tessera.chain import Outcome
from tessera.chain.blocks import Block
from tessera.club.news import MOST_WAITING, Change, News, Watch
from tessera.club.refusals import RefusedError
from tessera.club.settings import Limits


def block(number: int) -> Block:
    return Block(number, f"0x{number:064x}", 1_000 + number)


def change(number: int, *markets: int) -> Change:
    return Change(block(number), frozenset(markets))


def data_of(message: str) -> dict:
    return json.loads(message.partition("data: ")[2])


def test_a_bet_changes_its_market_and_its_account(world, market, bet, bettor):
    watch = Watch(world.node.index)
    world.node.index.sync()
    assert watch.look().everything  # nothing is known before
    assert watch.look() is None
    bet(bettor, market, Outcome.YES)
    world.node.index.sync()
    after = watch.look()
    assert (after.markets, after.accounts, after.everything) == ({market}, {bettor.address}, False)


def test_a_newcomer_changes_the_club(world):
    watch = Watch(world.node.index)
    world.node.index.sync()
    watch.look()
    phone = world.member()
    world.node.index.sync()
    assert watch.look().accounts == {phone.address}


def test_what_the_chain_took_back_changes_everything(world, market, bet, bettor, web3):
    watch = Watch(world.node.index)
    snapshot = web3.provider.ethereum_tester.take_snapshot()
    bet(bettor, market, Outcome.YES)
    world.node.index.sync()
    watch.look()
    web3.provider.ethereum_tester.revert_to_snapshot(snapshot)
    bet(bettor, market, Outcome.NO)
    bet(bettor, market, Outcome.NO)
    world.node.index.sync()
    assert watch.look().everything


@pytest.fixture
def news() -> News:
    return News(Limits(streams=2, all_streams=3))


def test_who_comes_back_hears_of_what_was_missed(news):
    for number in range(1, 6):
        news.publish(change(number, number))
    listener = news.enter("a", 3)
    [message] = listener.waiting
    assert message.startswith("id: 5\nevent: block\n")
    assert (data_of(message)["markets"], data_of(message)["all"]) == ([4, 5], False)


@pytest.mark.parametrize("since", [None, 0])
def test_who_is_new_or_was_away_for_long_reads_everything(news, since):
    for number in range(1, 6):
        news.publish(change(number, number))
    [message] = news.enter("a", since).waiting
    assert data_of(message)["all"]


def test_who_missed_a_reorg_reads_everything(news):
    news.publish(change(1))
    news.publish(Change(block(2), everything=True))
    news.publish(change(3))
    assert data_of(news.enter("a", 1).waiting[0])["all"]


def test_so_many_listen_from_one_address_and_in_all(news):
    news.enter("a", None)
    news.enter("a", None)
    with pytest.raises(RefusedError) as refused:
        news.enter("a", None)
    assert (refused.value.code, refused.value.retry_after) == ("too_many_requests", 30)
    news.enter("b", None)
    with pytest.raises(RefusedError) as refused:
        news.enter("c", None)
    assert refused.value.code == "busy"


def test_who_does_not_read_is_let_go_and_makes_room(news):
    async def run():
        slow = news.enter("a", None)
        for number in range(MOST_WAITING + 1):
            news.publish(change(number))
        messages = [message async for message in news.messages(slow)]
        assert messages == [": welcome\n\n"]
        news.enter("a", None)
        news.enter("a", None)

    asyncio.run(run())


def test_a_page_that_listens_is_told_and_streams_end_with_the_node(news):
    async def run():
        news.begin()
        stream = news.messages(news.enter("a", None))
        assert await anext(stream) == ": welcome\n\n"
        news.publish_from(change(7, 3))
        assert data_of(await anext(stream))["markets"] == [3]
        news.end()
        assert [message async for message in stream] == []

    asyncio.run(run())
