"""Two products over `coin_escrow`, both as bad as a test wants: an Escrow cannot tell, so tests call in their name."""

import pytest

from tessera.chain.escrow import Kind
from tests.custody import EUR, POT


@pytest.fixture(scope="session")
def product(load):
    """Product 0."""
    return load("Product").deploy()


@pytest.fixture(scope="session")
def other_product(load):
    """Product 1."""
    return load("Product").deploy()


@pytest.fixture(scope="session")
def coin_escrow(load, owner, coin, members, product, other_product):
    """As the shared one, with the two products."""
    escrow = load("Escrow").deploy(coin, False, sender=owner)
    escrow.register_product(product, sender=owner)
    escrow.register_product(other_product, sender=owner)
    for member in members:
        coin.approve(escrow, 2**256 - 1, sender=member)
    return escrow


@pytest.fixture
def payer(coin_escrow, members):
    """Deposited 100 coins, consents to `product` alone."""
    coin_escrow.deposit(100 * EUR, members[0], 1, sender=members[0])
    return members[0]


@pytest.fixture
def bystander(coin_escrow, members):
    """Deposited 100 coins, consents to `other_product` alone."""
    coin_escrow.deposit(100 * EUR, members[1], 2, sender=members[1])
    return members[1]


@pytest.fixture(scope="session")
def payee(members):
    """Has deposited nothing."""
    return members[2]


@pytest.fixture
def pot(coin_escrow, product, other_product, payer, bystander):
    """Pot 7 of `product` holds 10 coins of the payer; pot 7 of `other_product` 20 of the bystander."""
    coin_escrow.collect(payer, POT, 10 * EUR, Kind.BET_DEBIT, sender=product.address)
    coin_escrow.collect(bystander, POT, 20 * EUR, Kind.BET_DEBIT, sender=other_product.address)
    return POT


@pytest.fixture(scope="session")
def holdings(coin, coin_escrow, product, other_product, members, signer, owner, stranger):
    """Returns what reads all the money there is: tokens, balances and pots, by holder."""
    people = [*members, signer.address, owner, stranger, product.address, other_product.address]
    pots = [(p.address, n.to_bytes(32)) for p in (product, other_product) for n in range(10)]

    def holdings():
        return (
            {("token", who): coin.balanceOf(who) for who in [*people, coin_escrow.address]}
            | {("balance", who): coin_escrow.balance_of(who) for who in people}
            | {("pot", *pot): coin_escrow.pot_balance(*pot) for pot in pots}
        )

    return holdings


@pytest.fixture(scope="session")
def hostile(load, members):
    """A token that misbehaves as told; members 0 to 2 have 1,000 and approved `hostile_escrow`."""
    token = load("HostileToken").deploy()
    for member in members[:3]:
        token.mint(member, 1_000 * EUR)
    return token


@pytest.fixture(scope="session")
def hostile_escrow(load, owner, hostile, product, members):
    """An Escrow over `hostile`; `product` is its product 0, member 0 has deposited 100 and consents to it."""
    escrow = load("Escrow").deploy(hostile, False, sender=owner)
    escrow.register_product(product, sender=owner)
    for member in members[:3]:
        hostile.approve(escrow, 2**256 - 1, sender=member)
    escrow.deposit(100 * EUR, members[0], 1, sender=members[0])
    return escrow
