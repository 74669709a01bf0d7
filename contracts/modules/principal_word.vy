# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What the pool owes of an asset, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 39 the block of the last change, 40 to 135 the principal at the end of
     the block before that one, 136 to 231 the principal now.
"""


@internal
@view
def _changed(word: uint256, principal: uint256) -> uint256:
    """
    @notice The word after the principal has changed in this block.
    """
    return (principal << 136) | (self._before(word) << 40) | block.number


@internal
@pure
def _principal(word: uint256) -> uint256:
    return word >> 136


@internal
@view
def _before(word: uint256) -> uint256:
    """
    @notice Principal at the end of the previous block.
    """
    if (word & (2**40 - 1)) == block.number:
        return (word >> 40) & (2**96 - 1)
    return word >> 136
