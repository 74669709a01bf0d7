# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Stake history
@author Tessera
@license AGPL-3.0-only
@notice Each account's stake over time, exact at every past block.
@dev A checkpoint is one word: block in bits 0 to 39, the stake from that block on in
     40 to 103, the sum of stake over the blocks before it in 104 to 215. The
     latest one is apart, with the number of older ones in bits 216 and up: a first
     stake writes one word. Two changes in a block overwrite. With stakes below
     2**60 and blocks below 2**40 nothing overflows.
"""


BLOCK_MASK: constant(uint256) = 2**40 - 1
STAKE_MASK: constant(uint256) = 2**64 - 1
SUM_MASK: constant(uint256) = 2**112 - 1
MAX_CHECKPOINTS: constant(uint256) = 2**40  # one per block at most


_latest: HashMap[address, uint256]
_older: HashMap[address, uint256[MAX_CHECKPOINTS]]


@internal
@view
def _stake(account: address) -> uint256:
    return self._latest[account] >> 40 & STAKE_MASK


@internal
def _record(account: address, stake: uint256):
    """
    @notice Sets the account's stake from this block on.
    """
    latest: uint256 = self._latest[account]
    count: uint256 = latest >> 216
    if latest != 0 and latest & BLOCK_MASK != block.number:
        self._older[account][count] = latest
        count += 1
    self._latest[account] = count << 216 | self._sum(latest, block.number) << 104 | stake << 40 | block.number


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
    if latest & BLOCK_MASK > at_block:
        # How many of the older ones are not after `at_block`.
        low: uint256 = 0
        high: uint256 = latest >> 216
        for _: uint256 in range(40):
            if low == high:
                break
            # No overflow: both are below MAX_CHECKPOINTS.
            middle: uint256 = unsafe_add(low, high) >> 1
            word: uint256 = self._older[account][middle]
            if word & BLOCK_MASK <= at_block:
                low = unsafe_add(middle, 1)
                checkpoint = word
            else:
                high = middle
        if low == 0:
            return 0
    return self._sum(checkpoint, at_block)


@internal
@pure
def _sum(checkpoint: uint256, at_block: uint256) -> uint256:
    return (checkpoint >> 104 & SUM_MASK) + (checkpoint >> 40 & STAKE_MASK) * (at_block - (checkpoint & BLOCK_MASK))
