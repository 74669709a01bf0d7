import boa
import pytest

from tests.custody import EUR
from tests.logs import event, events


@pytest.fixture
def purse(play_euro, escrow, member):
    """The member has withdrawn 20 EUR."""
    escrow.withdraw(20 * EUR, member, sender=member)
    return 20 * EUR


def test_takes_a_deposit(play_euro, escrow, member, purse):
    play_euro.approve(escrow, purse, sender=member)
    assert events(play_euro) == [event(play_euro, "Approval", owner=member, spender=escrow.address, value=purse)]
    escrow.deposit(5 * EUR, member, 0, sender=member)
    assert events(escrow)[:2] == [
        event(play_euro, "Approval", owner=member, spender=escrow.address, value=15 * EUR),
        event(play_euro, "Transfer", sender=member, receiver=escrow.address, value=5 * EUR),
    ]
    assert (play_euro.balanceOf(member), play_euro.allowance(member, escrow)) == (15 * EUR, 15 * EUR)
    assert escrow.balance_of(member) == 35 * EUR


def test_returns_true(play_euro, escrow, member):
    assert play_euro.transferFrom(member, escrow, 0, sender=escrow.address) is True


def test_reverts_when_anybody_else_calls(play_euro, escrow, member, accomplice, owner, purse):
    for caller in (member, accomplice, owner):
        play_euro.approve(caller, purse, sender=member)
        for to in (caller, escrow):
            with boa.reverts("playeuro: only into escrow"):
                play_euro.transferFrom(member, to, purse, sender=caller)


def test_reverts_when_escrow_takes_it_elsewhere(play_euro, escrow, member, accomplice, purse):
    play_euro.approve(escrow, purse, sender=member)
    for to in (accomplice, member, play_euro):
        with boa.reverts("playeuro: only into escrow"):
            play_euro.transferFrom(member, to, purse, sender=escrow.address)


def test_reverts_when_the_token_calls_itself(play_euro, escrow, member, purse):
    with boa.reverts("playeuro: only into escrow"):
        play_euro.transferFrom(member, play_euro, purse, sender=play_euro.address)


def test_reverts_when_not_approved(play_euro, escrow, member, purse):
    play_euro.approve(escrow, purse - 1, sender=member)
    with boa.reverts("erc20: insufficient allowance"):
        escrow.deposit(purse, member, 0, sender=member)


def test_reverts_when_the_member_has_less(play_euro, escrow, member, purse):
    play_euro.approve(escrow, 2**256 - 1, sender=member)
    with boa.reverts("erc20: transfer amount exceeds balance"):
        escrow.deposit(purse + 1, member, 0, sender=member)
