# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What the pool has in an asset's vault, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 87 the yield moved in a prize week, 88 to 103 that week, 104 to 143 the
     last time when all yield that was due had been moved, unix seconds, 144 to 255 the
     vault's shares.
"""


MAX_SHARES: constant(uint256) = 2**112
MAX_MOVED: constant(uint256) = 2**88 - 1


@internal
@pure
def _pack(shares: uint256, harvested_at: uint256, week: uint256, moved: uint256) -> uint256:
    return (shares << 144) | (harvested_at << 104) | (week << 88) | moved


@internal
@pure
def _with_shares(word: uint256, shares: uint256) -> uint256:
    """
    @notice The word with another number of shares.
    """
    return (shares << 144) | (word & (2**144 - 1))


@internal
@pure
def _shares(word: uint256) -> uint256:
    return word >> 144


@internal
@pure
def _harvested_at(word: uint256) -> uint256:
    return (word >> 104) & (2**40 - 1)


@internal
@pure
def _moved(word: uint256, week: uint256) -> uint256:
    """
    @notice What was moved in a prize week, of which nothing later was noted.
    """
    if ((word >> 88) & (2**16 - 1)) == week:
        return word & (2**88 - 1)
    return 0
