import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR
from tests.logs import event, events


@pytest.mark.parametrize("products", [0b00, 0b01, 0b10, 0b11])
def test_replaces_what_was_said_before(coin_escrow, payer, products):
    coin_escrow.set_consent(products, sender=payer)
    assert events(coin_escrow) == [event(coin_escrow, "ConsentChanged", account=payer, products=products)]
    assert (coin_escrow.consent_of(payer), coin_escrow.balance_of(payer)) == (products, 100 * EUR)


def test_is_the_caller_s_alone(coin_escrow, payer, bystander, stranger):
    coin_escrow.set_consent(0b11, sender=stranger)
    assert [coin_escrow.consent_of(who) for who in (stranger, payer, bystander)] == [0b11, 0b01, 0b10]
    assert coin_escrow.balance_of(stranger) == 0


def test_withdrawn_stops_new_debits_and_not_running_bets(coin_escrow, product, payer, pot):
    coin_escrow.set_consent(0, sender=payer)
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(payer, pot, 1, Kind.BET_DEBIT, sender=product.address)
    coin_escrow.move(pot, bytes(32), 4 * EUR, sender=product.address)
    coin_escrow.pay(pot, payer, 6 * EUR, Kind.PAYOUT, sender=product.address)
    assert (coin_escrow.consent_of(payer), coin_escrow.balance_of(payer)) == (0, 96 * EUR)


@pytest.mark.parametrize("products", [0b100, 0b111, 1 << 127, 1 << 128, 1 << 255, 2**256 - 1])
def test_reverts_when_a_product_is_unknown(coin_escrow, payer, products):
    with boa.reverts("escrow: unknown product"):
        coin_escrow.set_consent(products, sender=payer)


def test_reverts_when_there_is_no_product_yet(load, coin, payer):
    escrow = load("Escrow").deploy(coin, False)
    escrow.set_consent(0, sender=payer)
    with boa.reverts("escrow: unknown product"):
        escrow.set_consent(1, sender=payer)
