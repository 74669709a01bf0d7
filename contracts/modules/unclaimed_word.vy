# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What of a settled event is not yet claimed, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 127 prize, 128 and up the tickets of the winners who have not claimed.
     Bounds as in modules/result_word.vy.
"""


PRIZE_MASK: constant(uint256) = 2**128 - 1
TICKETS_SHIFT: constant(uint256) = 128


@internal
@pure
def _pack(tickets: uint256, prize: uint256) -> uint256:
    return (tickets << TICKETS_SHIFT) | prize


@internal
@pure
def _tickets(word: uint256) -> uint256:
    return word >> TICKETS_SHIFT


@internal
@pure
def _prize(word: uint256) -> uint256:
    return word & PRIZE_MASK


@internal
@pure
def _less(word: uint256, tickets: uint256, prize: uint256) -> uint256:
    """
    @notice After a claim of so many tickets for so much; neither is more than there is.
    """
    return word - ((tickets << TICKETS_SHIFT) | prize)
