# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A member's seat on a panel, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 223 the unit of the member's code in a report word (modules/report_word.vy),
     which the code is multiplied by: a 1 at 7 times the place. 224 and up the panel's threshold M,
     so that a report need not look it up. 0 for who is no member.
"""


CODE_BITS: constant(uint256) = 7
MAX_MEMBERS: constant(uint256) = 32
THRESHOLD_SHIFT: constant(uint256) = CODE_BITS * MAX_MEMBERS
UNIT_MASK: constant(uint256) = 2**THRESHOLD_SHIFT - 1


@internal
@pure
def _pack(threshold: uint256, place: uint256) -> uint256:
    """
    @param place Of the member in the panel, from 0.
    """
    return (threshold << THRESHOLD_SHIFT) | (1 << (CODE_BITS * place))


@internal
@pure
def _threshold(word: uint256) -> uint256:
    return word >> THRESHOLD_SHIFT
