# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Half to stand, two thirds to flip, doubt refunds
@author Tessera
@license AGPL-3.0-only
@notice What the votes of a dispute conclude. The proposed outcome stands with more than half of all heads. YES or NO
        that was not proposed is paid only with more than two thirds of all heads and a stake of more than a quarter of
        everything that was staked. Else everybody is paid back; an early proposal is refused instead, and decides
        nothing else. Why: docs/decisions/0005-half-to-stand-two-thirds-to-flip.md.
        `tessera/model/resolution.py` is the same rule in Python.
"""


from . import state_word
from . import tally_word


@internal
@pure
def _concluded(tally: uint256, state: uint256, early: bool) -> uint256:
    """
    @return The outcome's bits; 0: an early proposal is refused.
    """
    proposed: uint256 = state_word._outcome(state)
    yes: uint256 = tally_word._heads(tally, 0)
    no: uint256 = tally_word._heads(tally, 1)
    all: uint256 = yes + no + tally_word._heads(tally, 2)
    if tally_word._heads(tally, state_word._choice(proposed)) * 2 > all:
        return proposed
    if not early:
        bets: uint256 = state_word._bets(state)  # of 1 EUR, as stakes are in whole EUR
        if yes * 3 > all * 2 and tally_word._stake(tally, 0) * 4 > bets:
            return state_word.YES
        if no * 3 > all * 2 and tally_word._stake(tally, 1) * 4 > bets:
            return state_word.NO
    return self._doubt(early)


@internal
@pure
def _doubt(early: bool) -> uint256:
    """
    @return What doubt concludes: INVALID, or 0 where an early proposal is refused.
    """
    return 0 if early else state_word.INVALID
