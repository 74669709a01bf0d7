# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title How a prorata bet was settled, and what is left of it, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 3 the outcome, 4 to 87 all stakes on it (`won`), 88 to 171 what
     they share beyond their stakes (`winnings`), 172 to 255 stakes on it not
     claimed yet. A word of 0 is not settled. Where every stake goes back, the word
     is REFUNDED for good: nothing is won there, and no claim is the last.
"""


MAX_POT: constant(uint256) = 2**84 - 1
REFUNDED: constant(uint256) = 1 << 172


@internal
@pure
def _pack(outcome: uint256, won: uint256, winnings: uint256) -> uint256:
    return outcome | (won << 4) | (winnings << 88) | (won << 172)


@internal
@pure
def _outcome(word: uint256) -> uint256:
    return word & 15


@internal
@pure
def _won(word: uint256) -> uint256:
    return (word >> 4) & MAX_POT


@internal
@pure
def _winnings(word: uint256) -> uint256:
    return (word >> 88) & MAX_POT


@internal
@pure
def _unclaimed(word: uint256) -> uint256:
    return word >> 172


@internal
@pure
def _is_refunded(word: uint256) -> bool:
    return word == REFUNDED


@internal
@pure
def _after_claim(word: uint256, stake: uint256) -> uint256:
    # A stake that is claimed is part of what was not, so nothing is borrowed.
    return unsafe_sub(word, stake << 172)


@internal
@pure
def _payout_down(word: uint256, stake: uint256) -> uint256:
    """
    @notice A winner's stake and its share of the winnings, rounded down.
    """
    # Both factors are below 2**84, and where something is settled to winners `won` is not 0.
    return unsafe_add(stake, unsafe_div(unsafe_mul(self._winnings(word), stake), self._won(word)))
