import boa

from tests.logs import event, events
from tests.refusals import refused_without_a_text


def test_invites_each(fresh, owner, stranger, newcomer):
    fresh.invite([stranger, newcomer], sender=owner)
    assert events(fresh) == [
        event(fresh, "Invited", account=stranger),
        event(fresh, "Invited", account=newcomer),
    ]
    assert fresh.invited(stranger)
    assert fresh.invited(newcomer)
    assert not fresh.invited(owner)


def test_invites_nobody(fresh, owner):
    fresh.invite([], sender=owner)
    assert events(fresh) == []


def test_invites_again_without_error_and_without_a_second_welcome(play_euro, owner, member):
    play_euro.invite([member, member], sender=owner)
    assert events(play_euro) == [event(play_euro, "Invited", account=member)] * 2
    with boa.reverts("playeuro: already joined"):
        play_euro.join(0, sender=member)


def test_invites_256_at_once(fresh, owner):
    accounts = ["0x" + n.to_bytes(20).hex() for n in range(1, 257)]
    fresh.invite(accounts, sender=owner)
    assert len(events(fresh)) == 256
    assert fresh.invited(accounts[0])
    assert fresh.invited(accounts[255])


def test_reverts_when_more_than_256(fresh, owner, stranger):
    with refused_without_a_text():
        fresh.invite([stranger] * 257, sender=owner)


def test_an_inviter_invites(fresh, owner, stranger, newcomer):
    fresh.set_inviter(newcomer, True, sender=owner)
    fresh.invite([stranger], sender=newcomer)
    assert fresh.invited(stranger)


def test_reverts_when_neither_owner_nor_inviter(play_euro, member, stranger):
    for caller in (member, stranger):
        with boa.reverts("playeuro: not an inviter"):
            play_euro.invite([stranger], sender=caller)


def test_reverts_when_no_inviter_any_more(fresh, owner, stranger, newcomer):
    fresh.set_inviter(newcomer, True, sender=owner)
    fresh.set_inviter(newcomer, False, sender=owner)
    with boa.reverts("playeuro: not an inviter"):
        fresh.invite([stranger], sender=newcomer)
