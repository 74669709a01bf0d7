"""What prize events are deployed with is checked once and for good."""

import boa
import pytest

from tests.prize_system import BLOCKS_PER_HOUR, MIN_BLOCKS, load

ZERO = "0x" + "00" * 20


@pytest.fixture
def arguments(system):
    return [system.pool, system.prizes, system.panels, system.usdc, BLOCKS_PER_HOUR, MIN_BLOCKS]


def test_knows_its_parts(system):
    events = system.events
    assert (events.STAKING(), events.PRIZES()) == (system.pool.address, system.prizes.address)
    assert (events.PANELS(), events.PRIZE_TOKEN()) == (system.panels.address, system.usdc.address)
    assert (events.BLOCKS_PER_HOUR(), events.MIN_BLOCKS()) == (BLOCKS_PER_HOUR, MIN_BLOCKS)
    assert system.usdc.allowance(events, system.prizes) == 2**256 - 1


@pytest.mark.parametrize(
    ("number", "value", "reason"),
    [
        (0, ZERO, "events: zero staking pool"),
        (1, ZERO, "events: zero prize pool"),
        (2, ZERO, "events: panels has no code"),
        (4, 0, "events: bad blocks per hour"),
        (4, 14_401, "events: bad blocks per hour"),
        (5, 0, "events: bad least length"),
        (5, 366 * 24 * BLOCKS_PER_HOUR + 1, "events: bad least length"),
    ],
)
def test_reverts_when_out_of_bounds(arguments, number, value, reason):
    arguments[number] = value
    with boa.reverts(reason):
        load("contracts/PredictionEvents.vy").deploy(*arguments)


def test_reverts_when_token_refuses_the_approval(arguments):
    arguments[3] = load("tests/mocks/Token.vy").deploy(6)
    arguments[3].set_approvable(False)
    with boa.reverts("events: no approval"):
        load("contracts/PredictionEvents.vy").deploy(*arguments)
