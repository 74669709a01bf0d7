import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, POT
from tests.logs import event, events

OTHER_POT = (8).to_bytes(32)
LIMIT = 2**128


def moved(escrow, product, from_pot, to_pot, amount):
    fields = {"product": product.address, "from_pot": from_pot, "to_pot": to_pot, "amount": amount}
    return event(escrow, "Moved", **fields, timestamp=boa.env.timestamp)


def test_moves_between_pots_of_the_caller(coin_escrow, product, other_product, pot):
    coin_escrow.move(pot, OTHER_POT, 4 * EUR, sender=product.address)
    assert events(coin_escrow) == [moved(coin_escrow, product, pot, OTHER_POT, 4 * EUR)]
    assert [coin_escrow.pot_balance(product, p) for p in (pot, OTHER_POT)] == [6 * EUR, 4 * EUR]
    assert [coin_escrow.pot_balance(other_product, p) for p in (pot, OTHER_POT)] == [20 * EUR, 0]


def test_adds_to_the_pot_and_empties_the_other(coin_escrow, product, payer, pot):
    coin_escrow.collect(payer, OTHER_POT, EUR, Kind.BET_DEBIT, sender=product.address)
    coin_escrow.move(pot, OTHER_POT, 10 * EUR, sender=product.address)
    assert [coin_escrow.pot_balance(product, p) for p in (pot, OTHER_POT)] == [0, 11 * EUR]


def test_moves_into_the_same_pot_and_changes_nothing(coin_escrow, product, pot):
    coin_escrow.move(pot, pot, 10 * EUR, sender=product.address)
    assert events(coin_escrow) == [moved(coin_escrow, product, pot, pot, 10 * EUR)]
    assert coin_escrow.pot_balance(product, pot) == 10 * EUR


def test_a_pot_that_was_filled_by_a_move_knows_its_product(coin_escrow, product, payer, bystander, pot):
    coin_escrow.move(pot, OTHER_POT, EUR, sender=product.address)
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(bystander, OTHER_POT, EUR, Kind.BET_DEBIT, sender=product.address)
    coin_escrow.collect(payer, OTHER_POT, EUR, Kind.BET_DEBIT, sender=product.address)
    assert coin_escrow.pot_balance(product, OTHER_POT) == 2 * EUR


def test_reverts_when_not_a_product(coin_escrow, pot, payer):
    with boa.reverts("escrow: not a product"):
        coin_escrow.move(pot, OTHER_POT, EUR, sender=payer)


@pytest.mark.parametrize("too_much", [10 * EUR + 1, 20 * EUR, LIMIT, 2**256 - 1])
def test_reverts_when_the_pot_is_too_small(coin_escrow, product, pot, too_much):
    with boa.reverts("escrow: pot too small"):
        coin_escrow.move(pot, OTHER_POT, too_much, sender=product.address)


def test_reverts_when_zero(coin_escrow, product, pot):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.move(pot, OTHER_POT, 0, sender=product.address)


def test_reverts_when_the_pot_would_overflow(hostile, hostile_escrow, product, members):
    payer, rich = members[:2]
    hostile.mint(rich, LIMIT)
    hostile_escrow.deposit(LIMIT - 1, rich, 1, sender=rich)
    hostile_escrow.collect(rich, POT, LIMIT - 1, Kind.BET_DEBIT, sender=product.address)
    hostile_escrow.collect(payer, OTHER_POT, 1, Kind.BET_DEBIT, sender=product.address)
    with boa.reverts("escrow: pot overflow"):
        hostile_escrow.move(OTHER_POT, POT, 1, sender=product.address)
