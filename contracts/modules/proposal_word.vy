# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Who proposed an outcome and until when it can be disputed, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 31 proposed_at; 32 to 63 end of the dispute window, both unix seconds; 64 to 223 proposer; 224 whether it
     replaced an earlier proposal. Times fit until 2106. A word of 0: nothing is proposed.
"""


MASK_32: constant(uint256) = 2**32 - 1
MASK_160: constant(uint256) = 2**160 - 1


@internal
@view
def _pack(proposer: address, ends_at: uint256, replaced: bool) -> uint256:
    return (
        (convert(replaced, uint256) << 224)
        | (convert(proposer, uint256) << 64)
        | (ends_at << 32)
        | block.timestamp
    )


@internal
@pure
def _proposed_at(word: uint256) -> uint256:
    return word & MASK_32


@internal
@pure
def _ends_at(word: uint256) -> uint256:
    return (word >> 32) & MASK_32


@internal
@pure
def _proposer(word: uint256) -> address:
    return convert((word >> 64) & MASK_160, address)


@internal
@pure
def _replaced(word: uint256) -> bool:
    return (word >> 224) != 0
