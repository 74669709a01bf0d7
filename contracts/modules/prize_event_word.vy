# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title An event's share in the prize, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 39 last period, 40 to 62 weight, 63 whether its prize was taken, 64 and
     up the prize per weight at its creation, in 1e-18 units. Bounds: a period is
     below 2**40, a weight at most 10,000, and a period adds less than 2**112 units to
     the prize per weight (PrizePool): 2**192 are not reached in 20,000 years.
"""


LAST_MASK: constant(uint256) = 2**40 - 1
WEIGHT_SHIFT: constant(uint256) = 40
WEIGHT_MASK: constant(uint256) = 2**23 - 1
TAKEN: constant(uint256) = 2**63
START_SHIFT: constant(uint256) = 64


@internal
@pure
def _pack(start: uint256, weight: uint256, last: uint256) -> uint256:
    """
    @notice Of an event whose prize is not taken.
    """
    return (start << START_SHIFT) | (weight << WEIGHT_SHIFT) | last


@internal
@pure
def _last(word: uint256) -> uint256:
    return word & LAST_MASK


@internal
@pure
def _is_taken(word: uint256) -> bool:
    return (word & TAKEN) != 0


@internal
@pure
def _taken(word: uint256) -> uint256:
    """
    @notice The same event after its prize was taken.
    """
    return word | TAKEN


@internal
@pure
def _prize_wad(word: uint256, reached: uint256) -> uint256:
    """
    @notice The event's prize in 1e-18 units, exact, where the prize per weight has reached so much.
    """
    return ((word >> WEIGHT_SHIFT) & WEIGHT_MASK) * (reached - (word >> START_SHIFT))
