# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What never changes of a market, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 31 closes_at, unix seconds; 32 to 95 b, WAD; 96 to 255 creator. b is greatest at even odds,
     10 / ln 2 < 2**64 / 1e18. Times fit until 2106.
"""


MASK_32: constant(uint256) = 2**32 - 1
MASK_64: constant(uint256) = 2**64 - 1


@internal
@pure
def _pack(creator: address, b: uint256, closes_at: uint256) -> uint256:
    return (convert(creator, uint256) << 96) | (b << 32) | closes_at


@internal
@pure
def _creator(word: uint256) -> address:
    return convert(word >> 96, address)


@internal
@pure
def _b(word: uint256) -> uint256:
    return (word >> 32) & MASK_64


@internal
@pure
def _closes_at(word: uint256) -> uint256:
    return word & MASK_32
