"""What the node sends: each friend invited and funded once, wherever it is killed, however many nodes run."""

import time

import pytest

from tessera.chain.embedded import known_account
from tessera.club.gas import day_of
from tessera.club.sender import SETTLE_SECONDS
from tessera.club.store import Intent, LostLeaseError
from tests.unit.club.conftest import ETHER, NODE


@pytest.fixture
def sleepless(monkeypatch):
    """Nothing rests between two gifts."""
    monkeypatch.setattr("tessera.club.sender.SETTLE_SECONDS", -1)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_or_after_a_transaction_nobody_is_funded_twice_or_forgotten(
    world, sleepless, monkeypatch, number, when
):
    phones = [world.phone() for _ in range(2)]
    for phone, code in zip(phones, world.codes(2), strict=True):
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
    assert world.sent() == 3  # an invitation and two gifts, whatever happened
    assert all(world.tessera.play_euro.invited(phone.address) for phone in phones)
    gifts = {gift.accounts: gift.amount for gift, _ in again.store.gifts()}
    assert gifts == {(phone.address,): world.balance(phone) for phone in phones}
    assert min(gifts.values()) > 0


def test_an_intent_is_repeated_also_where_nothing_is_due(world):
    """It was sent before the kill, for all that is known, and may wait to be mined at too low a price."""
    friend = world.phone()
    epoch = world.node.store.hold_lease("killed", 0)
    world.node.store.intend([Intent(world.sent(), "gas", (friend.address,), 777, int(time.time()))], epoch)
    assert world.send_all() == 1
    assert world.balance(friend) == 777


def test_an_intent_is_repeated_before_anything_else_is_sent(world):
    first, second = world.phone(), world.phone()
    store, nonce = world.node.store, world.sent()
    epoch = store.hold_lease("killed", 0)
    store.intend([Intent(nonce, "gas", (first.address,), 777, int(time.time()))], epoch)
    second.join(world.codes()[0])
    world.send_all()
    assert world.balance(first) == 777
    assert world.balance(second) > 0
    assert [intent.nonce for intent, _ in store.gifts()] == [nonce, nonce + 2]


def test_who_comes_late_with_what_was_due_sends_nothing(world):
    """A node reads the chain, is put to sleep, and wakes up when another one has sent: the nonces it read are used."""
    phone, [code] = world.phone(), world.codes()
    phone.join(code)
    late = world.started().sender
    due = late._due(late.wallet.nonce())
    assert [intent.kind for intent in due] == ["invite", "gas"]
    world.send_all()
    before, sent = world.balance(phone), world.sent()
    late._carry_out(list(due), due)
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
        world.node.store.intend([Intent(99, "invite", (phone.address,), 0, 0)], 1)
    assert world.node.store.intents(99) == []


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
    assert world.send_all() == 0
    assert "not an inviter" in phone.join(code).json()["detail"]
    assert world.node.store.intents(0) == []
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


def test_friends_who_come_at_once_are_all_let_in_before_anything_is_waited_for(world, monkeypatch):
    """One transaction at a time was a block for each: twelve friends waited for thirteen blocks."""
    phones = [world.phone() for _ in range(4)]
    for phone, code in zip(phones, world.codes(4), strict=True):
        phone.join(code)
    receipt, sent = world.node.sender.wallet._receipt, []
    monkeypatch.setattr(
        world.node.sender.wallet, "_receipt", lambda *asked: sent.append(world.sent()) or receipt(*asked)
    )
    assert world.node.sender.step()
    assert sent == [5] * 5
    assert all(world.tessera.play_euro.invited(phone.address) for phone in phones)
    assert all(world.balance(phone) > 0 for phone in phones)
    assert not world.node.sender.step()


def test_what_is_given_at_once_is_within_the_budget(world):
    phones = [world.phone() for _ in range(4)]
    for phone, code in zip(phones, world.codes(4), strict=True):
        phone.join(code)
    [(_, first), *_] = [
        (intent, intent.amount) for intent in world.node.sender._due(world.sent()) if intent.kind == "gas"
    ]
    poor = world.started(budget=f"{first * 5 // 2 / ETHER:.18f}", members=1)
    world.node.store.leave_lease(world.node.sender.holder)
    world.send_all(poor)
    given = [world.balance(phone) for phone in phones]
    assert given[:2] == [first, first]
    assert 0 < given[2] < first
    assert given[3] == 0
    assert sum(given) <= poor.settings.gas.budget


def test_more_friends_than_a_node_takes_at_once_come_in_the_next_step(world, monkeypatch):
    monkeypatch.setattr("tessera.club.sender.MOST_UNDER_WAY", 3)
    phones = [world.phone() for _ in range(4)]
    for phone, code in zip(phones, world.codes(4), strict=True):
        phone.join(code)
    before = world.sent()
    assert world.node.sender.step()
    assert world.sent() - before == 3
    assert world.send_all() == 2
    assert all(world.balance(phone) > 0 for phone in phones)


def test_members_get_gas_also_where_the_node_may_not_invite(world, sleepless, owner):
    """A newcomer whom it could not invite kept everybody's gas money back."""
    member = world.member()
    world.send(member, {"to": known_account(NODE).address, "value": world.balance(member) * 9 // 10}, gas=21_000)
    world.tessera.play_euro.set_inviter(owner, known_account(NODE).address, False)
    newcomer = world.phone()
    newcomer.join(world.codes()[0])
    before = world.balance(member)
    assert world.send_all() == 1
    assert world.balance(member) > before
    assert world.balance(newcomer) == 0  # who cannot join needs none


def test_an_intent_that_fails_by_now_uses_its_nonce_up_and_those_after_it_are_carried_out(world):
    stubborn, friend, store, nonce = world.tessera.markets.address, world.phone(), world.node.store, world.sent()
    now, epoch = int(time.time()), store.hold_lease("killed", 0)
    store.intend(
        [Intent(nonce, "gas", (stubborn,), 555, now), Intent(nonce + 1, "gas", (friend.address,), 777, now)], epoch
    )
    assert world.send_all() == 2
    assert world.balance(friend) == 777
    assert store.given(0) == {friend.address: 777}


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


def test_what_a_node_spends_itself_in_a_day_is_counted_over_restarts(world, sleepless, monkeypatch):
    """Else a node that is started again and again may spend all of `gas.own` each time."""
    account, day = world.node.sender.wallet.address, day_of(int(time.time()))
    monkeypatch.setattr("tessera.club.sender.day_of", lambda _: day)
    before = world.web3.eth.get_balance(account)
    phone = world.member()
    spent = before - world.web3.eth.get_balance(account) - world.node.store.given(day)[phone.address]
    assert world.node.store.spent(day) == spent > 0
    again = world.started()
    again.store.leave_lease(world.node.sender.holder)
    again.sender.step()
    assert again.sender.wallet.budget == again.settings.gas.own - spent
    monkeypatch.setattr("tessera.club.sender.day_of", lambda _: day + 1)
    again.sender.step()
    assert again.sender.wallet.budget == again.settings.gas.own
