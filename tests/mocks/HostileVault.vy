# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title A vault of its owner's making: shows any asset, any price and any limit, pays
       a part of what it says, and takes whatever it is allowed to take, also in the
       middle of a deposit or a withdrawal
@license AGPL-3.0-only
"""


from ethereum.ercs import IERC20


asset: public(address)
balanceOf: public(HashMap[address, uint256])
price_bps: public(uint256)  # of a share in assets
paid_bps: public(uint256)  # of what it says that it pays
limit: public(uint256)  # what it says that it can pay
shares_each: public(uint256)  # for an asset's unit
hides_shares: public(bool)
loot: DynArray[address, 16]  # tokens that it tries to take of whoever calls it


@deploy
def __init__(asset: address):
    self.asset = asset
    self.price_bps = 10_000
    self.paid_bps = 10_000
    self.limit = max_value(uint256)
    self.shares_each = 1


@external
def set_asset(asset: address):
    self.asset = asset


@external
def set_price(price_bps: uint256):
    self.price_bps = price_bps


@external
def set_paid(paid_bps: uint256):
    self.paid_bps = paid_bps


@external
def set_limit(limit: uint256):
    self.limit = limit


@external
def set_shares_each(shares_each: uint256):
    self.shares_each = shares_each


@external
def set_hides_shares(hides_shares: bool):
    self.hides_shares = hides_shares


@external
def set_loot(loot: DynArray[address, 16]):
    self.loot = loot


@external
def take(token: address, victim: address):
    amount: uint256 = min(staticcall IERC20(token).balanceOf(victim), staticcall IERC20(token).allowance(victim, self))
    assert amount != 0, "vault: nothing to take"
    assert extcall IERC20(token).transferFrom(victim, self, amount)


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    assert extcall IERC20(self.asset).transferFrom(msg.sender, self, assets)
    self._loot(msg.sender)
    if not self.hides_shares:
        self.balanceOf[receiver] += assets * self.shares_each
    return assets * self.shares_each


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    return shares // self.shares_each * self.price_bps // 10_000


@external
@view
def maxWithdraw(owner: address) -> uint256:
    return min(self.limit, self.balanceOf[owner])


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    shares: uint256 = assets * self.shares_each * 10_000 // self.price_bps
    self.balanceOf[owner] -= shares
    assert extcall IERC20(self.asset).transfer(receiver, assets * self.paid_bps // 10_000)
    self._loot(msg.sender)
    return shares


@internal
def _loot(victim: address):
    for token: address in self.loot:
        amount: uint256 = min(
            staticcall IERC20(token).balanceOf(victim), staticcall IERC20(token).allowance(victim, self)
        )
        if amount != 0:
            assert extcall IERC20(token).transferFrom(victim, self, amount)
