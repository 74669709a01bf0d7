# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title How an asset is listed, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 159 the price feed, 160 to 167 the feed's decimals, 168 to 175 the
     asset's, 176 to 177 its state: one of the constants below.
"""


# Retired, or never listed: takes no stakes, and no prize week waits for its yield.
RETIRED: constant(uint256) = 0
# On the list, and its vault has not proven that money comes out of it.
LISTED: constant(uint256) = 1
CLOSED: constant(uint256) = 2
OPEN: constant(uint256) = 3


@internal
@pure
def _pack(feed: address, feed_decimals: uint256, decimals: uint256, state: uint256) -> uint256:
    return (state << 176) | (decimals << 168) | (feed_decimals << 160) | convert(feed, uint256)


@internal
@pure
def _with_state(word: uint256, state: uint256) -> uint256:
    """
    @notice The word with another state.
    """
    return (state << 176) | (word & (2**176 - 1))


@internal
@pure
def _feed(word: uint256) -> address:
    return convert(word & (2**160 - 1), address)


@internal
@pure
def _feed_decimals(word: uint256) -> uint256:
    return (word >> 160) & 255


@internal
@pure
def _decimals(word: uint256) -> uint256:
    return (word >> 168) & 255


@internal
@pure
def _state(word: uint256) -> uint256:
    return word >> 176
