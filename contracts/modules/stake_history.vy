# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Stake history
@author Tessera
@license AGPL-3.0-only
@notice Each account's stake over time, exact at every past block.
@dev The latest checkpoint is apart from the older ones, so that a first stake writes
     one word. Two changes in a block overwrite.
"""


from . import checkpoint_word


MAX_CHECKPOINTS: constant(uint256) = 2**40  # one per block at most


_latest: HashMap[address, uint256]
_older: HashMap[address, uint256[MAX_CHECKPOINTS]]


@internal
@view
def _stake(account: address) -> uint256:
    return checkpoint_word._stake(self._latest[account])


@internal
def _record(account: address, stake: uint256):
    """
    @notice Sets the account's stake from this block on.
    """
    latest: uint256 = self._latest[account]
    count: uint256 = checkpoint_word._count(latest)
    if latest != 0 and checkpoint_word._block(latest) != block.number:
        self._older[account][count] = latest
        count += 1
    total: uint256 = checkpoint_word._sum(latest, block.number)
    self._latest[account] = checkpoint_word._pack(count, total, stake, block.number)


@internal
@view
def _stake_blocks(account: address, from_block: uint256, to_block: uint256) -> uint256:
    """
    @notice Sum of stake over the blocks in [from_block, to_block).
    @dev Both in the past or the present; O(log n) in the account's checkpoints.
    """
    assert from_block <= to_block and to_block <= block.number, "history: bad block range"
    latest: uint256 = self._latest[account]
    return self._sum_before(account, latest, to_block) - self._sum_before(account, latest, from_block)


@internal
@view
def _sum_before(account: address, latest: uint256, at_block: uint256) -> uint256:
    """
    @notice Sum of stake over the blocks before `at_block`.
    """
    checkpoint: uint256 = latest
    if checkpoint_word._block(latest) > at_block:
        # How many of the older ones are not after `at_block`.
        low: uint256 = 0
        high: uint256 = checkpoint_word._count(latest)
        for _: uint256 in range(40):
            if low == high:
                break
            # No overflow: both are below MAX_CHECKPOINTS.
            middle: uint256 = unsafe_add(low, high) // 2
            word: uint256 = self._older[account][middle]
            if checkpoint_word._block(word) <= at_block:
                low = unsafe_add(middle, 1)
                checkpoint = word
            else:
                high = middle
        if low == 0:
            return 0
    return checkpoint_word._sum(checkpoint, at_block)
