"""`transfer_ownership`, `accept_ownership`, `owner`, `pending_owner`."""

import boa

from tests.custody import EUR, NOBODY
from tests.logs import event, events


def test_passes_in_two_steps(fresh, owner, stranger, newcomer):
    fresh.transfer_ownership(stranger, sender=owner)
    assert events(fresh) == [event(fresh, "OwnershipTransferStarted", previous_owner=owner, new_owner=stranger)]
    assert (fresh.owner(), fresh.pending_owner()) == (owner, stranger)
    fresh.accept_ownership(sender=stranger)
    assert events(fresh) == [event(fresh, "OwnershipTransferred", previous_owner=owner, new_owner=stranger)]
    assert (fresh.owner(), fresh.pending_owner()) == (stranger, NOBODY)
    with boa.reverts("playeuro: not an inviter"):
        fresh.invite([newcomer], sender=owner)
    fresh.invite([newcomer], sender=stranger)
    assert fresh.invited(newcomer)


def test_reverts_when_not_the_owner(fresh, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        fresh.transfer_ownership(stranger, sender=stranger)


def test_reverts_when_not_the_pending_owner(fresh, owner, stranger):
    fresh.transfer_ownership(stranger, sender=owner)
    with boa.reverts("ownable_2step: caller is not the new owner"):
        fresh.accept_ownership(sender=owner)


def test_owner_and_inviter_reach_nothing_that_a_member_holds(play_euro, escrow, load, owner, stranger, member):
    """A member with 30 EUR in Escrow and 20 outside, who approved owner and inviter, keeps all of it."""
    escrow.withdraw(20 * EUR, member, sender=member)
    play_euro.set_inviter(stranger, True, sender=owner)
    other = load("Escrow").deploy(play_euro, True, sender=owner)
    for role in (owner, stranger):
        play_euro.approve(role, 2**256 - 1, sender=member)
        play_euro.uninvite([member], sender=role)
        for receiver in (role, escrow, other):
            with boa.reverts("playeuro: only into escrow"):
                play_euro.transferFrom(member, receiver, EUR, sender=role)
        with boa.reverts("playeuro: only through escrow"):
            play_euro.transfer(role, 0, sender=role)
        with boa.reverts("escrow: balance too low"):
            escrow.withdraw(EUR, role, sender=role)
        with boa.reverts("playeuro: already joined" if play_euro.joined(role) else "playeuro: not invited"):
            play_euro.join(0, sender=role)
    with boa.reverts("playeuro: escrow is set"):
        play_euro.set_escrow(other, sender=owner)
    assert (escrow.balance_of(member), play_euro.balanceOf(member)) == (30 * EUR, 20 * EUR)
    escrow.withdraw(30 * EUR, member, sender=member)
    assert play_euro.balanceOf(member) == 50 * EUR
