# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Where liquidity mining stands, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 39 the block of the last accrual, 40 and up the total stake.
"""


@internal
@pure
def _pack(total: uint256, last: uint256) -> uint256:
    return (total << 40) | last


@internal
@pure
def _total(word: uint256) -> uint256:
    return word >> 40


@internal
@pure
def _last(word: uint256) -> uint256:
    return word & (2**40 - 1)
