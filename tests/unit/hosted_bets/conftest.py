"""Both products of hosted bets, for what they have in common."""

import pytest

from tests.hosted import House


@pytest.fixture(scope="session", params=["ProrataBets", "OddsBets"])
def house(request, evm):
    """A product with its people. The panel is three of five."""
    return House(request.param)


@pytest.fixture
def listing(house, evm_clock):
    """An open bet of two predictions."""
    return house.listed()


@pytest.fixture
def private(house, evm_clock):
    """An open private bet."""
    return house.listed(is_private=True)
