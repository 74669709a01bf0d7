"""Invitations: one friend a code, whoever asks, however often."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tessera.club.refusals import RefusedError
from tests.unit.club.conftest import refusal


def test_a_friend_is_invited_and_funded_and_joins(world):
    phone, [code] = world.phone(), world.codes()
    assert phone.state()["state"] == "stranger"
    assert phone.join(code).json()["state"] == "coming"
    assert world.send_all() == 2  # an invitation, and gas money
    assert phone.join(code).json()["state"] == "ready"
    world.enter(phone)
    assert phone.join(code).json()["state"] == "joined"
    assert world.tessera.escrow.balance_of(phone.address) == 50 * 10**6


def test_only_hashes_of_codes_are_stored(world):
    [code] = world.codes()
    assert code.encode() not in (world.folder / "club.db").read_bytes()
    assert len(code) >= 22  # 128 bits


def test_a_code_is_good_for_one_account_which_may_repeat_it(world):
    first, second, [code] = world.phone(), world.phone(), world.codes()
    assert first.join(code).status_code == 200
    assert refusal(second.join(code)) == (409, "used_code")
    assert first.join(code).status_code == 200
    world.send_all()
    assert not world.tessera.play_euro.invited(second.address)
    assert world.balance(second) == 0


def test_refuses_a_code_that_is_unknown_or_too_old(world):
    phone, [old] = world.phone(), world.node.store.make_codes([""], days=0)
    assert refusal(phone.join("nonsense")) == (404, "unknown_code")
    assert refusal(phone.join(old)) == (410, "expired_code")
    assert world.send_all() == 0


def test_refuses_a_revoked_code(world):
    phone, [code] = world.phone(), world.codes()
    [waiting] = world.node.store.codes()
    world.node.store.revoke(waiting.code)
    assert refusal(phone.join(code)) == (410, "revoked_code")
    assert world.send_all() == 0


def test_an_account_uses_up_one_code_alone(world):
    phone, friend, codes = world.phone(), world.phone(), world.codes(2)
    assert phone.join(codes[0]).status_code == 200
    assert refusal(phone.join(codes[1])) == (409, "other_account")
    assert friend.join(codes[1]).status_code == 200


def test_who_has_joined_by_the_owners_invitation_uses_up_no_code(world, bettor):
    [code] = world.codes()
    answer = world.client.post("/club/join", json={"code": code, "account": bettor.address})
    assert refusal(answer) == (409, "other_account")
    assert world.phone().join(code).status_code == 200


def test_there_are_as_many_members_as_the_budget_pays_for(world):
    codes = world.codes(6)
    assert [world.phone().join(code).status_code for code in codes[:5]] == [200] * 5
    late = world.phone()
    assert refusal(late.join(codes[5])) == (409, "full")
    world.node.store.revoke(world.node.store.members()[0].code)
    assert late.join(codes[5]).status_code == 200


def test_of_many_who_try_a_code_at_once_one_is_in(world):
    [code], accounts = world.codes(), [f"0x{number:040x}" for number in range(1, 17)]

    def redeem(account: str) -> str:
        try:
            return world.node.store.redeem(code, account, 100).account
        except RefusedError as refused:
            return refused.code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(redeem, accounts))
    assert len([answer for answer in answers if answer.startswith("0x")]) == 1
    assert answers.count("used_code") == 15


def test_an_account_that_is_replaced_gets_nothing_more_and_is_uninvited_unless_it_has_joined(world):
    lost, [code] = world.phone(), world.codes()
    lost.join(code)
    world.send_all()
    assert world.tessera.play_euro.invited(lost.address)
    world.node.store.revoke(world.node.store.members()[0].code)
    assert world.send_all() == 1
    assert not world.tessera.play_euro.invited(lost.address)
    assert lost.state()["state"] == "replaced"
    assert refusal(lost.gas()) == (403, "replaced_account")
    assert world.send_all() == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "abc"},
        {"code": "", "account": "0x" + "11" * 20},
        {"code": "abc", "account": "0x" + "00" * 20},
        {"code": "abc", "account": "Anna"},
        {"code": ["abc"], "account": "0x" + "11" * 20},
        {"code": "x" * 101, "account": "0x" + "11" * 20},
    ],
)
def test_refuses_what_is_no_redemption(world, body):
    assert refusal(world.client.post("/club/join", json=body)) == (422, "bad_request")
