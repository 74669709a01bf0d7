import boa

from tests.custody import NOBODY
from tests.logs import event, events
from tests.refusals import refused_without_a_text


def test_names_the_escrow(fresh, fresh_escrow, owner):
    fresh.set_escrow(fresh_escrow, sender=owner)
    assert events(fresh) == [event(fresh, "EscrowSet", escrow=fresh_escrow.address)]
    assert fresh.escrow() == fresh_escrow.address


def test_reverts_when_not_the_owner(fresh, fresh_escrow, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        fresh.set_escrow(fresh_escrow, sender=stranger)


def test_reverts_when_set_before(fresh, fresh_escrow, load, owner):
    fresh.set_escrow(fresh_escrow, sender=owner)
    for other in (fresh_escrow, load("Escrow").deploy(fresh, True)):
        with boa.reverts("playeuro: escrow is set"):
            fresh.set_escrow(other, sender=owner)


def test_reverts_when_it_is_of_another_token(fresh, escrow, owner):
    with boa.reverts("playeuro: escrow of another"):
        fresh.set_escrow(escrow, sender=owner)


def test_reverts_when_it_is_not_own_only(fresh, load, owner):
    with boa.reverts("playeuro: escrow not own-only"):
        fresh.set_escrow(load("Escrow").deploy(fresh, False), sender=owner)


def test_reverts_when_it_is_no_escrow(fresh, coin, owner, stranger):
    for wrong in (stranger, NOBODY, coin, fresh):
        with refused_without_a_text():
            fresh.set_escrow(wrong, sender=owner)
    assert fresh.escrow() == NOBODY
