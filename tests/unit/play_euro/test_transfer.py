import boa

from tests.custody import EUR, NOBODY
from tests.logs import event, events


def test_pays_a_withdrawal(play_euro, escrow, member):
    escrow.withdraw(20 * EUR, member, sender=member)
    assert events(escrow)[-1] == event(play_euro, "Transfer", sender=escrow.address, receiver=member, value=20 * EUR)
    assert play_euro.balanceOf(member) == 20 * EUR


def test_returns_true(play_euro, escrow, member):
    assert play_euro.transfer(member, 0, sender=escrow.address) is True


def test_reverts_when_a_member_pays(play_euro, escrow, member, accomplice):
    escrow.withdraw(20 * EUR, member, sender=member)
    for to in (accomplice, member, escrow, play_euro, NOBODY):
        for amount in (0, 1, 20 * EUR):
            with boa.reverts("playeuro: only through escrow"):
                play_euro.transfer(to, amount, sender=member)


def test_reverts_when_the_owner_pays(play_euro, owner, member):
    with boa.reverts("playeuro: only through escrow"):
        play_euro.transfer(member, 0, sender=owner)


def test_reverts_before_there_is_an_escrow(fresh, stranger):
    with boa.reverts("playeuro: only through escrow"):
        fresh.transfer(stranger, 0, sender=stranger)


def test_reverts_when_escrow_has_less(play_euro, escrow, member):
    with boa.reverts("erc20: transfer amount exceeds balance"):
        play_euro.transfer(member, 400 * EUR + 1, sender=escrow.address)
