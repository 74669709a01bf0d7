"""Gas money: enough for bets, topped up, within a quota and a budget."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.chain.embedded import known_account
from tessera.chain.fees import GasPrice
from tessera.club.gas import day_of, purse
from tessera.club.settings import BET_GAS, ENTRY_GAS, Gas
from tessera.club.store import Intent
from tests.unit.club.conftest import NODE, refusal

GWEI = 10**9
PRICE = GasPrice(base=GWEI, tip=0, ceiling=5 * GWEI)
GAS = Gas.model_validate({"budget": "0.1", "members": 10, "bets": 20})
NOW = 1_780_000_000
MIDNIGHT = NOW - NOW % 86_400 + 86_400
RICH = 10**20
DEFAULTS = {"balance": 0, "joined": True, "own": 0, "everybody": 0, "node": RICH, "now": NOW}


def ask(price: GasPrice = PRICE, **changes):
    return purse(GAS, price, **(DEFAULTS | changes))


def test_a_newcomer_gets_the_gas_to_join_and_for_twenty_bets():
    asked = ask(joined=False)
    assert (asked.state, asked.amount) == ("coming", (ENTRY_GAS + 20 * BET_GAS) * 2 * GWEI)


def test_a_member_is_topped_up_below_half():
    half = 10 * BET_GAS * 2 * GWEI
    assert ask(balance=half).state == "enough"
    assert (ask(balance=half - 1).state, ask(balance=half - 1).amount) == ("coming", half + 1)


@pytest.mark.parametrize(
    ("changes", "state", "again_at"),
    [
        ({"own": GAS.quota}, "over_quota", MIDNIGHT),
        ({"everybody": GAS.budget}, "budget_spent", MIDNIGHT),
        ({"node": 1}, "node_empty", None),
        ({"price": GasPrice(base=6 * GWEI, tip=0, ceiling=5 * GWEI)}, "too_dear", None),
    ],
)
def test_says_why_nothing_comes_and_until_when(changes, state, again_at):
    asked = ask(**changes)
    assert (asked.state, asked.again_at, asked.amount) == (state, again_at, 0)
    assert asked.detail


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10**17)), max_size=60), st.integers(0, 10**10))
def test_whatever_members_do_a_day_costs_at_most_the_budget_and_each_at_most_the_quota(wishes, base):
    """Each wish is a member who has spent or sent away all but so much."""
    given_to = dict.fromkeys(range(10), 0)
    price = GasPrice(base=base, tip=0, ceiling=10**12)
    for member, balance in wishes:
        asked = ask(price, balance=balance, own=given_to[member], everybody=sum(given_to.values()))
        given_to[member] += asked.amount
    assert sum(given_to.values()) <= GAS.budget
    assert max(given_to.values()) <= GAS.quota == GAS.budget // GAS.members


def test_a_member_who_sends_the_money_away_gets_the_quota_and_no_more(world, monkeypatch):
    monkeypatch.setattr("tessera.club.sender.SETTLE_SECONDS", -1)
    world.node = world.started(database="poor", budget="0.02", members=5)
    world.client.app.state.node = world.node
    phone = world.member()
    friend = world.phone()
    friend.join(world.codes()[0])
    world.send_all()
    friends_money = world.balance(friend)
    for _ in range(8):
        fee = 21_000 * 2 * world.web3.eth.get_block("latest")["baseFeePerGas"]
        if world.balance(phone) > fee:
            call = {"to": known_account(0).address, "value": world.balance(phone) - fee}
            world.send(phone, call, gas=21_000)
        world.send_all()
    stolen = world.node.store.given(0)[phone.address]
    assert stolen <= world.node.settings.gas.quota == 4 * 10**15
    assert phone.gas().json()["state"] == "over_quota"
    assert int(phone.gas().json()["again_at"]) % 86_400 == 0
    # What a drainer takes is its own share: a friend's is untouched.
    assert world.balance(friend) == friends_money
    assert friend.gas().json()["state"] == "enough"


def test_a_node_without_money_says_so_and_forgets_nobody(world, owner):
    account, phone = known_account(NODE), world.phone()
    world.tessera.play_euro.invite(owner, [phone.address])
    phone.join(world.codes()[0])
    money = world.web3.eth.get_balance(account.address)
    poor, sender = world.node.sender.wallet, world.node.sender
    poor.balance = lambda: 1  # as if it had nothing left
    sender._quoted = (sender.quote()[0], 1)
    assert phone.gas().json()["state"] == "node_empty"
    assert not world.node.sender.step()
    assert "refill" in world.node.sender.trouble
    assert world.web3.eth.get_balance(account.address) == money
    del poor.balance
    assert world.send_all() == 1


def test_gas_is_for_those_who_came_by_an_invitation(world, bettor):
    assert refusal(world.phone().gas()) == (403, "not_a_member")
    answer = world.client.post("/club/gas", json={"account": bettor.address})
    assert refusal(answer) == (403, "not_a_member")


# Uses gas up to nine of the ten million that the embedded chain's wallet offers, and takes the ether.
BURNER = bytes.fromhex("5b5a628954401060005700")


def test_an_account_with_code_costs_the_node_nothing(world, owner):
    # One gift to it cost the node a million gas, fifty times a friend's, and up to a block's where it likes: all of
    # `gas.own` of a day, so that nobody else was let in or funded, and no quota counted it.
    created = owner.send(
        {"data": bytes.fromhex(f"60{len(BURNER):02x}600c60003960{len(BURNER):02x}6000f3") + BURNER}, ""
    )
    burner, [code, other] = created["contractAddress"], world.codes(2)
    assert world.client.post("/club/join", json={"code": code, "account": burner}).status_code == 200
    friend = world.phone()
    friend.join(other)
    since = world.web3.eth.block_number
    sent = world.send_all()
    used = sum(
        world.web3.eth.get_block(number)["gasUsed"] for number in range(since + 1, world.web3.eth.block_number + 1)
    )
    assert (sent, used < 150_000) == (2, True)  # an invitation of both, and the friend's gas money
    assert world.web3.eth.get_balance(burner) == 0
    assert world.node.sender.trouble is None  # it is nobody else's matter
    told = world.client.post("/club/gas", json={"account": burner}).json()
    assert (told["state"], "code" in told["detail"]) == ("has_code", True)
    # Its page waited for gas money for ever.
    told = world.client.post("/club/join", json={"code": code, "account": burner}).json()
    assert (told["state"], "no gas money" in told["detail"]) == ("ready", True)
    assert friend.gas().json()["state"] == "enough"


def test_an_account_that_gets_code_while_its_gift_waits_costs_the_node_nothing(world, owner):
    # What was written down and not mined, since the node was empty or the network dear, was sent to its code later.
    created = owner.send(
        {"data": bytes.fromhex(f"60{len(BURNER):02x}600c60003960{len(BURNER):02x}6000f3") + BURNER}, ""
    )
    burner, store, since = created["contractAddress"], world.node.store, world.web3.eth.block_number
    epoch = store.hold_lease(world.node.sender.holder, 15)
    store.intend([Intent(world.sent(), "gas", (burner,), 777, int(time.time()))], epoch)
    assert world.send_all() == 1
    used = sum(
        world.web3.eth.get_block(number)["gasUsed"] for number in range(since + 1, world.web3.eth.block_number + 1)
    )
    assert (used, world.web3.eth.get_balance(burner), store.given(0)) == (21_000, 0, {})


def test_a_gift_that_is_under_way_at_midnight_counts_to_both_days(world, monkeypatch):
    # It counted to the day before alone: who got a day's quota in its last second had it, and the next one's, both in
    # the next day's first minute; and the node gave two budgets.
    monkeypatch.setattr("tessera.club.sender.SETTLE_SECONDS", -1)
    world.node = world.started(database="poor", budget="0.004", members=1)
    world.client.app.state.node = world.node
    quota, midnight = world.node.settings.gas.quota, day_of(int(time.time())) + 86_400
    clock = [midnight - 1.0]
    for place in ("sender", "store", "people"):
        monkeypatch.setattr(f"tessera.club.{place}.time.time", lambda: clock[0])
    phone = world.member()
    handed_in = world.web3.eth.send_raw_transaction

    def slowly(raw):
        clock[0] = midnight + 1.0  # the next block is of the next day
        return handed_in(raw)

    def empty(phone) -> None:
        fee = 21_000 * 2 * world.web3.eth.get_block("latest")["baseFeePerGas"]
        if (rest := world.balance(phone) - fee) > 0:
            world.send(phone, {"to": known_account(0).address, "value": rest}, gas=21_000)

    empty(phone)
    with monkeypatch.context() as patched:
        patched.setattr(world.web3.eth, "send_raw_transaction", slowly)
        empty_before = world.balance(phone)
        assert world.send_all() >= 1
    first = world.balance(phone) - empty_before
    assert first > 0
    given = first
    for _ in range(5):
        empty(phone)
        before = world.balance(phone)
        world.send_all()
        given += world.balance(phone) - before
    assert given <= quota
    assert world.node.store.given(midnight)[phone.address] == given
    assert phone.gas().json()["state"] == "over_quota"


def test_a_gift_of_yesterday_counts_to_yesterday(world, monkeypatch):
    phone = world.member()
    midnight = day_of(int(time.time())) + 86_400
    assert world.node.store.given(midnight) == {}
    assert world.node.store.given(0).keys() == {phone.address}
