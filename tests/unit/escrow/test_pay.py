import boa
import pytest

from tessera.accounting.ledger import COLLECTED, PAID
from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, POT, entry
from tests.logs import events

LIMIT = 2**128
WRONG_KINDS = [0, Kind.DEPOSIT, Kind.WITHDRAWAL, *COLLECTED, Kind.PAYOUT | Kind.RESIDUE, Kind.PAYOUT | Kind.FUNDING]


@pytest.mark.parametrize("kind", PAID)
def test_moves_from_a_pot_into_a_balance(coin_escrow, product, pot, payee, kind):
    coin_escrow.pay(pot, payee, 4 * EUR, kind, sender=product.address)
    assert events(coin_escrow) == [entry(coin_escrow, payee, kind, 4 * EUR, 4 * EUR, product, pot)]
    assert (coin_escrow.balance_of(payee), coin_escrow.pot_balance(product, pot)) == (4 * EUR, 6 * EUR)


def test_adds_to_the_balance_and_keeps_consent(coin_escrow, product, pot, payer):
    coin_escrow.pay(pot, payer, 10 * EUR, Kind.PAYOUT, sender=product.address)
    assert events(coin_escrow) == [entry(coin_escrow, payer, Kind.PAYOUT, 10 * EUR, 100 * EUR, product, pot)]
    assert (coin_escrow.consent_of(payer), coin_escrow.pot_balance(product, pot)) == (1, 0)


def test_needs_no_consent(coin_escrow, product, pot, stranger):
    coin_escrow.pay(pot, stranger, EUR, Kind.COMMISSION, sender=product.address)
    assert (coin_escrow.balance_of(stranger), coin_escrow.consent_of(stranger)) == (EUR, 0)


def test_reverts_when_not_a_product(coin_escrow, pot, payer, owner):
    for caller in (payer, owner):
        with boa.reverts("escrow: not a product"):
            coin_escrow.pay(pot, payer, EUR, Kind.PAYOUT, sender=caller)


@pytest.mark.parametrize("too_much", [10 * EUR + 1, 20 * EUR, LIMIT, LIMIT + 1, 2**256 - 1])
def test_reverts_when_the_pot_is_too_small(coin_escrow, product, pot, payer, too_much):
    """Another product's pot of the same number holds 20 EUR; the product's own number above the 10 EUR is no money."""
    with boa.reverts("escrow: pot too small"):
        coin_escrow.pay(pot, payer, too_much, Kind.PAYOUT, sender=product.address)


def test_reverts_when_the_pot_is_empty(coin_escrow, product, pot, payer):
    with boa.reverts("escrow: pot too small"):
        coin_escrow.pay(bytes(32), payer, 1, Kind.PAYOUT, sender=product.address)


@pytest.mark.parametrize("kind", WRONG_KINDS)
def test_reverts_when_the_kind_is_wrong(coin_escrow, product, pot, payer, kind):
    with boa.reverts("escrow: wrong kind"):
        coin_escrow.pay(pot, payer, EUR, kind, sender=product.address)


def test_reverts_when_zero(coin_escrow, product, pot, payer):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.pay(pot, payer, 0, Kind.PAYOUT, sender=product.address)


def test_reverts_when_nobody_is_paid(coin_escrow, product, pot):
    with boa.reverts("escrow: zero account"):
        coin_escrow.pay(pot, NOBODY, EUR, Kind.PAYOUT, sender=product.address)


def test_reverts_when_the_balance_would_overflow(hostile, hostile_escrow, product, members):
    payer, full = members[:2]
    hostile.mint(full, LIMIT)
    hostile_escrow.deposit(LIMIT - 1, full, 0, sender=full)
    hostile_escrow.collect(payer, POT, 1, Kind.BET_DEBIT, sender=product.address)
    with boa.reverts("escrow: balance overflow"):
        hostile_escrow.pay(POT, full, 1, Kind.PAYOUT, sender=product.address)
    assert (hostile_escrow.consent_of(full), hostile_escrow.pot_balance(product, POT)) == (0, 1)
