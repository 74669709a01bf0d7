"""BET with 6 of 10 million in the treasury and 4 million to be mined by `pool`, a contract."""

import boa
import pytest

WAD = 10**18
CAP = 10_000_000 * WAD
BUDGET = 4_000_000 * WAD


@pytest.fixture(scope="session")
def treasury():
    return boa.env.generate_address("treasury")


@pytest.fixture(scope="session")
def bet(load, owner, treasury):
    """Nobody mines yet."""
    return load("BetToken").deploy(CAP, BUDGET, treasury, sender=owner)


@pytest.fixture(scope="session")
def pool(load):
    """Any contract."""
    return load("Panels").deploy().address


@pytest.fixture
def mined(bet, owner, pool):
    """BET that `pool` mines."""
    bet.set_minter(pool, sender=owner)
    return bet


@pytest.fixture(scope="session")
def staker():
    return boa.env.generate_address("staker")
