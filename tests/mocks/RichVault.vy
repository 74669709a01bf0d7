# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title A vault that says it is rich and pays nothing
@license AGPL-3.0-only
"""


asset: public(address)


@deploy
def __init__(asset: address):
    self.asset = asset


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    return 2 * shares


@external
@view
def maxWithdraw(owner: address) -> uint256:
    return max_value(uint256)
