# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A vault's loss that somebody noted, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 39 the time of the note, unix seconds, 40 to 103 the part of all
     principal that was lost, WAD. A note can be used when it is a day old, and ends
     when it is three days old: until then it cannot be made afresh.
"""


MATURE: constant(uint256) = 24 * 3600
LIFE: constant(uint256) = 72 * 3600


@internal
@pure
def _pack(loss: uint256, noted_at: uint256) -> uint256:
    return (loss << 40) | noted_at


@internal
@pure
def _loss(word: uint256) -> uint256:
    return word >> 40


@internal
@pure
def _noted_at(word: uint256) -> uint256:
    return word & (2**40 - 1)


@internal
@view
def _is_live(word: uint256) -> bool:
    return block.timestamp < self._noted_at(word) + LIFE


@internal
@view
def _mature_loss(word: uint256) -> uint256:
    """
    @notice The loss of a note that can be used now, else 0.
    """
    if not self._is_live(word) or block.timestamp < self._noted_at(word) + MATURE:
        return 0
    return self._loss(word)
