"""The treasury and owner acts only on what was public for the least delay; the mechanism is snekmate's."""

from contextlib import contextmanager

import boa
import pytest
from eth_utils import keccak

from tests.prize_system import load

DAY = 86_400
NOTHING = b"\0" * 32


@contextmanager
def chain_id(number):
    """The chain says another id while it lasts."""
    patch = boa.env.evm.patch
    before, patch.chain_id = patch.chain_id, number
    try:
        yield
    finally:
        patch.chain_id = before


@pytest.fixture(autouse=True)
def public_chain():
    with chain_id(1):
        yield


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


BAD = [
    (0, "timelock: delay below a day"),
    (DAY - 1, "timelock: delay below a day"),
    (30 * DAY + 1, "timelock: delay above 30 days"),
    (10**9, "timelock: delay above 30 days"),
    (2**256 - 1, "timelock: delay above 30 days"),
]


@pytest.fixture
def update(timelock, proposer):
    """Schedules and executes `update_delay`; how long the operation waits is the caller's."""

    def update(delay, wait=None):
        wait = timelock.get_minimum_delay() if wait is None else wait
        call = (timelock.address, 0, timelock.update_delay.prepare_calldata(delay), NOTHING, NOTHING)
        timelock.schedule(*call, wait, sender=proposer)
        boa.env.timestamp += wait
        timelock.execute(*call, sender=proposer)

    return update


@pytest.mark.parametrize("delay", [DAY, 30 * DAY])
def test_delay_may_be_a_day_to_30_days(timelock, proposer, update, delay):
    assert load("contracts/Timelock.vy").deploy(delay, [proposer], []).get_minimum_delay() == delay
    update(delay)
    assert [log for log in timelock.get_logs() if type(log).__name__ == "MinimumDelayChange"] != []
    assert timelock.get_minimum_delay() == delay


@pytest.mark.parametrize(("delay", "reason"), BAD)
def test_reverts_when_deployed_with_a_bad_delay(evm, proposer, delay, reason):
    with boa.reverts(reason):
        load("contracts/Timelock.vy").deploy(delay, [proposer], [])


@pytest.mark.parametrize(("delay", "reason"), BAD)
def test_update_delay_cannot_end_the_notice(timelock, update, delay, reason):
    """`update_delay(0)` once took notice away for good, and `10**9` locked everything for 31 years."""
    with boa.reverts(reason):
        timelock.update_delay(delay, sender=timelock.address)
    with boa.reverts():
        update(delay)
    assert timelock.get_minimum_delay() == 2 * DAY


@pytest.mark.parametrize("chain", [1337, 31337])
def test_a_local_node_may_have_a_shorter_delay(evm, proposer, chain):
    with chain_id(chain):
        timelock = load("contracts/Timelock.vy").deploy(1, [proposer], [])
        timelock.update_delay(60, sender=timelock.address)
        assert timelock.get_minimum_delay() == 60
        with boa.reverts("timelock: delay below a day"):
            timelock.update_delay(0, sender=timelock.address)
        with boa.reverts("timelock: delay above 30 days"):
            timelock.update_delay(30 * DAY + 1, sender=timelock.address)


@pytest.mark.parametrize("chain", [1336, 1338, 31336, 31338, 10])
def test_no_other_chain_may(evm, proposer, chain):
    with chain_id(chain), boa.reverts("timelock: delay below a day"):
        load("contracts/Timelock.vy").deploy(DAY - 1, [proposer], [])


def test_reverts_when_the_delay_is_updated_by_hand(timelock, proposer, stranger):
    for caller in (proposer, stranger):
        with boa.reverts("timelock: only by an operation"):
            timelock.update_delay(DAY, sender=caller)


def test_reverts_when_deployed_without_proposers(evm):
    with boa.reverts("timelock: no proposers"):
        load("contracts/Timelock.vy").deploy(DAY, [], [])


def test_openzeppelin_timelocks_give_notice_once_and_never_again(timelock, proposer, token, stranger, update):
    """A proposer who has waited two days for `update_delay(0)` could act without notice from then on, and take all 100
    BET in a second. The shortest that can be had is a day, so the second operation is public for a day too."""
    with boa.reverts():
        update(0)
    update(DAY)
    call = (token.address, 0, token.transfer.prepare_calldata(stranger, 100), NOTHING, NOTHING)
    with boa.reverts("timelock_controller: insufficient delay"):
        timelock.schedule(*call, DAY - 1, sender=proposer)
    timelock.schedule(*call, DAY, sender=proposer)
    boa.env.timestamp += DAY - 1
    with boa.reverts("timelock_controller: operation is not ready"):
        timelock.execute(*call, sender=proposer)
    assert token.balanceOf(stranger) == 0
