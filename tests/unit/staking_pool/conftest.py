"""The staking contracts, deployed once for this folder, and people who have some tokens."""

import boa
import pytest

from tests.prize_system import USD, WAD, deployed


@pytest.fixture(scope="package")
def system(evm):
    return deployed()


@pytest.fixture(autouse=True)
def clock(evm_clock, system):
    system.resume()


@pytest.fixture(scope="package")
def staker(system):
    """10,000 USDC and 10,000 DAI, approved, nothing staked."""
    return funded(system)


@pytest.fixture(scope="package")
def rival(system):
    """The same again."""
    return funded(system)


def funded(system):
    account = boa.env.generate_address()
    system.fund(account, system.usdc, 10_000 * USD)
    system.fund(account, system.dai, 10_000 * WAD)
    return account
