# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title In place of the market arithmetic: any number of shares
@author Tessera
@license AGPL-3.0-only
@dev `_buy` answers the block's base fee, which a property sets to any number. That the real one keeps to the bound
     which the property assumes is proved in docs/lmsr-error-bound.md.
"""


WAD: constant(uint256) = 10**18
MIN_P0: constant(uint256) = 10**16
MAX_P0: constant(uint256) = 99 * 10**16


@internal
@view
def _opening(p0: uint256, seed: uint256) -> (uint256, uint256):
    return p0, seed


@internal
@view
def _buy(b: uint256, gap: int256, stake: uint256) -> (uint256, uint256):
    return block.basefee, WAD


@internal
@view
def _price(b: uint256, gap: int256) -> uint256:
    return WAD
