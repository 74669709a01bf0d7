"""A fixed number of BET per block over all stakers: `Ba = B * Va / Vtvl`."""

import boa

from tests.prize_system import BET_PER_BLOCK, MINING_BLOCKS, USD, WAD, block_number, load, refusing
from tests.refusals import refused_without_a_text


def test_pays_by_stake_and_blocks(system, staker, rival, stranger):
    system.pool.stake(system.usdc, 3_000 * USD, sender=staker)
    system.pool.stake(system.dai, 1_000 * WAD, sender=rival)
    system.mine(40)
    due = BET_PER_BLOCK * 40
    assert system.pool.pending_rewards(staker) == due * 3 // 4
    assert system.pool.claim_rewards(staker, sender=stranger) == due * 3 // 4
    (log,) = [log for log in system.pool.get_logs() if type(log).__name__ == "RewardsClaimed"]
    assert (log.account, log.amount) == (staker, due * 3 // 4)
    assert system.bet.balanceOf(staker) == due * 3 // 4
    assert system.pool.pending_rewards(staker) == 0
    assert system.pool.claim_rewards(rival) == due // 4


def test_change_of_stake_keeps_what_was_earned(system, staker, rival):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.pool.stake(system.usdc, 1_000 * USD, sender=rival)
    system.mine(10)
    system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker)
    system.mine(10)
    assert system.pool.pending_rewards(staker) == BET_PER_BLOCK * 5
    assert system.pool.pending_rewards(rival) == BET_PER_BLOCK * 15
    system.pool.claim_rewards(staker)


def test_nothing_accrues_while_nobody_stakes(system, staker):
    system.mine(100)
    system.pool.stake(system.usdc, USD, sender=staker)
    assert system.pool.pending_rewards(staker) == 0
    system.mine(1)
    assert system.pool.pending_rewards(staker) == BET_PER_BLOCK


def test_begins_with_the_schedule_and_ends_with_it(evm):
    """Blocks 10 to 29 are mined: whoever was there before the first has all of it, who came in its middle a part."""
    mining = load("contracts/modules/mining.vy").deploy(BET_PER_BLOCK, block_number() + 10, block_number() + 30)
    early, late = boa.env.generate_address(), boa.env.generate_address()
    pending = mining.internal._pending
    mining.internal._change(early, 0, USD)
    for blocks, due in ((9, 0), (1, 0), (1, 1), (9, 10)):
        boa.env.time_travel(blocks=blocks)
        assert pending(early, USD) == due * BET_PER_BLOCK
    mining.internal._change(late, 0, 3 * USD)
    for blocks, due in ((9, 9), (1, 10), (1, 10), (100, 10)):
        boa.env.time_travel(blocks=blocks)
        assert pending(late, 3 * USD) == due * BET_PER_BLOCK * 3 // 4
        assert pending(early, USD) == 10 * BET_PER_BLOCK + due * BET_PER_BLOCK // 4
    mining.internal._change(early, USD, 0)
    assert pending(early, 0) == BET_PER_BLOCK * 25 // 2


def test_ends_with_the_schedule_and_the_budget_is_enough(system, staker):
    system.pool.stake(system.usdc, USD, sender=staker)
    system.mine(MINING_BLOCKS + 100)
    earned = system.pool.claim_rewards(staker)
    assert earned <= BET_PER_BLOCK * MINING_BLOCKS
    system.mine(100)
    assert system.pool.pending_rewards(staker) == 0


def test_fractions_stay_owed(system, staker, rival):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.pool.stake(system.usdc, 3_333_333_333, sender=rival)
    paid = 0
    for _ in range(20):
        system.mine(1)
        paid += system.pool.claim_rewards(staker)
    # A stake is at most 1e-6 of 1e18 of the accumulator's unit: the floors of twenty claims lose nothing.
    exact = BET_PER_BLOCK * 20 * 1_000 * USD // (1_000 * USD + 3_333_333_333)
    assert exact - 1 <= paid <= exact


def test_reverts_when_there_is_nothing(system, staker):
    with boa.reverts("pool: no rewards"):
        system.pool.claim_rewards(staker)


def test_failing_token_keeps_rewards_owed_and_principal_free(system, staker):
    system.pool.stake(system.usdc, 1_000 * USD, sender=staker)
    system.mine(5)
    with refusing(system.bet):
        with refused_without_a_text():
            system.pool.claim_rewards(staker)
        assert system.pool.withdraw(system.usdc, 1_000 * USD, 0, sender=staker) == 1_000 * USD
    assert system.pool.pending_rewards(staker) == BET_PER_BLOCK * 5
    system.pool.claim_rewards(staker)
