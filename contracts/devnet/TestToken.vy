# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title TestToken
@author Tessera
@license AGPL-3.0-only
@notice An ERC-20 with permits that anybody can mint: a stand-in for stablecoins
        on local chains.
@custom:halt Nothing halts it. Never deployed elsewhere.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.tokens.interfaces import IERC20Permit


implements: IERC20
implements: IERC20Detailed
implements: IERC20Permit
initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.allowance,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.burn,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)


@deploy
def __init__(name: String[25], symbol: String[5], decimals: uint8):
    """
    @param name Also of the EIP-712 domain, whose version is "1".
    @param symbol Ticker.
    @param decimals Of amounts.
    """
    ownable.__init__()
    erc20.__init__(name, symbol, decimals, name, "1")


@external
def mint(owner: address, amount: uint256):
    """
    @notice Creates tokens. Anybody may.
    @param owner Who gets them.
    @param amount In the smallest unit.
    """
    erc20._mint(owner, amount)
