"""What the node sends: each friend invited and funded once, wherever it is killed, however many nodes run."""

import time

import pytest

from tessera.chain.embedded import known_account
from tessera.chain.errors import Reverted
from tessera.club.sender import SETTLE_SECONDS
from tessera.club.store import Intent, LostLeaseError
from tests.unit.club.conftest import NODE


@pytest.fixture
def sleepless(monkeypatch):
    """Nothing rests between two gifts."""
    monkeypatch.setattr("tessera.club.sender.SETTLE_SECONDS", -1)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_or_after_a_transaction_nobody_is_funded_twice_or_forgotten(
    world, sleepless, monkeypatch, number, when
):
    phone, [code] = world.phone(), world.codes()
    phone.join(code)
    handed_in, count = world.web3.eth.send_raw_transaction, iter(range(10))

    def send(raw):
        is_last = next(count) == number
        if is_last and when == "before":
            raise Killed
        sent = handed_in(raw)
        if is_last:
            raise Killed
        return sent

    with monkeypatch.context() as patched:
        patched.setattr(world.web3.eth, "send_raw_transaction", send)
        with pytest.raises(Killed):
            world.send_all()
    again = world.started()
    again.store.leave_lease(world.node.sender.holder)
    world.send_all(again)
    assert world.sent() == 2  # an invitation and a gift, whatever happened
    assert world.tessera.play_euro.invited(phone.address)
    [(gift, _)] = again.store.gifts()
    assert world.balance(phone) == gift.amount > 0


def test_an_intent_is_repeated_also_where_nothing_is_due(world):
    """It was sent before the kill, for all that is known, and may wait to be mined at too low a price."""
    friend = world.phone()
    epoch = world.node.store.hold_lease("killed", 0)
    world.node.store.intend(Intent(world.sent(), "gas", (friend.address,), 777, int(time.time())), epoch)
    assert world.send_all() == 1
    assert world.balance(friend) == 777


def test_an_intent_is_repeated_before_anything_else_is_sent(world):
    first, second = world.phone(), world.phone()
    store, nonce = world.node.store, world.sent()
    epoch = store.hold_lease("killed", 0)
    store.intend(Intent(nonce, "gas", (first.address,), 777, int(time.time())), epoch)
    second.join(world.codes()[0])
    world.send_all()
    assert world.balance(first) == 777
    assert world.balance(second) > 0
    assert [intent.nonce for intent, _ in store.gifts()] == [nonce, nonce + 2]


@pytest.mark.parametrize("steps", [0, 1])
def test_who_comes_late_with_what_was_due_sends_nothing(world, steps):
    """A node reads the chain, is put to sleep, and wakes up when another one has sent: the nonce it read is used."""
    phone, [code] = world.phone(), world.codes()
    phone.join(code)
    for _ in range(steps):  # 0: it is about to invite, 1: to give gas
        world.node.sender.step()
    late = world.started().sender
    intent = late._due(late.wallet.nonce())
    world.send_all()
    before, sent = world.balance(phone), world.sent()
    late._carry_out(intent)
    assert (world.balance(phone), world.sent()) == (before, sent)
    assert world.node.store.given(0) == {phone.address: before}


def test_of_two_nodes_one_sends_and_the_other_takes_over_when_it_is_gone(world, monkeypatch):
    other = world.started()
    assert world.node.store.hold_lease(world.node.sender.holder, 15) == 1
    phone = world.phone()
    phone.join(world.codes()[0])
    assert not other.sender.step()
    assert world.sent() == 0
    later = time.time() + 16
    monkeypatch.setattr("tessera.club.store.time.time", lambda: later)
    assert world.send_all(other) == 2
    assert not world.node.sender.step()  # it has come back, and is not the one that sends any more
    with pytest.raises(LostLeaseError):
        world.node.store.intend(Intent(99, "invite", (phone.address,), 0, 0), 1)
    assert world.node.store.intent(99) is None


def test_a_node_that_stops_lets_another_one_send_at_once(world):
    world.node.store.hold_lease(world.node.sender.holder, 15)
    world.node.sender.stop()
    other = world.started()
    world.phone().join(world.codes()[0])
    assert world.send_all(other) == 2


def test_a_node_that_may_not_invite_says_so_and_goes_on_when_it_may(world, owner):
    world.tessera.play_euro.set_inviter(owner, known_account(NODE).address, False)
    phone, [code] = world.phone(), world.codes()
    phone.join(code)
    with pytest.raises(Reverted, match="playeuro: not an inviter"):
        world.node.sender.step()
    assert "not an inviter" in phone.join(code).json()["detail"]
    assert world.node.store.intent(0) is None
    world.tessera.play_euro.set_inviter(owner, known_account(NODE).address, True)
    assert world.send_all() == 2


def test_an_account_that_refuses_its_gas_money_holds_up_nobody(world):
    stubborn, [first, second] = world.tessera.markets.address, world.codes(2)
    answer = world.client.post("/club/join", json={"code": first, "account": stubborn})
    assert answer.status_code == 200  # a contract that takes no ether
    phone = world.phone()
    phone.join(second)
    world.send_all()
    assert world.balance(phone) > 0
    assert world.web3.eth.get_balance(stubborn) == 0
    assert world.node.store.given(0) == {phone.address: world.balance(phone)}


def test_many_friends_are_invited_at_once_and_each_is_funded(world):
    phones = [world.phone() for _ in range(4)]
    for phone, code in zip(phones, world.codes(4), strict=True):
        phone.join(code)
    assert world.send_all() == 5
    assert all(world.tessera.play_euro.invited(phone.address) for phone in phones)
    assert all(world.balance(phone) > 0 for phone in phones)


def test_a_database_of_another_chain_is_refused(world):
    with pytest.raises(Exception, match="another chain"):
        world.node.store.claim("1-000000000000")


def test_nobody_gets_two_gifts_within_half_a_minute(world):
    phone = world.member()
    given = world.node.store.given(0)
    world.send(phone, {"to": known_account(NODE).address, "value": world.balance(phone) * 9 // 10}, gas=21_000)
    assert SETTLE_SECONDS == 30
    assert world.send_all() == 0
    assert world.node.store.given(0) == given
