# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Coin
@notice An ordinary token of 6 decimals with permits; its deployer mints.
"""


from snekmate.auth import ownable
from snekmate.tokens import erc20


initializes: ownable
initializes: erc20[ownable := ownable]


exports: erc20.__interface__


@deploy
def __init__():
    ownable.__init__()
    erc20.__init__("Coin", "COIN", 6, "Coin", "1")
