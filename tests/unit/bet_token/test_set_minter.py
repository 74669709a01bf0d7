"""BetToken.set_minter: once, by the deployer, who is nobody afterwards."""

import boa

from tests.logs import event, events

NOBODY = "0x" + "00" * 20


def test_names_the_minter_and_leaves_no_owner(bet, owner, pool):
    bet.set_minter(pool, sender=owner)
    assert events(bet) == [
        event(bet, "OwnershipTransferred", previous_owner=owner, new_owner=NOBODY),
        event(bet, "MinterSet", minter=pool),
    ]
    assert (bet.minter(), bet.owner()) == (pool, NOBODY)


def test_reverts_when_set_again(mined, owner, pool):
    with boa.reverts("ownable: caller is not the owner"):
        mined.set_minter(mined.address, sender=owner)
    assert mined.minter() == pool


def test_reverts_when_the_caller_is_a_stranger(bet, pool, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        bet.set_minter(pool, sender=stranger)


def test_reverts_when_the_minter_has_no_code(bet, owner, stranger):
    for nobody in (NOBODY, stranger):
        with boa.reverts("bet: minter has no code"):
            bet.set_minter(nobody, sender=owner)
    assert bet.owner() == owner
