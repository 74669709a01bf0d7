"""ProrataBets with its people."""

import pytest

from tests.hosted import House


@pytest.fixture(scope="session")
def house(evm):
    """The panel is three of five; host and validators take 5 % each."""
    return House("ProrataBets")


@pytest.fixture
def listing(house, evm_clock):
    """An open bet of two predictions."""
    return house.listed()
