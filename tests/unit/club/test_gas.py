"""Gas money: enough for bets, topped up, within a quota and a budget."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.chain.embedded import known_account
from tessera.chain.fees import GasPrice
from tessera.club.gas import purse
from tessera.club.settings import BET_GAS, ENTRY_GAS, Gas
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
