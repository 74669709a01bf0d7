"""`approve`, `permit`, `nonces`: snekmate's, and worth nothing to anybody but Escrow."""

import boa
import pytest

from tests.custody import EUR
from tests.logs import event, events


@pytest.fixture
def signing_member(play_euro, escrow, signer, owner):
    """A member whose key the tests hold, with 50 EUR withdrawn."""
    play_euro.invite([signer.address], sender=owner)
    play_euro.join(0, sender=signer.address)
    escrow.withdraw(50 * EUR, signer.address, sender=signer.address)
    return signer


def test_approves_whoever_sends_it(play_euro, escrow, signing_member, sign_permit, stranger):
    who, deadline = signing_member.address, boa.env.timestamp
    permit = sign_permit(play_euro, signing_member, escrow, 7, deadline)
    play_euro.permit(who, escrow, 7, deadline, *permit, sender=stranger)
    assert events(play_euro) == [event(play_euro, "Approval", owner=who, spender=escrow.address, value=7)]
    assert (play_euro.allowance(who, escrow), play_euro.nonces(who)) == (7, 1)
    with boa.reverts("erc20: invalid signature"):
        play_euro.permit(who, escrow, 7, deadline, *permit, sender=stranger)


def test_reverts_when_late(play_euro, escrow, signing_member, sign_permit):
    deadline = boa.env.timestamp - 1
    permit = sign_permit(play_euro, signing_member, escrow, 7, deadline)
    with boa.reverts("erc20: expired deadline"):
        play_euro.permit(signing_member.address, escrow, 7, deadline, *permit)


def test_permit_to_another_member_moves_nothing(play_euro, signing_member, sign_permit, accomplice):
    who, deadline = signing_member.address, boa.env.timestamp
    permit = sign_permit(play_euro, signing_member, accomplice, 50 * EUR, deadline)
    play_euro.permit(who, accomplice, 50 * EUR, deadline, *permit, sender=accomplice)
    for to in (accomplice, play_euro.escrow()):
        with boa.reverts("playeuro: only into escrow"):
            play_euro.transferFrom(who, to, 50 * EUR, sender=accomplice)
