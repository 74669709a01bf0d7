# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What placing a hosted bet reads of its listing, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 47 filter of the host and the panel's members, 48 to 79 when
     placing ends (unix seconds, until 2106), 80 to 163 least and 164 to 247
     greatest stake, 248 to 251 number of predictions less one, 252 whether the
     bet is private. A least stake is never 0, so neither is the word.
"""


FILTER_BITS: constant(uint256) = 48
TIME_MASK: constant(uint256) = 2**32 - 1
STAKE_MASK: constant(uint256) = 2**84 - 1


@internal
@pure
def _pack(
    members: uint256, closes_at: uint256, min_stake: uint256, max_stake: uint256, count: uint256, is_private: bool
) -> uint256:
    return (
        members
        | (closes_at << 48)
        | (min_stake << 80)
        | (max_stake << 164)
        | ((count - 1) << 248)
        | (convert(is_private, uint256) << 252)
    )


@internal
@pure
def _bit_of(account: address) -> uint256:
    """
    @notice The filter's bit that an account has in common with one of 48 others.
    """
    return 1 << (convert(account, uint256) % FILTER_BITS)


@internal
@pure
def _is_filtered(word: uint256, account: address) -> bool:
    return word & self._bit_of(account) != 0


@internal
@pure
def _closes_at(word: uint256) -> uint256:
    return (word >> 48) & TIME_MASK


@internal
@pure
def _with_closes_at(word: uint256, closes_at: uint256) -> uint256:
    return (word & ~(TIME_MASK << 48)) | (closes_at << 48)


@internal
@pure
def _min_stake(word: uint256) -> uint256:
    return (word >> 80) & STAKE_MASK


@internal
@pure
def _max_stake(word: uint256) -> uint256:
    return (word >> 164) & STAKE_MASK


@internal
@pure
def _count(word: uint256) -> uint256:
    return ((word >> 248) & 15) + 1


@internal
@pure
def _is_private(word: uint256) -> bool:
    return word >> 252 != 0
