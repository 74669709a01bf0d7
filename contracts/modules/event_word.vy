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


STOP_SHIFT: constant(uint256) = 40
E0_SHIFT: constant(uint256) = 80
OUTCOMES_SHIFT: constant(uint256) = 96
NOT_BEFORE_SHIFT: constant(uint256) = 104
DEADLINE_SHIFT: constant(uint256) = 144
MASK_40: constant(uint256) = 2**40 - 1
MASK_16: constant(uint256) = 2**16 - 1
MASK_8: constant(uint256) = 2**8 - 1


@internal
@view
def _pack(stop_block: uint256, e0: uint256, outcomes: uint256, not_before: uint256, deadline: uint256) -> uint256:
    """
    @notice Of an event that is created in this block.
    """
    return (
        (deadline << DEADLINE_SHIFT)
        | (not_before << NOT_BEFORE_SHIFT)
        | (outcomes << OUTCOMES_SHIFT)
        | (e0 << E0_SHIFT)
        | (stop_block << STOP_SHIFT)
        | block.number
    )


@internal
@pure
def _start(word: uint256) -> uint256:
    return word & MASK_40


@internal
@pure
def _stop(word: uint256) -> uint256:
    return (word >> STOP_SHIFT) & MASK_40


@internal
@pure
def _e0(word: uint256) -> uint256:
    return (word >> E0_SHIFT) & MASK_16


@internal
@pure
def _outcomes(word: uint256) -> uint256:
    return (word >> OUTCOMES_SHIFT) & MASK_8


@internal
@pure
def _not_before(word: uint256) -> uint256:
    return (word >> NOT_BEFORE_SHIFT) & MASK_40


@internal
@pure
def _deadline(word: uint256) -> uint256:
    return (word >> DEADLINE_SHIFT) & MASK_40


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
