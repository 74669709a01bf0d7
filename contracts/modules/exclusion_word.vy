# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A person's self-exclusion, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 63 its end, 64 to 127 its beginning, unix seconds; 0 where there never was any.
"""


START_SHIFT: constant(uint256) = 64
TIME_MASK: constant(uint256) = 2**64 - 1


@internal
@pure
def _pack(start: uint256, end: uint256) -> uint256:
    return (start << START_SHIFT) | end


@internal
@pure
def _start(word: uint256) -> uint256:
    return word >> START_SHIFT


@internal
@pure
def _end(word: uint256) -> uint256:
    return word & TIME_MASK
