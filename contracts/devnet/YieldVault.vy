# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title YieldVault
@author Tessera
@license AGPL-3.0-only
@notice snekmate's ERC-4626 vault with switches that anybody can throw: a
        stand-in for lending vaults on local chains. Tokens sent to it are its
        yield; it can lose some, lend out what people want back, or be paused.
@custom:halt `set_paused`. Never deployed elsewhere.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626
from snekmate.auth import ownable
from snekmate.extensions import erc4626
from snekmate.tokens import erc20


implements: IERC20
implements: IERC20Detailed
implements: IERC4626
initializes: erc4626


exports: (
    erc4626.totalSupply,
    erc4626.balanceOf,
    erc4626.transfer,
    erc4626.transferFrom,
    erc4626.approve,
    erc4626.allowance,
    erc4626.name,
    erc4626.symbol,
    erc4626.decimals,
    erc4626.asset,
    erc4626.totalAssets,
    erc4626.convertToShares,
    erc4626.convertToAssets,
    erc4626.previewDeposit,
    erc4626.previewMint,
    erc4626.previewWithdraw,
    erc4626.previewRedeem,
)


LOST: constant(address) = 0x000000000000000000000000000000000000dEaD


paused: public(bool)
liquidity: public(uint256)  # what can still leave, in assets


@deploy
def __init__(asset: IERC20):
    """
    @param asset What it holds; shares have the same decimals.
    """
    erc4626.__init__("Yield Vault", "YV", asset, 0, "Yield Vault", "1")
    self.liquidity = max_value(uint256)


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """
    @notice Puts assets in.
    @param assets In the asset's smallest unit.
    @param receiver Of the shares.
    @return Shares, rounded down.
    """
    self._check_running()
    shares: uint256 = erc4626._preview_deposit(assets)
    erc4626._deposit(msg.sender, receiver, assets, shares)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """
    @notice Puts in what so many shares cost.
    @param shares To be created.
    @param receiver Of the shares.
    @return Assets taken, rounded up.
    """
    self._check_running()
    assets: uint256 = erc4626._preview_mint(shares)
    erc4626._deposit(msg.sender, receiver, assets, shares)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Takes assets out.
    @param assets In the asset's smallest unit.
    @param receiver Of the assets.
    @param owner Of the shares.
    @return Shares burned, rounded up.
    """
    self._check_running()
    assert assets <= erc4626._max_withdraw(owner), "vault: more than owned"
    shares: uint256 = erc4626._preview_withdraw(assets)
    self._leave(receiver, owner, assets, shares)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Takes out what so many shares are worth.
    @param shares To be burned.
    @param receiver Of the assets.
    @param owner Of the shares.
    @return Assets, rounded down.
    """
    self._check_running()
    assert shares <= erc4626._max_redeem(owner), "vault: more shares than owned"
    assets: uint256 = erc4626._preview_redeem(shares)
    self._leave(receiver, owner, assets, shares)
    return assets


@external
def set_paused(paused: bool):
    """
    @notice While paused nothing goes in or out, as in a lending market that was
            stopped. Anybody may.
    @param paused The switch.
    """
    self.paused = paused


@external
def set_liquidity(liquidity: uint256):
    """
    @notice Limits what can leave from now on, as when the rest is lent out.
            Anybody may.
    @param liquidity In the asset's smallest unit; `max_value(uint256)` is no limit.
    """
    self.liquidity = liquidity


@external
def lose(assets: uint256):
    """
    @notice Loses assets for good, as to bad debt. Anybody may.
    @param assets In the asset's smallest unit.
    """
    assert extcall IERC20(erc4626.asset).transfer(LOST, assets), "vault: loss failed"


@external
@view
def maxDeposit(receiver: address) -> uint256:
    """
    @notice What can go in now.
    @param receiver Of the shares.
    @return No limit, or 0 while paused.
    """
    return 0 if self.paused else erc4626._max_deposit(receiver)


@external
@view
def maxMint(receiver: address) -> uint256:
    """
    @notice Shares that can be bought now.
    @param receiver Of the shares.
    @return No limit, or 0 while paused.
    """
    return 0 if self.paused else erc4626._max_mint(receiver)


@external
@view
def maxWithdraw(owner: address) -> uint256:
    """
    @notice What an owner can take out now.
    @param owner Of shares.
    @return Assets, rounded down; 0 while paused.
    """
    return 0 if self.paused else min(erc4626._max_withdraw(owner), self.liquidity)


@external
@view
def maxRedeem(owner: address) -> uint256:
    """
    @notice Shares that an owner can redeem now.
    @param owner Of shares.
    @return Shares, rounded down; 0 while paused.
    """
    if self.paused:
        return 0
    owned: uint256 = erc4626._max_redeem(owner)
    if erc4626._preview_redeem(owned) <= self.liquidity:
        return owned
    return erc4626._convert_to_shares(self.liquidity, False)


@internal
@view
def _check_running():
    assert not self.paused, "vault: paused"


@internal
def _leave(receiver: address, owner: address, assets: uint256, shares: uint256):
    assert assets <= self.liquidity, "vault: illiquid"
    if self.liquidity != max_value(uint256):
        self.liquidity -= assets
    erc4626._withdraw(msg.sender, receiver, owner, assets, shares)
