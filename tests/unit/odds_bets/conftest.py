"""OddsBets with its people: 80 % on the first prediction, 110 % on the second."""

import pytest

from tests.hosted import COIN, House


@pytest.fixture(scope="session")
def house(evm):
    """The panel is three of five; validators take 1 % of what is confirmed."""
    return House("OddsBets")


@pytest.fixture
def listing(house, evm_clock):
    """An open bet without commission or bankroll."""
    return house.listed(bankroll=0, validator_bps=0)


@pytest.fixture
def funded(house, evm_clock):
    """The same with a bankroll of 100 coins."""
    return house.listed(bankroll=100 * COIN, validator_bps=0)
