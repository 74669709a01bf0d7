"""What stands in for tokens, vaults, oracles and exchanges on local chains; anybody may use it."""

import boa
import pytest

UNIT = 10**6


@pytest.fixture(scope="session")
def person():
    return boa.env.generate_address("person")


@pytest.fixture(scope="session")
def token(load, person):
    """A token of 6 decimals, of which `person` holds a million."""
    token = load("devnet/TestToken").deploy("Test Dollar", "TUSD", 6)
    token.mint(person, 10**6 * UNIT)
    return token


@pytest.fixture(scope="session")
def other_token(load, person):
    token = load("devnet/TestToken").deploy("Test Token", "TEST", 18)
    token.mint(person, 10**6 * 10**18)
    return token


@pytest.fixture
def vault(load, token, person):
    """A vault in which `person` has 1,000 tokens."""
    vault = load("devnet/YieldVault").deploy(token)
    token.approve(vault, 2**256 - 1, sender=person)
    vault.deposit(1000 * UNIT, person, sender=person)
    return vault


@pytest.fixture(scope="session")
def feed(load):
    # At an address of its own: titanoboa remembers the storage of a contract that was there before and rolled back, and
    # fails to print a refusal where what it remembers was of other types.
    return load("devnet/PriceFeed").deploy(8, "TUSD / USD", 10**8, override_address=boa.env.generate_address())


@pytest.fixture(scope="session")
def pair(load, token, other_token):
    """Of the two tokens, empty."""
    return load("devnet/Pair").deploy(token, other_token)


@pytest.fixture(scope="session")
def router(load, pair, token, other_token, person):
    """Knows the pair; `person` has approved it."""
    router = load("devnet/Router").deploy()
    router.add_pair(pair)
    for coin in (token, other_token):
        coin.approve(router, 2**256 - 1, sender=person)
    return router


@pytest.fixture
def funded(router, pair, token, other_token, person):
    """The pair with 1,000 of the one and 4,000 of the other token."""
    amounts = (1000 * UNIT, 4000 * 10**18)
    router.addLiquidity(token, other_token, *amounts, *amounts, person, 2**64, sender=person)
    return pair
