# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What is stored of a stream, in one word
@author Tessera
@license AGPL-3.0-only
@notice Who signs its offers, what of its bankroll is free, and how much more open sessions may lock.
@dev Bits 96 to 255 operator, 32 to 95 free bankroll in money, 0 to 31 room in whole
     tokens. A lock takes its whole tokens of room, rounded up, and gives back as many.
     Assumption: the collateral's supply is below 2**64 units, 18 trillion EUR. A stream of
     more could end no session until its operator withdraws some.
"""


OPERATOR_SHIFT: constant(uint256) = 96
FREE_SHIFT: constant(uint256) = 32
FREE_MASK: constant(uint256) = 2**64 - 1
ROOM_MASK: constant(uint256) = 2**32 - 1
TOKEN: constant(uint256) = 10**6


@internal
@pure
def _pack(operator: address, room: uint256) -> uint256:
    """
    @notice A new stream, without bankroll.
    """
    return (convert(operator, uint256) << OPERATOR_SHIFT) | room


@internal
@pure
def _operator(word: uint256) -> address:
    return convert(word >> OPERATOR_SHIFT, address)


@internal
@pure
def _free(word: uint256) -> uint256:
    return (word >> FREE_SHIFT) & FREE_MASK


@internal
@pure
def _room(word: uint256) -> uint256:
    return word & ROOM_MASK


@internal
@pure
def _tokens_up(amount: uint256) -> uint256:
    """
    @notice Whole tokens of room that a lock takes.
    """
    # No overflow: amounts of an offer have 96 bits.
    return unsafe_div(unsafe_add(amount, TOKEN - 1), TOKEN)


@internal
@pure
def _with_more(word: uint256, amount: uint256) -> uint256:
    """
    @notice Money comes to the free bankroll.
    """
    assert amount <= FREE_MASK - self._free(word), "micro: bankroll too large"
    return unsafe_add(word, amount << FREE_SHIFT)


@internal
@pure
def _with_less(word: uint256, amount: uint256) -> uint256:
    """
    @notice Money leaves the free bankroll, which holds as much.
    """
    return unsafe_sub(word, amount << FREE_SHIFT)


@internal
@pure
def _has_room(word: uint256, lock: uint256) -> bool:
    return self._tokens_up(lock) <= word & ROOM_MASK


@internal
@pure
def _with_lock(word: uint256, lock: uint256) -> uint256:
    """
    @notice A session takes its lock, of which as much is free and for which there is room.
    """
    return unsafe_sub(self._with_less(word, lock), self._tokens_up(lock))


@internal
@pure
def _with_return(word: uint256, lock: uint256, back: uint256) -> uint256:
    """
    @notice A session ends: there is room again for its lock, and `back` comes back to the bankroll.
    """
    # Room is at most the cap it began as, so nothing is carried into the next field.
    return unsafe_add(self._with_more(word, back), self._tokens_up(lock))
