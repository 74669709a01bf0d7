# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title A stake that is or was not covered when it was placed, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 159 its owner, 160 to 243 its amount, less what was cancelled. A word
     of 0 is a ticket that was cancelled, paid, or never was.
"""


@internal
@pure
def _pack(account: address, amount: uint256) -> uint256:
    return 0 if amount == 0 else convert(account, uint256) | (amount << 160)


@internal
@pure
def _account(word: uint256) -> address:
    return convert(word & (2**160 - 1), address)


@internal
@pure
def _amount(word: uint256) -> uint256:
    return word >> 160
