"""What a staking pool is deployed with is checked once and for good."""

import boa
import pytest

from tests.prize_system import BET_PER_BLOCK, MINING_BLOCKS, block_number, load

ZERO = "0x" + "00" * 20


@pytest.fixture
def arguments(system):
    now = block_number()
    return [system.events, system.prizes, system.usdc, system.bet, system.router, BET_PER_BLOCK, now, now + 10]


def test_knows_its_parts(system):
    pool = system.pool
    assert (pool.EVENTS(), pool.PRIZES()) == (system.events.address, system.prizes.address)
    assert (pool.PRIZE_TOKEN(), pool.BET(), pool.ROUTER()) == (
        system.usdc.address,
        system.bet.address,
        system.router.address,
    )
    assert (pool.MINING_RATE(), pool.MINING_END() - pool.MINING_START()) == (BET_PER_BLOCK, MINING_BLOCKS)
    assert pool.owner() == system.owner
    assert system.bet.MINING_BUDGET() == BET_PER_BLOCK * MINING_BLOCKS


def test_the_schedule_is_as_given(arguments):
    arguments[6:] = block_number() + 3, block_number() + 10
    pool = load("contracts/StakingPool.vy").deploy(*arguments)
    assert [pool.MINING_START(), pool.MINING_END()] == arguments[6:]


@pytest.mark.parametrize("number", [0, 1])
def test_reverts_when_an_address_is_zero(arguments, number):
    arguments[number] = ZERO
    with boa.reverts("pool: zero address"):
        load("contracts/StakingPool.vy").deploy(*arguments)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_reverts_when_there_is_no_code(arguments, number, stranger):
    arguments[number] = stranger
    with boa.reverts("pool: no code"):
        load("contracts/StakingPool.vy").deploy(*arguments)


def test_reverts_when_rate_is_absurd(arguments):
    arguments[5] = 2**88
    with boa.reverts("mining: rate too high"):
        load("contracts/StakingPool.vy").deploy(*arguments)


@pytest.mark.parametrize(("start", "end"), [(-1, 10), (5, 4)])
def test_reverts_when_schedule_is_bad(arguments, start, end):
    arguments[6:] = block_number() + start, block_number() + end
    with boa.reverts("mining: bad schedule"):
        load("contracts/StakingPool.vy").deploy(*arguments)


def test_schedule_ends_before_block_2_40(arguments):
    arguments[6:] = block_number(), 2**40
    with boa.reverts("mining: bad schedule"):
        load("contracts/StakingPool.vy").deploy(*arguments)
    arguments[7] = 2**40 - 1
    assert load("contracts/StakingPool.vy").deploy(*arguments).MINING_END() == 2**40 - 1
