# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A prediction, in one word
@author Tessera
@license AGPL-3.0-only
@dev The line of the person's prize tickets (modules/tickets.vy), whose low 40 bits are
     free: bits 0 to 7 the outcome plus one, 8 to 39 how often the person had been
     forfeited before. 0 where there is no prediction. Bounds: an event has at most
     16 outcomes; 2**32 forfeitures of a person would take as many withdrawals of more
     than a million gas each.
"""


CODE_MASK: constant(int256) = 255
FORFEITS_SHIFT: constant(uint256) = 8
FORFEITS_MASK: constant(int256) = 2**32 - 1


@internal
@pure
def _pack(line: int256, forfeits: uint256, outcome: uint256) -> int256:
    return line + convert((forfeits << FORFEITS_SHIFT) | (outcome + 1), int256)


@internal
@pure
def _forfeits(word: int256) -> uint256:
    return convert((word >> FORFEITS_SHIFT) & FORFEITS_MASK, uint256)


@internal
@pure
def _code(word: int256) -> uint256:
    """
    @notice The outcome plus one; 0 where there is no prediction.
    """
    return convert(word & CODE_MASK, uint256)


@internal
@pure
def _outcome(word: int256) -> uint256:
    return convert(word & CODE_MASK, uint256) - 1
