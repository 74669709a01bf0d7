# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What an account holds on one side of a market, in one word, and the keys of such words
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 127 shares, WAD; 128 to 255 staked, money. Both are far below 2**128 (state_word.vy).
     A key is market 95 | bit 1 | account 160; the bit is the side, or of a vote the round. A market's number has to be
     known to exist before it is made a key.
"""


MASK_128: constant(uint256) = 2**128 - 1


@internal
@pure
def _key(market_id: uint256, bit: uint256, account: address) -> uint256:
    return (market_id << 161) | (bit << 160) | convert(account, uint256)


@internal
@pure
def _pack(staked: uint256, shares: uint256) -> uint256:
    return (staked << 128) | shares


@internal
@pure
def _shares(word: uint256) -> uint256:
    return word & MASK_128


@internal
@pure
def _staked(word: uint256) -> uint256:
    return word >> 128
