"""Members cannot pool play money: two who try everything end with no more than 50 EUR each.

What remains is play itself: a bet that one loses and the other wins, through a product of the club.
"""

import boa
import pytest

from tests.custody import EUR, NOBODY

PURSE = 20 * EUR


@pytest.fixture
def purse(play_euro, escrow, member):
    """The member has taken 20 EUR out of Escrow, approved everybody, and consented to all there is."""
    escrow.withdraw(PURSE, member, sender=member)
    return PURSE


@pytest.fixture(params=["accomplice", "accomplice's contract", "another Escrow", "another Escrow, not own-only"])
def hand(request, load, play_euro, accomplice):
    """Where the member would like the money to go."""
    match request.param:
        case "accomplice":
            return accomplice
        case "accomplice's contract":
            return load("Product").deploy().address
        case "another Escrow":
            return load("Escrow").deploy(play_euro, True, sender=accomplice).address
    return load("Escrow").deploy(play_euro, False, sender=accomplice).address


def test_cannot_hand_over_tokens(play_euro, escrow, member, purse, hand):
    play_euro.approve(hand, purse, sender=member)
    with boa.reverts("playeuro: only through escrow"):
        play_euro.transfer(hand, purse, sender=member)
    for caller in (member, hand):
        with boa.reverts("playeuro: only into escrow"):
            play_euro.transferFrom(member, hand, purse, sender=caller)
        with boa.reverts("playeuro: only into escrow"):
            play_euro.transferFrom(member, escrow, purse, sender=caller)
    assert (play_euro.balanceOf(member), play_euro.balanceOf(hand)) == (purse, 0)


def test_cannot_fill_another_s_balance(play_euro, escrow, member, purse, hand):
    play_euro.approve(escrow, purse, sender=member)
    for consent in (0, 1):
        with boa.reverts("escrow: not your own"):
            escrow.deposit(purse, hand, consent, sender=member)
        with boa.reverts("escrow: not your own"):
            escrow.deposit(purse, member, consent, sender=hand)
    assert escrow.balance_of(member) == 30 * EUR


def test_cannot_empty_a_balance_to_another(play_euro, escrow, member, hand):
    for receiver in (hand, play_euro, escrow, NOBODY):
        with boa.reverts("escrow: not your own"):
            escrow.withdraw(EUR, receiver, sender=member)


def test_cannot_deposit_into_another_escrow(load, play_euro, member, purse, accomplice):
    """A second Escrow of the token is no Escrow to the token, whoever deploys it."""
    pool = load("Escrow").deploy(play_euro, False, sender=accomplice)
    play_euro.approve(pool, purse, sender=member)
    for receiver in (accomplice, member):
        with boa.reverts("playeuro: only into escrow"):
            pool.deposit(purse, receiver, 0, sender=member)
    with boa.reverts("playeuro: only into escrow"):
        pool.deposit_with_permit(member, purse, 0, 27, bytes(32), bytes(32), 0, sender=member)


def test_cannot_make_escrow_deposit_for_another_by_permit(play_euro, escrow, owner, signer, sign_permit, accomplice):
    play_euro.invite([signer.address], sender=owner)
    play_euro.join(0, sender=signer.address)
    escrow.withdraw(PURSE, signer.address, sender=signer.address)
    deadline = boa.env.timestamp
    permit = sign_permit(play_euro, signer, escrow, PURSE, deadline)
    with boa.reverts("escrow: not your own"):
        escrow.deposit_with_permit(signer.address, PURSE, deadline, *permit, 0, sender=accomplice)
    with boa.reverts("erc20: insufficient allowance"):
        escrow.deposit_with_permit(accomplice, PURSE, deadline, *permit, 0, sender=accomplice)
    assert escrow.balance_of(accomplice) == 50 * EUR


def test_cannot_play_product(escrow, member, accomplice):
    """A member is no product, and cannot make one: the owner of Escrow registers them."""
    pot = bytes(32)
    for caller in (member, accomplice):
        for attempt in (
            lambda caller=caller: escrow.collect(member, pot, EUR, 8, sender=caller),
            lambda caller=caller: escrow.pay(pot, accomplice, EUR, 64, sender=caller),
            lambda caller=caller: escrow.pay_many(pot, [accomplice], [EUR], 64, sender=caller),
            lambda caller=caller: escrow.move(pot, pot, EUR, sender=caller),
        ):
            with boa.reverts("escrow: not a product"):
                attempt()


def test_cannot_join_for_another_s_account(play_euro, escrow, newcomer, member):
    """An invitation that is sold still fills the invited account's balance alone."""
    play_euro.join(1, sender=newcomer)
    assert (escrow.balance_of(newcomer), escrow.balance_of(member)) == (50 * EUR, 50 * EUR)
