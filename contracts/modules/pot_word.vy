# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A pot of Escrow, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 127 balance, 128 and up its product's number, so that a bet need not look
     it up: 1 for the product of index 0. 0 before the pot is first used; an empty pot keeps the number.
"""


BALANCE_MASK: constant(uint256) = 2**128 - 1
NUMBER_SHIFT: constant(uint256) = 128


@internal
@pure
def _pack(number: uint256, balance: uint256) -> uint256:
    return (number << NUMBER_SHIFT) | balance


@internal
@pure
def _number(word: uint256) -> uint256:
    return word >> NUMBER_SHIFT


@internal
@pure
def _balance(word: uint256) -> uint256:
    return word & BALANCE_MASK


@internal
@pure
def _plus(word: uint256, amount: uint256) -> uint256:
    # No sum may reach the bits of the number: the inverse of the balance is the room that is left.
    assert amount <= (~word & BALANCE_MASK), "escrow: pot overflow"
    return unsafe_add(word, amount)


@internal
@pure
def _minus(word: uint256, amount: uint256) -> uint256:
    assert (word & BALANCE_MASK) >= amount, "escrow: pot too small"
    # Nothing is borrowed from the bits of the number: those of the balance hold at least `amount`.
    return unsafe_sub(word, amount)
