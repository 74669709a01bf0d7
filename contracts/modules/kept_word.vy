# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What closed periods left with the pool, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 127 what waits for the buyback, 128 and up what is carried to the next
     period, both below 2**112 (PrizePool).
"""


BUCKET_MASK: constant(uint256) = 2**128 - 1
CARRIED_SHIFT: constant(uint256) = 128


@internal
@pure
def _pack(carried: uint256, bucket: uint256) -> uint256:
    return (carried << CARRIED_SHIFT) | bucket


@internal
@pure
def _carried(word: uint256) -> uint256:
    return word >> CARRIED_SHIFT


@internal
@pure
def _bucket(word: uint256) -> uint256:
    return word & BUCKET_MASK
