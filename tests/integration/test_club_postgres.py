"""Two nodes of one club on one PostgreSQL: one sends, and the other goes on when it is killed."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tessera.club.names import name_of
from tessera.club.refusals import RefusedError
from tessera.club.store import Store
from tests.club_phone import Phone
from tests.integration.test_club import BLOCK_SECONDS, Club, audit, new_club
from tests.integration.test_index_postgres import database, server  # noqa: F401
from tests.integration.test_index_postgres import pytestmark as needs_postgres

pytestmark = [*needs_postgres, pytest.mark.anvil]


def test_of_two_nodes_one_is_killed_and_everybody_is_funded_once(database, tmp_path):  # noqa: F811
    with new_club(tmp_path) as club:
        play(club, database)


def play(club: Club, database: str) -> None:  # noqa: F811
    """Six friends, each code tried at both nodes at once, and the node that sends is killed meanwhile."""
    club.config.write_text(f'database = "{database}"\nindex = "{database}"\n{club.config.read_text()}')
    second_port = club.port + 1
    second_url, second = f"http://127.0.0.1:{second_port}", club.folder / "second.toml"
    second.write_text(club.config.read_text().replace(f"port = {club.port}", f"port = {second_port}"))
    codes = club.codes(6)
    first_node = club.start()
    club.wait()
    second_node = club.start(second)
    try:
        club.wait(second_url)
        # Each code is tried at both nodes at once, by two phones: one of them is in.
        pairs = [(Phone(club.url, club.record, code), Phone(second_url, club.record, code)) for code in codes]
        with ThreadPoolExecutor(12) as pool:
            tries = [pool.submit(phone.post, "/club/join", code=phone.code, account=phone.address)
                     for pair in pairs for phone in pair]  # fmt: skip
            answers = [answer.result() for answer in tries]
            time.sleep(BLOCK_SECONDS)
            first_node.kill()  # which has the lease, and something under way
            first_node.wait()
            assert sorted(answer.status_code for answer in answers) == [200] * 6 + [409] * 6
            friends = [phone for pair, both in zip(pairs, zip(answers[::2], answers[1::2], strict=True), strict=True)
                       for phone, answer in zip(pair, both, strict=True) if answer.status_code == 200]  # fmt: skip
            for friend in friends:
                friend.url = second_url
            list(pool.map(Phone.join, friends))
        audit(club, friends, database)
    finally:
        for node in (first_node, second_node):
            node.kill()
            node.wait()


@pytest.fixture
def stores(database) -> Iterator[list[Store]]:  # noqa: F811
    """Two nodes' views of one database, opened at once."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(Store, [database] * 2))
    yield both
    for store in both:
        store.engine.dispose()


def at_once(stores: list[Store], ask: Callable[[Store, int], object]) -> Counter:
    """What sixteen askers get, eight at each node: answers and codes of refusals, each with how often."""

    def answer(number: int) -> object:
        try:
            return ask(stores[number % 2], number)
        except RefusedError as refused:
            return refused.code

    with ThreadPoolExecutor(16) as pool:
        return Counter(pool.map(answer, range(16)))


def account(number: int) -> str:
    return f"0x{number + 1:040x}"


def test_at_two_nodes_at_once_a_code_a_name_and_a_place_are_one_persons(stores):
    first, second = stores
    assert first.secret == second.secret
    [code] = first.make_codes([""], days=1)
    redeemed = at_once(stores, lambda store, number: store.redeem(code, account(number), 99) and "in")
    assert redeemed == {"in": 1, "used_code": 15}
    named = at_once(stores, lambda store, number: store.keep_name(account(number), name_of("Ali"), 1, b""))
    assert named == {None: 1, "name_taken": 15}
    terms = {"now": 0.0, "first": 1.0, "apart": 6.0, "lasts": 12.0, "longest": 120.0, "most": 50}
    places = at_once(stores, lambda store, number: store.turn(7, account(number), **terms).at)
    assert places == {1.0 + 6 * place: 1 for place in range(16)}
    leases = at_once(stores, lambda store, number: store.hold_lease(str(number), 60))
    assert leases == {1: 1, None: 15}
    two_codes = first.make_codes(["", ""], days=1)
    joined = at_once(stores, lambda store, number: store.redeem(two_codes[number % 2], account(99), 99) and "in")
    assert joined == {"in": 8, "other_account": 8}
