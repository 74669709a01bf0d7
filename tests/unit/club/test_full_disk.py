"""The disk of a club's database is full: nobody loses anything, all are told so, and it goes on when there is room."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from sqlalchemy import event, insert, select

from tessera.club import store as tables
from tessera.club.messages import Messenger
from tessera.club.names import name_of
from tessera.club.store import Store, StoreError
from tests.unit.club.conftest import refusal
from tests.unit.club.test_links import opened
from tests.unit.club.test_turns import ask  # noqa: F401

NO_ROOM = (503, "no_store")


@contextmanager
def full(store: Store) -> Iterator[None]:
    """SQLite has no page more for the database's file; what fits into its pages still does."""

    def no_more_pages(connection, _) -> None:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")

    store.engine.dispose()
    event.listen(store.engine, "connect", no_more_pages)
    yield
    event.remove(store.engine, "connect", no_more_pages)
    store.engine.dispose()


def until_full(write: Callable[[int], tuple[int, str] | None]) -> int:
    """Writes until there is no room; how often there was."""
    for number in count():
        assert number < 1_000
        try:
            if write(number) == NO_ROOM:
                return number
        except StoreError:
            return number
    raise AssertionError


def refused(answer) -> tuple[int, str] | None:
    if answer.status_code == 200:
        return None
    assert answer.headers["retry-after"]
    return refusal(answer)


def test_an_invitation_that_finds_no_room_is_good_when_there_is_some(world):
    world.node = world.started(members=1_000)
    world.client.app.state.node = world.node
    codes, store = world.codes(200), world.node.store
    phones = [world.phone() for _ in codes]

    def join(number: int):
        return refused(phones[number].join(codes[number]))

    with full(store):
        first = until_full(join)
        assert 0 < first < 199
        assert [member.account for member in store.members()] == [phone.address for phone in phones[:first]]
        assert phones[0].join(codes[0]).status_code == 200  # who is in stays in
    assert phones[first].join(codes[first]).status_code == 200
    assert len(store.members()) == first + 1


def test_gas_money_that_finds_no_room_is_not_sent_and_comes_when_there_is_some(world):
    phone, [code], store = world.phone(), world.codes(), world.node.store
    assert phone.join(code).status_code == 200

    def fill(number: int) -> None:
        line = {"kind": "x", "accounts": [phone.address], "amount": 10**18, "at": 0, "failed": True, "ended_at": 0}
        with store._database.writing() as db:
            db.execute(insert(tables.sent), {"nonce": -2 - number, **line})

    before = world.sent()
    with full(store):
        until_full(fill)
        for _ in range(3):
            assert world.node.sender.attempt() is None
        assert world.sent() == before
        assert store.intents(0) == []
        assert phone.state()["state"] == "coming"  # and it is answered meanwhile
        assert "tries again" in phone.state()["detail"]
    assert world.send_all() == 2
    assert store.given(0) == {phone.address: world.balance(phone)}


def test_a_name_that_finds_no_room_is_not_half_kept(world):
    store, letters = world.node.store, "abcdefghij"

    def keep(number: int) -> None:
        name = "".join(letters[int(digit)] for digit in f"{number:03d}") * 7
        store.keep_name(f"0x{number:040x}", name_of(name), 1, bytes(65))

    with full(store):
        first = until_full(keep)
        assert len(store.names()) == first > 0
        with store._database.connected() as db:
            owners = set(db.scalars(select(tables.name_keys.c.account)))
        assert owners == {name.account for name in store.names()}  # it took no name from anybody either
    keep(first)
    assert len(store.names()) == first + 1


def test_a_turn_that_finds_no_room_is_taken_when_there_is_some(world, market, ask):  # noqa: F811
    store, phone = world.node.store, world.member()
    terms = {"now": 1.0, "first": 1.0, "apart": 6.0, "lasts": 20.0, "longest": 120.0, "most": 1_000}

    def line_up(number: int) -> None:
        store.turn(9, f"0x{number:040x}", **terms)

    assert phone.sign_in().status_code == 200
    with full(store):
        lined_up = until_full(line_up)
        assert len(store.turns(9, 1.0)) == lined_up > 0
    answer = world.client.post("/club/turns", json={"market_id": market})
    assert answer.json()["place"] == 0


def test_the_group_is_not_told_again_and_again_while_it_cannot_be_noted(world, creator, monkeypatch):
    # A message each five seconds, as long as the disk was full.
    sent: list[str] = []
    store = world.node.store

    def messenger() -> Messenger:
        return Messenger(world.node.settings, world.node.index, store, lambda title, text: not sent.append(text))

    first = messenger()
    world.node.index.sync()
    first.look()
    opened(world, creator)
    world.node.index.sync()
    store.note_trouble("budget_spent")

    def no_room(*_) -> None:
        raise StoreError("the club's database cannot be used: database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "note_announced", no_room)
        patched.setattr(store, "note_told", no_room)
        for _ in range(5):
            with pytest.raises(StoreError):
                first.look()
    assert len(sent) == 1
    assert first.look() == 1  # and what waited
    assert first.look() == 0
    assert len(sent) == 2
    opened(world, creator)
    world.node.index.sync()
    assert first.look() == 1
    assert messenger().look() == 0
