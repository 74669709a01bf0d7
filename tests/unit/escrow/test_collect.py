import boa
import pytest

from tessera.accounting.ledger import COLLECTED, PAID
from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, POT, entry
from tests.logs import events
from tests.refusals import refused_without_a_text

LIMIT = 2**128
WRONG_KINDS = [0, Kind.DEPOSIT, Kind.WITHDRAWAL, *PAID, Kind.BET_DEBIT | Kind.FUNDING, Kind.BET_DEBIT | Kind.PAYOUT]


@pytest.mark.parametrize("kind", COLLECTED)
def test_moves_from_a_balance_into_a_pot(coin_escrow, product, payer, kind):
    coin_escrow.collect(payer, POT, 30 * EUR, kind, sender=product.address)
    assert events(coin_escrow) == [entry(coin_escrow, payer, kind, 30 * EUR, 70 * EUR, product, POT)]
    assert (coin_escrow.balance_of(payer), coin_escrow.consent_of(payer)) == (70 * EUR, 1)
    assert coin_escrow.pot_balance(product, POT) == 30 * EUR


def test_adds_to_the_pot(coin, coin_escrow, product, payer):
    for _ in range(3):
        coin_escrow.collect(payer, POT, 20 * EUR, Kind.BET_DEBIT, sender=product.address)
    assert (coin_escrow.balance_of(payer), coin_escrow.pot_balance(product, POT)) == (40 * EUR, 60 * EUR)
    assert coin.balanceOf(coin_escrow) == 100 * EUR


def test_takes_the_whole_balance(coin_escrow, product, payer):
    coin_escrow.collect(payer, POT, 100 * EUR, Kind.BET_DEBIT, sender=product.address)
    assert (coin_escrow.balance_of(payer), coin_escrow.consent_of(payer)) == (0, 1)


def test_fills_the_caller_s_pot_of_that_number_alone(coin_escrow, product, other_product, bystander, payer):
    coin_escrow.collect(bystander, POT, 20 * EUR, Kind.BET_DEBIT, sender=other_product.address)
    coin_escrow.collect(payer, POT, EUR, Kind.BET_DEBIT, sender=product.address)
    assert coin_escrow.pot_balance(other_product, POT) == 20 * EUR
    assert coin_escrow.pot_balance(product, POT) == EUR
    assert coin_escrow.pot_balance(product, bytes(32)) == 0


def test_takes_any_pot_number(coin_escrow, product, payer):
    for pot_id in (bytes(32), b"\xff" * 32):
        coin_escrow.collect(payer, pot_id, EUR, Kind.BET_DEBIT, sender=product.address)
        assert coin_escrow.pot_balance(product, pot_id) == EUR


def test_takes_from_the_product_itself_only_with_consent(coin_escrow, product, payer):
    coin_escrow.deposit(EUR, product, 0, sender=payer)
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(product, POT, EUR, Kind.FUNDING, sender=product.address)
    coin_escrow.set_consent(1, sender=product.address)
    coin_escrow.collect(product, POT, EUR, Kind.FUNDING, sender=product.address)
    assert (coin_escrow.balance_of(product), coin_escrow.pot_balance(product, POT)) == (0, EUR)


def test_reverts_when_not_a_product(coin_escrow, payer, stranger, owner):
    for caller in (stranger, owner, payer):
        with boa.reverts("escrow: not a product"):
            coin_escrow.collect(payer, POT, EUR, Kind.BET_DEBIT, sender=caller)


def test_reverts_when_consent_is_for_another_product(coin_escrow, product, other_product, payer, bystander):
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(bystander, POT, EUR, Kind.BET_DEBIT, sender=product.address)
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(payer, POT, EUR, Kind.BET_DEBIT, sender=other_product.address)


def test_reverts_when_consent_is_for_another_product_and_the_pot_is_old(
    coin_escrow, product, other_product, payer, bystander, pot
):
    """Where the pot exists, its word says which bit is meant."""
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(bystander, pot, EUR, Kind.BET_DEBIT, sender=product.address)
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(payer, pot, EUR, Kind.BET_DEBIT, sender=other_product.address)


def test_an_emptied_pot_still_knows_its_product(coin_escrow, product, payer, bystander, pot):
    coin_escrow.pay(pot, payer, 10 * EUR, Kind.REFUND, sender=product.address)
    with boa.reverts("escrow: no consent"):
        coin_escrow.collect(bystander, pot, EUR, Kind.BET_DEBIT, sender=product.address)
    coin_escrow.collect(payer, pot, EUR, Kind.BET_DEBIT, sender=product.address)
    assert coin_escrow.pot_balance(product, pot) == EUR


@pytest.mark.parametrize("kind", WRONG_KINDS)
def test_reverts_when_the_kind_is_wrong(coin_escrow, product, payer, kind):
    with boa.reverts("escrow: wrong kind"):
        coin_escrow.collect(payer, POT, EUR, kind, sender=product.address)


@pytest.mark.parametrize("kind", [1 << 10, 1 << 255, 2**256 - 1])
def test_reverts_when_the_kind_is_none_at_all(coin_escrow, product, payer, kind):
    """The ABI decoder refuses it, without a text."""
    call = coin_escrow.collect.prepare_calldata(payer, POT, EUR, Kind.BET_DEBIT)
    call = call[: 4 + 96] + kind.to_bytes(32)
    with refused_without_a_text():
        product.execute(coin_escrow, call)
    assert coin_escrow.pot_balance(product, POT) == 0


def test_reverts_when_zero(coin_escrow, product, payer):
    with boa.reverts("escrow: zero amount"):
        coin_escrow.collect(payer, POT, 0, Kind.BET_DEBIT, sender=product.address)


@pytest.mark.parametrize("too_much", [100 * EUR + 1, LIMIT, LIMIT + 1, 2**256 - 1])
def test_reverts_when_the_balance_is_too_low(coin_escrow, product, payer, bystander, too_much):
    with boa.reverts("escrow: balance too low"):
        coin_escrow.collect(payer, POT, too_much, Kind.BET_DEBIT, sender=product.address)


def test_reverts_when_nobody_pays(coin_escrow, product):
    with boa.reverts("escrow: balance too low"):
        coin_escrow.collect(NOBODY, POT, EUR, Kind.BET_DEBIT, sender=product.address)


def test_reverts_when_the_pot_would_overflow(hostile, hostile_escrow, product, members):
    """No real token gets there; the pot's number above what it holds stays whole all the same."""
    for member in members[1:3]:
        hostile.mint(member, LIMIT)
        hostile_escrow.deposit(LIMIT - 1, member, 1, sender=member)
    hostile_escrow.collect(members[1], POT, LIMIT - 1, Kind.BET_DEBIT, sender=product.address)
    with boa.reverts("escrow: pot overflow"):
        hostile_escrow.collect(members[2], POT, 1, Kind.BET_DEBIT, sender=product.address)
    assert hostile_escrow.pot_balance(product, POT) == LIMIT - 1
