# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title The money of a bet with odds that is not pending, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 95 all confirmed stakes, 96 to 191 the host's bankroll, 192 to 201 the
     validators' commission in basis points. Sixteen sums of confirmed stakes of 88
     bits fit.
"""


MAX_BANKROLL: constant(uint256) = 2**96 - 1


@internal
@pure
def _pack(staked: uint256, bankroll: uint256, validator_bps: uint256) -> uint256:
    return staked | (bankroll << 96) | (validator_bps << 192)


@internal
@pure
def _staked(word: uint256) -> uint256:
    return word & MAX_BANKROLL


@internal
@pure
def _bankroll(word: uint256) -> uint256:
    return (word >> 96) & MAX_BANKROLL


@internal
@pure
def _validator_bps(word: uint256) -> uint256:
    return word >> 192


@internal
@pure
def _plus(word: uint256, stake: uint256) -> uint256:
    return word + stake
