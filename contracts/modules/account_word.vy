# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title An account of Escrow, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 127 balance, 128 to 255 consent: bit 127 + n to the product of number n,
     which is its index plus one.
"""


BALANCE_MASK: constant(uint256) = 2**128 - 1
CONSENT_SHIFT: constant(uint256) = 128


@internal
@pure
def _pack(consent: uint256, balance: uint256) -> uint256:
    return (consent << CONSENT_SHIFT) | balance


@internal
@pure
def _balance(word: uint256) -> uint256:
    return word & BALANCE_MASK


@internal
@pure
def _consent(word: uint256) -> uint256:
    return word >> CONSENT_SHIFT


@internal
@pure
def _consents(word: uint256, number: uint256) -> bool:
    # A number is at most 128 (Escrow).
    return ((word >> unsafe_add(CONSENT_SHIFT - 1, number)) & 1) == 1


@internal
@pure
def _consenting(word: uint256, consent: uint256) -> uint256:
    """
    @notice The account with consent added to what it has.
    """
    return word | (consent << CONSENT_SHIFT)


@internal
@pure
def _plus(word: uint256, amount: uint256) -> uint256:
    # No sum may reach the bits of the consent: the inverse of the balance is the room that is left.
    assert amount <= (~word & BALANCE_MASK), "escrow: balance overflow"
    return unsafe_add(word, amount)


@internal
@pure
def _minus(word: uint256, amount: uint256) -> uint256:
    assert (word & BALANCE_MASK) >= amount, "escrow: balance too low"
    # Nothing is borrowed from the bits of the consent: those of the balance hold at least `amount`.
    return unsafe_sub(word, amount)
