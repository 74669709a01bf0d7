# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What is stored of a session, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 7 stage, 8 to 71 what was topped up, 72 to 111 end of the first window,
     112 to 151 end of the whole challenge, both unix seconds, 152 posted by
     the player, 153 newest bet proven, 154 to 217 seq of the posted state. 0 where
     there is no session. All but stage and top-ups is 0 until an exit begins.
"""


NO_SESSION: constant(uint256) = 0
OPEN: constant(uint256) = 1
EXITING: constant(uint256) = 2
CLOSED: constant(uint256) = 3  # its offer could still be used again

STAGE_MASK: constant(uint256) = 2**8 - 1
TOP_UPS_SHIFT: constant(uint256) = 8
TOP_UPS_MASK: constant(uint256) = 2**64 - 1
FIRST_END_SHIFT: constant(uint256) = 72
END_SHIFT: constant(uint256) = 112
TIME_MASK: constant(uint256) = 2**40 - 1
BY_PLAYER_SHIFT: constant(uint256) = 152
PROVEN_SHIFT: constant(uint256) = 153
SEQ_SHIFT: constant(uint256) = 154
SEQ_MASK: constant(uint256) = 2**64 - 1


@internal
@pure
def _pack_open(top_ups: uint256) -> uint256:
    return (top_ups << TOP_UPS_SHIFT) | OPEN


@internal
@pure
def _pack_exit(top_ups: uint256, first_end: uint256, end: uint256, by_player: bool, seq: uint256) -> uint256:
    """
    @notice A session whose exit has begun; the newest bet of the posted state is not proven.
    """
    return (
        (seq << SEQ_SHIFT)
        | (convert(by_player, uint256) << BY_PLAYER_SHIFT)
        | (end << END_SHIFT)
        | (first_end << FIRST_END_SHIFT)
        | (top_ups << TOP_UPS_SHIFT)
        | EXITING
    )


@internal
@pure
def _with_proof(word: uint256) -> uint256:
    return word | (1 << PROVEN_SHIFT)


@internal
@pure
def _stage(word: uint256) -> uint256:
    return word & STAGE_MASK


@internal
@pure
def _is_running(word: uint256) -> bool:
    return word & STAGE_MASK == OPEN or word & STAGE_MASK == EXITING


@internal
@pure
def _top_ups(word: uint256) -> uint256:
    return (word >> TOP_UPS_SHIFT) & TOP_UPS_MASK


@internal
@pure
def _first_end(word: uint256) -> uint256:
    return (word >> FIRST_END_SHIFT) & TIME_MASK


@internal
@pure
def _end(word: uint256) -> uint256:
    return (word >> END_SHIFT) & TIME_MASK


@internal
@pure
def _by_player(word: uint256) -> bool:
    return (word >> BY_PLAYER_SHIFT) & 1 == 1


@internal
@pure
def _proven(word: uint256) -> bool:
    return (word >> PROVEN_SHIFT) & 1 == 1


@internal
@pure
def _seq(word: uint256) -> uint256:
    return (word >> SEQ_SHIFT) & SEQ_MASK
