# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A period in which events end, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 63 weight of the events that end with it, 64 and up the prize per
     weight at its end, in 1e-18 units: 0 until it is closed. Bounds: there are less
     than 2**32 events of a weight of at most 10,000, and see modules/prize_event_word.vy.
"""


ENDING_MASK: constant(uint256) = 2**64 - 1
REACHED_SHIFT: constant(uint256) = 64


@internal
@pure
def _pack(reached: uint256, ending: uint256) -> uint256:
    return (reached << REACHED_SHIFT) | ending


@internal
@pure
def _ending(word: uint256) -> uint256:
    return word & ENDING_MASK


@internal
@pure
def _reached(word: uint256) -> uint256:
    return word >> REACHED_SHIFT
