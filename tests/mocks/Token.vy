# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title A token that misbehaves on demand: takes a fee, or answers False to
       transfers to some accounts
@license AGPL-3.0-only
"""


from snekmate.auth import ownable
from snekmate.tokens import erc20


initializes: ownable
initializes: erc20[ownable := ownable]


exports: (erc20.totalSupply, erc20.balanceOf, erc20.allowance, erc20.decimals)


fee: public(uint256)  # kept back of each transfer
refused: public(HashMap[address, bool])
approvable: public(bool)


@deploy
def __init__(decimals: uint8):
    self.approvable = True
    ownable.__init__()
    erc20.__init__("Token", "T", decimals, "Token", "1")


@external
def approve(spender: address, amount: uint256) -> bool:
    erc20._approve(msg.sender, spender, amount)
    return self.approvable


@external
def set_approvable(approvable: bool):
    self.approvable = approvable


@external
def mint(owner: address, amount: uint256):
    erc20._mint(owner, amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    if self.refused[to]:
        return False
    erc20._transfer(msg.sender, to, amount - self.fee)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    erc20._spend_allowance(owner, msg.sender, amount)
    if self.refused[to]:
        return False
    erc20._transfer(owner, to, amount - self.fee)
    return True


@external
def set_fee(fee: uint256):
    self.fee = fee


@external
def refuse(account: address, refused: bool):
    self.refused[account] = refused
