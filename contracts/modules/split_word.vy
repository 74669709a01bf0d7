# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title How weeks are split, in one word
@author Tessera
@license AGPL-3.0-only
@notice Two splits of a week's pool and the first week of the later one, so that
        a change counts from a week that has not begun.
@dev Bits 0 to 15 share of the buyback, 16 to 31 share of the events, of the later
     split; 32 to 63 the same of the earlier one; 64 and up the first week of the
     later one. Shares are basis points, at most 10,000.
"""


SPLIT_MASK: constant(uint256) = 2**32 - 1
BPS_MASK: constant(uint256) = 2**16 - 1
EVENT_SHIFT: constant(uint256) = 16
EARLIER_SHIFT: constant(uint256) = 32
FIRST_SHIFT: constant(uint256) = 64


@internal
@pure
def _first(event_bps: uint256, buyback_bps: uint256) -> uint256:
    """
    @notice The word in which one split counts in every week.
    """
    return (event_bps << EVENT_SHIFT) | buyback_bps


@internal
@pure
def _changed(word: uint256, running: uint256, event_bps: uint256, buyback_bps: uint256) -> uint256:
    """
    @notice The word in which the split of the `running` week goes on to its end, and the new one follows.
    """
    earlier: uint256 = self._half(word, running)
    return ((running + 1) << FIRST_SHIFT) | (earlier << EARLIER_SHIFT) | self._first(event_bps, buyback_bps)


@internal
@pure
def _event_bps(word: uint256, period: uint256) -> uint256:
    return self._half(word, period) >> EVENT_SHIFT


@internal
@pure
def _buyback_bps(word: uint256, period: uint256) -> uint256:
    return self._half(word, period) & BPS_MASK


@internal
@pure
def _half(word: uint256, period: uint256) -> uint256:
    if period >= (word >> FIRST_SHIFT):
        return word & SPLIT_MASK
    return (word >> EARLIER_SHIFT) & SPLIT_MASK
