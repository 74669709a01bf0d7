# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title An account's stake in one asset, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 63 the value that counts, 64 to 127 the value when it was staked, both USD
     with 6 decimals, 128 to 223 the principal in the asset's smallest unit. What counts
     is less than the value staked only after a loss of the vault.
"""


@internal
@pure
def _pack(principal: uint256, full: uint256, counted: uint256) -> uint256:
    return (principal << 128) | (full << 64) | counted


@internal
@pure
def _principal(word: uint256) -> uint256:
    return word >> 128


@internal
@pure
def _full(word: uint256) -> uint256:
    return (word >> 64) & (2**64 - 1)


@internal
@pure
def _counted(word: uint256) -> uint256:
    return word & (2**64 - 1)
