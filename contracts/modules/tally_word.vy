# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A dispute's times and votes, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 31 disputed_at; 32 to 63 ends_at, both unix seconds; 64 to 135 heads for YES, NO and INVALID, 24 bits
     each; 136 to 207 stakes for them in whole EUR, 24 bits each. A choice is 0 for YES, 1 for NO, 2 for INVALID.
     Bounds: all stakes together are at most the bets of a market, and there is at most one head a bet and the
     creator's: below 2**24 (state_word.vy). A word of 0: nothing is disputed.
"""


MASK_24: constant(uint256) = 2**24 - 1
MASK_32: constant(uint256) = 2**32 - 1


@internal
@view
def _pack(ends_at: uint256) -> uint256:
    """
    @notice A dispute that begins now, without votes.
    """
    return (ends_at << 32) | block.timestamp


@internal
@pure
def _with_vote(word: uint256, choice: uint256, stake: uint256) -> uint256:
    return word + self._vote(choice, stake)


@internal
@pure
def _without_vote(word: uint256, choice: uint256, stake: uint256) -> uint256:
    # Borrows from no other field: the vote is in it.
    return word - self._vote(choice, stake)


@internal
@pure
def _extended(word: uint256, ends_at: uint256) -> uint256:
    """
    @param ends_at Not before the end as it is.
    """
    return word + ((ends_at - self._ends_at(word)) << 32)


@internal
@pure
def _disputed_at(word: uint256) -> uint256:
    return word & MASK_32


@internal
@pure
def _ends_at(word: uint256) -> uint256:
    return (word >> 32) & MASK_32


@internal
@pure
def _heads(word: uint256, choice: uint256) -> uint256:
    return (word >> (64 + 24 * choice)) & MASK_24


@internal
@pure
def _stake(word: uint256, choice: uint256) -> uint256:
    return (word >> (136 + 24 * choice)) & MASK_24


@internal
@pure
def _vote(choice: uint256, stake: uint256) -> uint256:
    return (1 << (64 + 24 * choice)) | (stake << (136 + 24 * choice))
