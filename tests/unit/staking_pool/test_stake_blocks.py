"""The sum of a stake over blocks is exact between any two blocks that are over."""

from itertools import pairwise

import boa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.prize_system import USD, block_number


def test_counts_from_its_block_to_the_one_before_the_last(system, staker):
    start = block_number()
    system.pool.stake(system.usdc, 5 * USD, sender=staker)
    system.mine(10)
    system.pool.withdraw(system.usdc, 3 * USD, 0, sender=staker)
    system.mine(10)
    blocks = system.pool.stake_blocks
    assert blocks(staker, start, start + 20) == 5 * USD * 10 + 2 * USD * 10
    assert blocks(staker, start + 9, start + 11) == 5 * USD + 2 * USD
    assert blocks(staker, 0, start) == blocks(staker, start + 10, start + 10) == 0
    assert system.pool.ticket_basis(staker, start + 5) == (2 * USD, 5 * USD * 5 + 2 * USD * 10, 0)


def test_two_changes_in_a_block_are_one(system, staker):
    start = block_number()
    system.pool.stake(system.usdc, 5 * USD, sender=staker)
    system.pool.stake(system.usdc, 5 * USD, sender=staker)
    system.mine(3)
    system.pool.withdraw(system.usdc, 5 * USD, 0, sender=staker)
    system.pool.withdraw(system.usdc, 5 * USD, 0, sender=staker)
    system.mine(3)
    assert system.pool.stake_blocks(staker, 0, start + 6) == 10 * USD * 3


def test_who_never_staked_has_none(system, stranger):
    assert system.pool.stake_blocks(stranger, 0, block_number()) == 0
    assert system.pool.ticket_basis(stranger, 0) == (0, 0, 0)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 50)), min_size=1, max_size=12),
    ends=st.lists(st.integers(0, 70), min_size=2, max_size=8),
)
def test_is_exact_between_any_two_blocks(system, staker, changes, ends):
    with boa.env.anchor():
        start, history, stake = block_number(), [], 0
        for wait, dollars in changes:
            system.mine(wait)
            # A dollar more or less: all of an odd sum leaves.
            if stake and dollars % 2:
                system.pool.withdraw(system.usdc, stake * USD, 0, sender=staker)
                stake = 0
            else:
                system.pool.stake(system.usdc, dollars * USD, sender=staker)
                stake += dollars
            history.append((block_number(), stake))
        system.mine(80)
        by_block, now = {}, 0
        for block in range(start - 5, block_number()):
            now = dict(history).get(block, now)
            by_block[block] = now
        for from_block, to_block in pairwise(sorted(start + end for end in ends)):
            exact = sum(by_block[block] for block in range(from_block, to_block))
            assert system.pool.stake_blocks(staker, from_block, to_block) == exact * USD


def test_reverts_when_range_is_not_over(system, staker):
    with boa.reverts("history: bad block range"):
        system.pool.stake_blocks(staker, 0, block_number() + 1)
    with boa.reverts("history: bad block range"):
        system.pool.stake_blocks(staker, 2, 1)
