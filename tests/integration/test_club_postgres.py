"""Two nodes of one club on one PostgreSQL: one sends, and the other goes on when it is killed."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from web3 import Web3

from tessera.chain import connect
from tessera.club.names import name_of
from tessera.club.node import Node, opened
from tessera.club.refusals import RefusedError
from tessera.club.settings import read_settings
from tessera.club.store import Intent, LostLeaseError, Store, hash_of
from tests.club_phone import Phone
from tests.integration.test_club import BLOCK_SECONDS, START_SECONDS, Club, audit, new_club
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


def test_at_two_nodes_at_once_the_last_place_is_one_persons(stores):
    # Two got in: members x quota was more than the budget.
    codes = stores[0].make_codes([""] * 16, days=1)
    joined = at_once(stores, lambda store, number: store.redeem(codes[number], account(number), 1) and "in")
    assert joined == {"in": 1, "full": 15}


def test_at_two_nodes_at_once_an_account_has_the_name_that_it_said_last(stores):
    # The nodes waited for each other: PostgreSQL ended one of them with "deadlock detected".
    said = at_once(stores, lambda store, number: store.keep_name(account(0), name_of("Al" * (number + 1)), number, b""))
    assert said.keys() <= {None, "old_name", "bad_name"}
    [name] = stores[0].names()
    assert name.issued_at == 11  # of 24 letters, the longest


def test_at_two_nodes_at_once_a_nonce_has_one_intent_and_sums_are_whole(stores):
    first, second = stores
    # What was noted for the first time by two was "duplicate key" for one: a node did not start, or its step failed.
    for _ in range(2):
        at_once(stores, lambda store, number: store.claim("1-abc"))
        at_once(stores, lambda store, number: store.note_spent(7, 1))
    assert second.spent(7) == 32
    assert at_once(stores, lambda store, number: store.note_trouble("too_dear")) == {True: 1, False: 15}
    epoch = first.hold_lease("first", 60)

    def intend(store: Store, number: int) -> str:
        [intent] = store.intend([Intent(3, "gas", (account(number),), 5, 0)], epoch)
        return intent.accounts[0]

    assert set(at_once(stores, intend).values()) == {16}  # all carry the same one out
    assert sum(second.given(0).values()) == 5
    assert second.hold_lease("second", 60) is None
    first.leave_lease("first")
    assert second.hold_lease("second", 60) == epoch + 1
    with pytest.raises(LostLeaseError):
        first.intend([Intent(4, "gas", (account(1),), 5, 0)], epoch)


def test_at_two_nodes_at_once_who_is_replaced_has_no_session(stores):
    first, second = stores
    codes = first.make_codes([""] * 8, days=1)
    starts = [hash_of(code).hex()[:12] for code in codes]

    def race(store: Store, number: int) -> object:
        """Somebody redeems a code and signs in at one node, while the owner takes it back at the other."""
        code = number // 2
        if number % 2:
            return store.revoke(starts[code]).revoked
        store.redeem(codes[code], account(code), 99)
        tokens[code] = store.open_session(account(code), seconds=60)[0]
        return "in"

    tokens: dict[int, str] = {}
    assert at_once(stores, race)[True] == 8
    assert all(member.replaced for member in second.members())
    assert [store.session(token) for token in tokens.values() for store in stores] == [None] * (2 * len(tokens))


def test_two_nodes_that_take_the_lease_from_each_other_all_the_time_fund_each_once(database, tmp_path, monkeypatch):  # noqa: F811
    """As if none of the two ever saw in time that the other one sends: the nonces alone keep them apart."""
    monkeypatch.setattr("tessera.club.sender.LEASE_SECONDS", 0.0)
    with new_club(tmp_path) as club:
        club.config.write_text(f'database = "{database}"\nindex = "{database}"\n{club.config.read_text()}')
        nodes = [opened(read_settings(club.config)) for _ in range(2)]
        accounts = [Web3.to_checksum_address(f"0x{0xABC000 + number:040x}") for number in range(12)]
        for number, code in enumerate(nodes[0].store.make_codes([""] * 12, days=1)):
            nodes[number % 2].store.redeem(code, accounts[number], 40)
        web3, ends = connect(club.rpc), time.monotonic() + START_SECONDS

        def send(node: Node) -> None:
            while time.monotonic() < ends and not all(web3.eth.get_balance(each) for each in accounts):
                node.sender.attempt()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(send, nodes))
        time.sleep(2 * BLOCK_SECONDS)
        received = Counter(
            transaction["to"]
            for number in range(1, web3.eth.block_number + 1)
            for transaction in web3.eth.get_block(number, full_transactions=True)["transactions"]
            if transaction["from"] == club.node_address and transaction["value"]
        )
        assert received == dict.fromkeys(accounts, 1)
        assert nodes[0].store.given(0) == {each: web3.eth.get_balance(each) for each in accounts}
        for node in nodes:
            node.store.engine.dispose()
