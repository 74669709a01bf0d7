# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What a panel reported on a question, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 223 a code of 7 bits for each member, by place in the panel; 224 to 230 the
     code of the final outcome. Code 0 is no report, 1 to 126 are outcomes 0 to 125, 127
     is INVALID. A member is named by the seat (modules/seat_word.vy).
"""


from . import seat_word


INVALID: constant(uint256) = max_value(uint256)
INVALID_CODE: constant(uint256) = 2**seat_word.CODE_BITS - 1
FINAL_SHIFT: constant(uint256) = seat_word.CODE_BITS * seat_word.MAX_MEMBERS


@internal
@pure
def _encoded(outcome: uint256) -> uint256:
    """
    @notice The code of an outcome; INVALID's for what is no outcome.
    """
    return min(outcome, INVALID_CODE - 1) + 1


@internal
@pure
def _decoded(code: uint256) -> (bool, uint256):
    """
    @notice Whether there is a report, and its outcome; 0 where there is none.
    """
    if code == 0:
        return False, 0
    if code == INVALID_CODE:
        return True, INVALID
    return True, code - 1


@internal
@pure
def _final(word: uint256) -> uint256:
    """
    @notice Code of the final outcome; 0 where there is none.
    """
    return word >> FINAL_SHIFT


@internal
@pure
def _decided(word: uint256, code: uint256) -> uint256:
    """
    @notice The word in which a code becomes final.
    """
    return word | (code << FINAL_SHIFT)


@internal
@pure
def _code_of(word: uint256, seat: uint256) -> uint256:
    """
    @notice What a member reported; 0 for who did not, or is no member.
    """
    # Divided by 0, unsafe_div gives 0.
    return unsafe_div(word, seat & seat_word.UNIT_MASK) & INVALID_CODE


@internal
@pure
def _code_at(word: uint256, place: uint256) -> uint256:
    """
    @notice What the member at a place reported; 0 for who did not.
    """
    return (word >> (place * seat_word.CODE_BITS)) & INVALID_CODE


@internal
@pure
def _with(word: uint256, code: uint256, seat: uint256) -> uint256:
    """
    @notice The word in which a member who had not reported has reported a code.
    """
    # Seven bits that are 0 now, at the member's place, so below bit 224.
    return word | unsafe_mul(code, seat & seat_word.UNIT_MASK)


@internal
@pure
def _count(word: uint256, code: uint256) -> uint256:
    """
    @notice How many members reported a code, in a word without a final outcome.
    """
    count: uint256 = 0
    rest: uint256 = word
    for _: uint256 in range(seat_word.MAX_MEMBERS):
        if rest == 0:
            break
        if (rest & INVALID_CODE) == code:
            count += 1
        rest >>= seat_word.CODE_BITS
    return count
