"""`transfer_ownership`, `accept_ownership`, `owner`, `pending_owner`."""

import boa

from tests.custody import NOBODY
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
