"""An invitation can be taken back until it is used."""

import boa
import pytest

from tests.logs import event, events


@pytest.fixture
def inviter(play_euro, owner):
    inviter = boa.env.generate_address("inviter")
    play_euro.set_inviter(inviter, True, sender=owner)
    return inviter


def test_takes_an_invitation_back(play_euro, owner, newcomer):
    play_euro.invite([newcomer], sender=owner)
    play_euro.uninvite([newcomer], sender=owner)
    assert events(play_euro) == [event(play_euro, "Uninvited", account=newcomer)]
    assert not play_euro.invited(newcomer)
    with boa.reverts("playeuro: not invited"):
        play_euro.join(0, sender=newcomer)


def test_can_be_invited_again(play_euro, owner, newcomer):
    for act in (play_euro.invite, play_euro.uninvite, play_euro.invite):
        act([newcomer], sender=owner)
    play_euro.join(0, sender=newcomer)
    assert play_euro.joined(newcomer)


def test_an_inviter_takes_back_what_the_owner_gave_and_the_other_way(play_euro, owner, inviter, newcomer):
    play_euro.invite([newcomer], sender=owner)
    play_euro.uninvite([newcomer], sender=inviter)
    assert not play_euro.invited(newcomer)
    play_euro.invite([newcomer], sender=inviter)
    play_euro.uninvite([newcomer], sender=owner)
    assert not play_euro.invited(newcomer)


def test_who_joined_a_moment_before_stays_and_does_not_hold_up_the_others(play_euro, escrow, owner, member, newcomer):
    balance = escrow.balance_of(member)
    play_euro.invite([newcomer], sender=owner)
    play_euro.uninvite([member, newcomer], sender=owner)
    assert events(play_euro) == [event(play_euro, "Uninvited", account=newcomer)]
    assert play_euro.invited(member)
    assert play_euro.joined(member)
    assert escrow.balance_of(member) == balance


def test_who_was_not_invited_is_skipped(play_euro, owner, stranger):
    play_euro.uninvite([stranger], sender=owner)
    assert events(play_euro) == []


def test_reverts_when_neither_owner_nor_inviter(play_euro, owner, member, stranger, newcomer):
    play_euro.invite([newcomer], sender=owner)
    for caller in (member, stranger):
        with boa.reverts("playeuro: not an inviter"):
            play_euro.uninvite([newcomer], sender=caller)
    assert play_euro.invited(newcomer)
