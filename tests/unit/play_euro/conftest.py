"""A club that has nobody yet, beside the shared one."""

import pytest


@pytest.fixture
def fresh(load, owner):
    """A PlayEuro without an Escrow."""
    return load("PlayEuro").deploy(sender=owner)


@pytest.fixture
def fresh_escrow(load, owner, fresh):
    """An own-only Escrow of `fresh` that it does not know yet."""
    return load("Escrow").deploy(fresh, True, sender=owner)


@pytest.fixture(scope="session")
def member(members):
    """50 EUR in Escrow, consent to the markets."""
    return members[0]


@pytest.fixture(scope="session")
def accomplice(members):
    """Another member, with whom `member` would like to pool."""
    return members[1]
