# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title How a bet with odds was settled, and what winners are still owed, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 3 the outcome, 4 to 91 winning stakes not claimed yet, 92 to 195 money
     kept for them, 196 whether the bet is settled to winners, 197 whether every
     stake goes back. A word of 0 is not settled.
"""


REFUNDED: constant(uint256) = 1 << 197


@internal
@pure
def _pack(outcome: uint256, stakes: uint256, owed: uint256) -> uint256:
    return outcome | (stakes << 4) | (owed << 92) | (1 << 196)


@internal
@pure
def _outcome(word: uint256) -> uint256:
    return word & 15


@internal
@pure
def _unclaimed(word: uint256) -> uint256:
    return (word >> 4) & (2**88 - 1)


@internal
@pure
def _owed(word: uint256) -> uint256:
    return (word >> 92) & (2**104 - 1)


@internal
@pure
def _is_refunded(word: uint256) -> bool:
    return word == REFUNDED


@internal
@pure
def _after_claim(word: uint256, stakes: uint256, paid: uint256) -> uint256:
    # Both are parts of what is there, so nothing is borrowed.
    return word - (stakes << 4) - (paid << 92)
