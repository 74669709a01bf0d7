# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title When and by whom a market is decided, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 31 expected_result_at, unix seconds; 32 to 63 dispute window, seconds; 64 to 223 referee; 224 whether an
     early proposal was refused. Times fit until 2106.
"""


MASK_32: constant(uint256) = 2**32 - 1
MASK_160: constant(uint256) = 2**160 - 1


@internal
@pure
def _pack(referee: address, dispute_window: uint256, expected_result_at: uint256, refused: bool) -> uint256:
    return (
        (convert(refused, uint256) << 224)
        | (convert(referee, uint256) << 64)
        | (dispute_window << 32)
        | expected_result_at
    )


@internal
@pure
def _expected_result_at(word: uint256) -> uint256:
    return word & MASK_32


@internal
@pure
def _dispute_window(word: uint256) -> uint256:
    return (word >> 32) & MASK_32


@internal
@pure
def _referee(word: uint256) -> address:
    return convert((word >> 64) & MASK_160, address)


@internal
@pure
def _refused(word: uint256) -> bool:
    return (word >> 224) != 0


@internal
@pure
def _reopened(word: uint256, at: uint256) -> uint256:
    """
    @notice The same after an early proposal was refused at that time: where the result was due meanwhile, the days to
            propose are counted anew, or `expire` could make a refused INVALID win.
    """
    return self._pack(
        self._referee(word), self._dispute_window(word), max(self._expected_result_at(word), at), True
    )
