"""The treasury and owner acts only on what was public for the least delay; the mechanism is snekmate's."""

import boa
import pytest
from eth_utils import keccak

from tests.prize_system import load

DAY = 86_400
NOTHING = b"\0" * 32


@pytest.fixture
def proposer():
    return boa.env.generate_address("proposer")


@pytest.fixture
def timelock(evm, proposer):
    return load("contracts/Timelock.vy").deploy(2 * DAY, [proposer], ["0x" + "00" * 20])


@pytest.fixture
def token(timelock):
    token = load("contracts/devnet/TestToken.vy").deploy("Bet", "BET", 18)
    token.mint(timelock, 100)
    return token


def test_spends_after_the_delay(timelock, token, proposer, stranger):
    call = (token.address, 0, token.transfer.prepare_calldata(stranger, 60), NOTHING, NOTHING)
    timelock.schedule(*call, 2 * DAY, sender=proposer)
    boa.env.timestamp += 2 * DAY - 1
    with boa.reverts("timelock_controller: operation is not ready"):
        timelock.execute(*call, sender=stranger)
    boa.env.timestamp += 1
    timelock.execute(*call, sender=stranger)
    assert token.balanceOf(stranger) == 60


def test_accepts_ownership_through_an_operation(evm, timelock, proposer, stranger):
    owned = load("contracts/Escrow.vy").deploy(load("contracts/devnet/TestToken.vy").deploy("T", "T", 6), False)
    owned.transfer_ownership(timelock)
    call = (owned.address, 0, owned.accept_ownership.prepare_calldata(), NOTHING, NOTHING)
    timelock.schedule(*call, 2 * DAY, sender=proposer)
    boa.env.timestamp += 2 * DAY
    timelock.execute(*call, sender=stranger)
    assert owned.owner() == timelock.address


def test_deployer_has_no_role(timelock, proposer):
    deployer = boa.env.eoa
    for role in (NOTHING, keccak(text="PROPOSER_ROLE"), keccak(text="CANCELLER_ROLE")):
        assert not timelock.hasRole(role, deployer)
    assert timelock.hasRole(keccak(text="PROPOSER_ROLE"), proposer)


def test_reverts_when_a_stranger_schedules(timelock, token, stranger):
    with boa.reverts("access_control: account is missing role"):
        timelock.schedule(token.address, 0, b"", NOTHING, NOTHING, 2 * DAY, sender=stranger)


def test_reverts_when_delay_is_too_short(timelock, token, proposer):
    with boa.reverts("timelock_controller: insufficient delay"):
        timelock.schedule(token.address, 0, b"", NOTHING, NOTHING, 2 * DAY - 1, sender=proposer)


@pytest.mark.parametrize("delay", [0, 30 * DAY + 1])
def test_reverts_when_deployed_with_a_bad_delay(evm, proposer, delay):
    with boa.reverts("timelock: bad delay"):
        load("contracts/Timelock.vy").deploy(delay, [proposer], [])


def test_reverts_when_deployed_without_proposers(evm):
    with boa.reverts("timelock: no proposers"):
        load("contracts/Timelock.vy").deploy(DAY, [], [])
