"""Inviters invite and take back, and nothing else: a service that does it may lose its key."""

import boa

from tests.logs import event, events


def test_names_an_inviter_and_takes_it_away(fresh, owner, stranger):
    fresh.set_inviter(stranger, True, sender=owner)
    assert events(fresh) == [
        event(fresh, "InviterSet", account=stranger, was_inviter=False, is_inviter=True),
    ]
    assert fresh.is_inviter(stranger)
    fresh.set_inviter(stranger, False, sender=owner)
    assert events(fresh) == [
        event(fresh, "InviterSet", account=stranger, was_inviter=True, is_inviter=False),
    ]
    assert not fresh.is_inviter(stranger)


def test_a_stolen_inviter_cannot_hand_the_club_away(fresh, owner, stranger, newcomer):
    """What the thief gains is invitations until the owner ends it; no power, no euro of a member's.

    Before: only the owner could invite, so that a service had the owner's key and the thief had the club.
    """
    fresh.set_inviter(stranger, True, sender=owner)
    for act in (
        lambda: fresh.transfer_ownership(stranger, sender=stranger),
        lambda: fresh.accept_ownership(sender=stranger),
        lambda: fresh.set_inviter(newcomer, True, sender=stranger),
        lambda: fresh.set_escrow(newcomer, sender=stranger),
    ):
        with boa.reverts():
            act()
    fresh.invite([newcomer], sender=stranger)
    fresh.set_inviter(stranger, False, sender=owner)
    fresh.uninvite([newcomer], sender=owner)
    assert fresh.owner() == owner
    assert not fresh.invited(newcomer)
    with boa.reverts("playeuro: not an inviter"):
        fresh.invite([newcomer], sender=stranger)


def test_reverts_when_not_owner(play_euro, owner, member, stranger):
    play_euro.set_inviter(member, True, sender=owner)
    for caller in (member, stranger):
        with boa.reverts("ownable: caller is not the owner"):
            play_euro.set_inviter(stranger, True, sender=caller)
