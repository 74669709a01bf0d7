"""`transfer_ownership`, `accept_ownership`, `owner`, `pending_owner`."""

import boa

from tests.custody import NOBODY
from tests.logs import event, events


def test_passes_in_two_steps(coin_escrow, load, owner, stranger):
    coin_escrow.transfer_ownership(stranger, sender=owner)
    assert events(coin_escrow) == [
        event(coin_escrow, "OwnershipTransferStarted", previous_owner=owner, new_owner=stranger)
    ]
    assert (coin_escrow.owner(), coin_escrow.pending_owner()) == (owner, stranger)
    coin_escrow.accept_ownership(sender=stranger)
    assert events(coin_escrow) == [event(coin_escrow, "OwnershipTransferred", previous_owner=owner, new_owner=stranger)]
    assert (coin_escrow.owner(), coin_escrow.pending_owner()) == (stranger, NOBODY)
    third = load("Product").deploy()
    with boa.reverts("ownable: caller is not the owner"):
        coin_escrow.register_product(third, sender=owner)
    coin_escrow.register_product(third, sender=stranger)
    assert coin_escrow.products(2) == third.address


def test_can_be_called_back(coin_escrow, owner, stranger):
    coin_escrow.transfer_ownership(stranger, sender=owner)
    coin_escrow.transfer_ownership(NOBODY, sender=owner)
    with boa.reverts("ownable_2step: caller is not the new owner"):
        coin_escrow.accept_ownership(sender=stranger)
    assert coin_escrow.owner() == owner


def test_reverts_when_not_the_owner(coin_escrow, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        coin_escrow.transfer_ownership(stranger, sender=stranger)


def test_reverts_when_not_the_pending_owner(coin_escrow, owner, stranger):
    for caller in (owner, stranger):
        with boa.reverts("ownable_2step: caller is not the new owner"):
            coin_escrow.accept_ownership(sender=caller)


def test_cannot_be_renounced(coin_escrow):
    assert not hasattr(coin_escrow, "renounce_ownership")
