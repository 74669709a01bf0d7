# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What is fixed at an event's creation, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 39 start block, 40 to 79 stop block, 80 to 95 first multiplier in
     hundredths, 96 to 103 number of outcomes, 104 to 143 not_before, 144 to 183
     result deadline, both unix seconds.
"""


from . import tickets


BLOCK_MASK: constant(uint256) = 2**40 - 1


@internal
@view
def _pack(stop_block: uint256, e0: uint256, outcomes: uint256, not_before: uint256, deadline: uint256) -> uint256:
    return deadline << 144 | not_before << 104 | outcomes << 96 | e0 << 80 | stop_block << 40 | block.number


@internal
@pure
def _start(word: uint256) -> uint256:
    return word & BLOCK_MASK


@internal
@pure
def _stop(word: uint256) -> uint256:
    return word >> 40 & BLOCK_MASK


@internal
@pure
def _e0(word: uint256) -> uint256:
    return word >> 80 & 2**16 - 1


@internal
@pure
def _outcomes(word: uint256) -> uint256:
    return word >> 96 & 255


@internal
@pure
def _not_before(word: uint256) -> uint256:
    return word >> 104 & BLOCK_MASK


@internal
@pure
def _deadline(word: uint256) -> uint256:
    return word >> 144 & BLOCK_MASK


@internal
@pure
def _length(word: uint256) -> uint256:
    return self._stop(word) - self._start(word)


@internal
@view
def _elapsed(word: uint256) -> uint256:
    """
    @notice Blocks of the event that are over.
    """
    return min(block.number, self._stop(word)) - self._start(word)


@internal
@pure
def _multiplier(word: uint256, x: uint256) -> uint256:
    """
    @notice Early bird x blocks after the event's creation, in 1e-6, rounded down.
    """
    return tickets._multiplier(self._e0(word), x, self._length(word))
