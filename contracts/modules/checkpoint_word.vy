# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A stake from a block on, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 39 the block, 40 to 103 the stake from it on, 104 to 215 the sum of
     stake over the blocks before it, 216 to 255 the number of older checkpoints. With stakes
     below 2**60 and blocks below 2**40 nothing overflows.
"""


@internal
@pure
def _pack(count: uint256, total: uint256, stake: uint256, at_block: uint256) -> uint256:
    return (count << 216) | (total << 104) | (stake << 40) | at_block


@internal
@pure
def _count(word: uint256) -> uint256:
    return word >> 216


@internal
@pure
def _stake(word: uint256) -> uint256:
    return (word >> 40) & (2**64 - 1)


@internal
@pure
def _block(word: uint256) -> uint256:
    return word & (2**40 - 1)


@internal
@pure
def _sum(word: uint256, at_block: uint256) -> uint256:
    """
    @notice Sum of stake over the blocks before `at_block`, which is not before the checkpoint.
    """
    return ((word >> 104) & (2**112 - 1)) + self._stake(word) * (at_block - self._block(word))
