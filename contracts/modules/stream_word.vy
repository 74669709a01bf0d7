# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What is stored of a stream, in one word
@author Tessera
@license AGPL-3.0-only
@notice Who signs its offers, and what of its bankroll is free.
@dev Bits 96 to 255 operator, 48 to 95 free bankroll, 0 to 47 room: how much more open
     sessions may lock. Money fits 48 bits, since no pot may hold more than MAX_POT:
     280 million EUR. So whatever a session ends with, its sums fit.
"""


MAX_POT: constant(uint256) = 2**48 - 1
OPERATOR_SHIFT: constant(uint256) = 96
FREE_SHIFT: constant(uint256) = 48
AMOUNT_MASK: constant(uint256) = 2**48 - 1


@internal
@pure
def _pack(operator: address, free: uint256, room: uint256) -> uint256:
    # Cannot overlap: free is part of a pot, room at most the stream's cap on locks.
    return (convert(operator, uint256) << OPERATOR_SHIFT) | (free << FREE_SHIFT) | room


@internal
@pure
def _operator(word: uint256) -> address:
    return convert(word >> OPERATOR_SHIFT, address)


@internal
@pure
def _free(word: uint256) -> uint256:
    return (word >> FREE_SHIFT) & AMOUNT_MASK


@internal
@pure
def _room(word: uint256) -> uint256:
    return word & AMOUNT_MASK
