# pragma version 0.4.3
"""
@title Stake history
@author Tessera
@license AGPL-3.0-only
@notice Each account's stake over time, exact at every past block.
@dev A checkpoint is one word: the running integral of stake over blocks in
     bits 104 and up, the stake in bits 40 to 103, the block in bits 0 to 39.
     The integral counts blocks before the checkpoint's own. Two changes in a block
     overwrite. With stakes below 2**60 and blocks below 2**40 nothing overflows.
"""


BLOCK_MASK: constant(uint256) = 2**40 - 1
STAKE_MASK: constant(uint256) = 2**64 - 1
MAX_CHECKPOINTS: constant(uint256) = 2**40  # one per block at most


_counts: HashMap[address, uint256]
_checkpoints: HashMap[address, uint256[MAX_CHECKPOINTS]]


@internal
@view
def _stake(account: address) -> uint256:
    count: uint256 = self._counts[account]
    if count == 0:
        return 0
    return self._checkpoints[account][count - 1] >> 40 & STAKE_MASK


@internal
def _record(account: address, stake: uint256) -> uint256:
    """
    @notice Sets the account's stake from this block on.
    @return The stake before.
    """
    index: uint256 = self._counts[account]
    old: uint256 = 0
    integral: uint256 = 0
    if index != 0:
        last: uint256 = self._checkpoints[account][index - 1]
        old = last >> 40 & STAKE_MASK
        integral = self._integral(last, block.number)
        if last & BLOCK_MASK == block.number:
            index -= 1
    self._checkpoints[account][index] = integral << 104 | stake << 40 | block.number
    self._counts[account] = index + 1
    return old


@internal
@view
def _stake_blocks(account: address, from_block: uint256, to_block: uint256) -> uint256:
    """
    @notice Sum of stake over the blocks in [from_block, to_block).
    @dev Both in the past or the present; O(log n) in the account's checkpoints.
    """
    assert from_block <= to_block and to_block <= block.number, "history: bad block range"
    end: uint256 = self._find(account, to_block, self._counts[account])
    if end == 0:
        return 0
    total: uint256 = self._integral(self._checkpoints[account][end - 1], to_block)
    start: uint256 = self._find(account, from_block, end)
    if start != 0:
        total -= self._integral(self._checkpoints[account][start - 1], from_block)
    return total


@internal
@view
def _find(account: address, at_block: uint256, count: uint256) -> uint256:
    """
    @notice How many of the first `count` checkpoints are not after `at_block`.
    """
    # The latest is asked for most.
    if count == 0 or self._checkpoints[account][count - 1] & BLOCK_MASK <= at_block:
        return count
    low: uint256 = 0
    high: uint256 = count - 1
    for _: uint256 in range(40):
        if low == high:
            break
        # No overflow: both are below MAX_CHECKPOINTS.
        middle: uint256 = unsafe_add(low, high) >> 1
        if self._checkpoints[account][middle] & BLOCK_MASK <= at_block:
            low = unsafe_add(middle, 1)
        else:
            high = middle
    return low


@internal
@pure
def _integral(checkpoint: uint256, at_block: uint256) -> uint256:
    return (checkpoint >> 104) + (checkpoint >> 40 & STAKE_MASK) * (at_block - (checkpoint & BLOCK_MASK))
