# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What settling fixed, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 7 the winning outcome plus one, NOBODY where there is none; 8 to 135 the
     winners' tickets; 136 and up the prize that they share. 0 until the event is
     settled. Bounds: tickets of an outcome are below 2**117 (modules/tickets.vy), a
     prize below 2**112 (PrizePool).
"""


NOBODY: constant(uint256) = 255
CODE_MASK: constant(uint256) = 255
TICKETS_SHIFT: constant(uint256) = 8
TICKETS_MASK: constant(uint256) = 2**128 - 1
PRIZE_SHIFT: constant(uint256) = 136


@internal
@pure
def _pack(prize: uint256, tickets: uint256, outcome: uint256) -> uint256:
    return (prize << PRIZE_SHIFT) | (tickets << TICKETS_SHIFT) | (outcome + 1)


@internal
@pure
def _invalid() -> uint256:
    """
    @notice Of an event that has no outcome.
    """
    return NOBODY


@internal
@pure
def _is_invalid(word: uint256) -> bool:
    return (word & CODE_MASK) == NOBODY


@internal
@pure
def _outcome(word: uint256) -> uint256:
    """
    @notice The winning outcome, of a word that is settled and not invalid.
    """
    return (word & CODE_MASK) - 1


@internal
@pure
def _winning_code(word: uint256) -> uint256:
    """
    @notice The code of positions that share the prize (modules/prediction_word.vy); NOBODY
            where none does.
    """
    if ((word >> TICKETS_SHIFT) & TICKETS_MASK) == 0:
        return NOBODY
    return word & CODE_MASK


@internal
@pure
def _is_outcome(word: uint256, outcome: uint256) -> bool:
    return (word & CODE_MASK) == outcome + 1


@internal
@pure
def _prize(word: uint256) -> uint256:
    return word >> PRIZE_SHIFT


@internal
@pure
def _share(word: uint256, tickets: uint256) -> uint256:
    """
    @notice Prize of so many of the winners' tickets, which are not none, rounded down.
    """
    return (word >> PRIZE_SHIFT) * tickets // ((word >> TICKETS_SHIFT) & TICKETS_MASK)
