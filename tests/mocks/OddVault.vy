# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title A vault that misbehaves on demand: keeps shares of a deposit, or refuses
       deposits and withdrawals that it said it could pay. One share is one asset.
@license AGPL-3.0-only
"""


from ethereum.ercs import IERC20


asset: public(address)
kept: public(uint256)
refuses: public(bool)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(asset: address):
    self.asset = asset


@external
def set_kept(kept: uint256):
    self.kept = kept


@external
def set_refuses(refuses: bool):
    self.refuses = refuses


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    assert not self.refuses, "vault: no"
    assert extcall IERC20(self.asset).transferFrom(msg.sender, self, assets)
    got: uint256 = assets - min(assets, self.kept)
    self.balanceOf[receiver] += got
    return got


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    return shares


@external
@view
def maxWithdraw(owner: address) -> uint256:
    return self.balanceOf[owner]


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    assert not self.refuses, "vault: no"
    self.balanceOf[owner] -= assets
    assert extcall IERC20(self.asset).transfer(receiver, assets)
    return assets
