# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title ListedToken
@notice TestToken, but accounts can be put on a list: then nobody can send them anything.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable
from snekmate.tokens import erc20


implements: IERC20
implements: IERC20Detailed
initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.approve,
    erc20.allowance,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
)


is_listed: public(HashMap[address, bool])


@deploy
def __init__(name: String[25], symbol: String[5], decimals: uint8):
    """
    @param name Any.
    @param symbol Any.
    @param decimals Any.
    """
    ownable.__init__()
    erc20.__init__(name, symbol, decimals, name, "1")


@external
def list_account(account: address, is_listed: bool):
    """
    @param account Who.
    @param is_listed Whether transfers to the account revert from now on.
    """
    self.is_listed[account] = is_listed


@external
def mint(account: address, amount: uint256):
    """
    @notice Anybody mints anything.
    @param account Whose balance grows.
    @param amount By how much.
    """
    erc20._mint(account, amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @param to Not on the list.
    @param amount In the smallest unit.
    @return True.
    """
    assert not self.is_listed[to], "listed: no"
    erc20._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @param owner Who approved the caller.
    @param to Not on the list.
    @param amount In the smallest unit.
    @return True.
    """
    assert not self.is_listed[to], "listed: no"
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._transfer(owner, to, amount)
    return True
