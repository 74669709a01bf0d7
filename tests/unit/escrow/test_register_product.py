import boa
import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, NOBODY, POT
from tests.logs import event, events
from tests.refusals import refused_without_a_text


@pytest.fixture
def fresh(load, coin, owner):
    """An Escrow without products."""
    return load("Escrow").deploy(coin, False, sender=owner)


@pytest.fixture(scope="session")
def contracts():
    """A hundred and twenty-nine addresses with code."""
    contracts = [boa.env.generate_address() for _ in range(129)]
    for contract in contracts:
        boa.env.set_code(contract, b"\x00")
    return contracts


def test_gives_the_next_index(fresh, product, other_product, owner):
    fresh.register_product(product, sender=owner)
    assert events(fresh) == [event(fresh, "ProductRegistered", product=product.address, index=0)]
    fresh.register_product(other_product, sender=owner)
    assert events(fresh) == [event(fresh, "ProductRegistered", product=other_product.address, index=1)]
    assert [fresh.products(i) for i in range(2)] == [product.address, other_product.address]
    with refused_without_a_text():
        fresh.products(2)


def test_gives_nobody_s_consent(fresh, product, owner, payer, coin):
    coin.approve(fresh, EUR, sender=payer)
    fresh.deposit(EUR, payer, 0, sender=payer)
    fresh.register_product(product, sender=owner)
    assert fresh.consent_of(payer) == 0
    with boa.reverts("escrow: no consent"):
        fresh.collect(payer, POT, EUR, Kind.BET_DEBIT, sender=product.address)


def test_registers_128_and_no_more_each_with_a_bit_of_its_own(fresh, contracts, coin, owner, payer):
    coin.approve(fresh, 100 * EUR, sender=payer)
    fresh.deposit(100 * EUR, payer, 0, sender=payer)
    for i, contract in enumerate(contracts[:128]):
        fresh.register_product(contract, sender=owner)
        fresh.set_consent(1 << i, sender=payer)
        fresh.collect(payer, POT, 1, Kind.BET_DEBIT, sender=contract)  # a new pot
        fresh.collect(payer, POT, 1, Kind.BET_DEBIT, sender=contract)  # an old one
    for i, neighbour in [(0, 1), (1, 0), (63, 64), (127, 126), (127, 0), (0, 127)]:
        fresh.set_consent(1 << i, sender=payer)
        with boa.reverts("escrow: no consent"):
            fresh.collect(payer, POT, 1, Kind.BET_DEBIT, sender=contracts[neighbour])
    with boa.reverts("escrow: too many products"):
        fresh.register_product(contracts[128], sender=owner)
    fresh.set_consent(2**128 - 1, sender=payer)
    assert (fresh.consent_of(payer), fresh.balance_of(payer)) == (2**128 - 1, 100 * EUR - 256)
    with boa.reverts("escrow: unknown product"):
        fresh.set_consent(2**128, sender=payer)
    with boa.reverts("escrow: unknown product"):
        fresh.deposit(1, payer, 2**128, sender=payer)


def test_reverts_when_not_the_owner(fresh, product, stranger):
    with boa.reverts("ownable: caller is not the owner"):
        fresh.register_product(product, sender=stranger)
    with boa.reverts("ownable: caller is not the owner"):
        fresh.register_product(product, sender=product.address)


def test_reverts_when_it_has_no_code(fresh, owner, stranger):
    for codeless in (stranger, NOBODY):
        with boa.reverts("escrow: product has no code"):
            fresh.register_product(codeless, sender=owner)


def test_reverts_when_registered_before(fresh, product, other_product, owner):
    fresh.register_product(product, sender=owner)
    fresh.register_product(other_product, sender=owner)
    for registered in (product, other_product):
        with boa.reverts("escrow: already registered"):
            fresh.register_product(registered, sender=owner)
