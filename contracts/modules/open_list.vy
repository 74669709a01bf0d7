# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Open predictions of a person
@author Tessera
@license AGPL-3.0-only
@notice A short list of numbers per account, eight to a storage word: a change
        of stake reads one word for eight predictions, and a person's first
        prediction writes one.
@dev Lanes of 32 bits; lane 0 is the length, entry i is lane i + 1. What lies
     beyond the length is stale and never read.
"""


MAX_OPEN: constant(uint256) = 64
LANE_BITS: constant(uint256) = 32
LANES: constant(uint256) = 8  # in a word
LANE_MASK: constant(uint256) = 2**LANE_BITS - 1


_lanes: HashMap[address, uint256[9]]  # 65 lanes


@internal
@view
def _count(account: address) -> uint256:
    return self._lanes[account][0] & LANE_MASK


@internal
@view
def _entry(account: address, i: uint256) -> uint256:
    lane: uint256 = i + 1
    return (self._lanes[account][lane // LANES] >> (LANE_BITS * (lane % LANES))) & LANE_MASK


@internal
def _append(account: address, number: uint256) -> bool:
    """
    @notice Adds `number` < 2**32 if there is room for it, and says whether there was.
    """
    first: uint256 = self._lanes[account][0]
    lane: uint256 = (first & LANE_MASK) + 1
    if lane > MAX_OPEN:
        return False
    first += 1
    if lane < LANES:
        # One write: a first prediction is as cheap as it can be.
        first = self._with(first, lane, number)
    elif lane % LANES == 0:
        self._lanes[account][lane // LANES] = number  # what else is in that word is stale
    else:
        self._set_lane(account, lane, number)
    self._lanes[account][0] = first
    return True


@internal
def _remove(account: address, i: uint256):
    """
    @notice Puts the last entry in the place of entry i and shortens the list.
    """
    last: uint256 = self._count(account) - 1
    if i != last:
        self._set_lane(account, i + 1, self._entry(account, last))
    self._set_lane(account, 0, last)


@internal
def _set_lane(account: address, lane: uint256, number: uint256):
    self._lanes[account][lane // LANES] = self._with(self._lanes[account][lane // LANES], lane, number)


@internal
@pure
def _with(word: uint256, lane: uint256, number: uint256) -> uint256:
    """
    @notice The word that a lane is in, with a number in that lane.
    """
    bits: uint256 = LANE_BITS * (lane % LANES)
    return (word & ~(LANE_MASK << bits)) | (number << bits)
