# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A prediction of a bet with odds and its queue, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 87 stakes confirmed, 88 to 171 how much of the ticket at the head is
     confirmed, 172 to 199 the head, 200 to 227 the tail, 228 to 255 how many
     tickets wait. Tickets from the head to before the tail are in the queue. Where
     none waits the head is the tail. Indices count up from 0 and never come back.
"""


STAKE_MASK: constant(uint256) = 2**88 - 1
FILLED_MASK: constant(uint256) = 2**84 - 1
INDEX_MASK: constant(uint256) = 2**28 - 1


@internal
@pure
def _pack(staked: uint256, filled: uint256, head: uint256, tail: uint256, waiting: uint256) -> uint256:
    return staked | (filled << 88) | (head << 172) | (tail << 200) | (waiting << 228)


@internal
@pure
def _staked(word: uint256) -> uint256:
    return word & STAKE_MASK


@internal
@pure
def _filled(word: uint256) -> uint256:
    return (word >> 88) & FILLED_MASK


@internal
@pure
def _head(word: uint256) -> uint256:
    return (word >> 172) & INDEX_MASK


@internal
@pure
def _tail(word: uint256) -> uint256:
    return (word >> 200) & INDEX_MASK


@internal
@pure
def _waiting(word: uint256) -> uint256:
    return word >> 228


@internal
@pure
def _plus(word: uint256, stake: uint256) -> uint256:
    # What is covered is at most STAKE_MASK (see `odds`), so nothing is carried.
    return word + stake


@internal
@pure
def _confirmed_part(word: uint256, index: uint256, amount: uint256) -> uint256:
    """
    @notice How much of a ticket is confirmed: all of it before the head, nothing
            after it.
    """
    head: uint256 = self._head(word)
    if index < head:
        return amount
    return self._filled(word) if index == head else 0


@internal
@pure
def _with_ticket(word: uint256) -> uint256:
    """
    @notice The queue with a ticket more, whose index is the tail of before.
    """
    return word + (1 << 200) + (1 << 228)


@internal
@pure
def _without_ticket(word: uint256) -> uint256:
    """
    @notice The queue where one that waited does not any more. After the last of them
            the head is the tail: whatever is passed so was cancelled.
    """
    waiting: uint256 = self._waiting(word) - 1
    if waiting != 0:
        return word - (1 << 228)
    tail: uint256 = self._tail(word)
    return self._pack(self._staked(word), 0, tail, tail, 0)
