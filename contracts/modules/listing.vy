# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Listed assets
@author Tessera
@license AGPL-3.0-only
@notice Which assets can be staked, each with its vault and feed.
@dev An address that was named once, as an asset or as a vault of an asset, is that for
     ever. So no asset is a vault's share: what the pool approves is never what it holds at rest.
"""


from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626
from snekmate.auth import ownable

from ..interfaces import IStakingPool
from . import asset_word
from . import checks
from . import feeds
from . import tokens


uses: ownable


MAX_ASSETS: constant(uint256) = 8
BPS: constant(uint256) = 10_000


assets: public(DynArray[address, MAX_ASSETS])  # on the list now
vault_of: public(HashMap[address, address])  # also of retired assets
_named: HashMap[address, address]  # an asset: itself; a vault: its asset
_words: HashMap[address, uint256]


@external
def retire_asset(asset: address):
    """
    @notice Takes an asset off the list: no new stakes, no week waits for its yield.
            Leaving and harvesting go on. Owner only.
    @param asset One of `assets`.
    """
    ownable._check_owner()
    word: uint256 = self._words[asset]
    checks._check(asset_word._state(word) != asset_word.RETIRED, "pool: asset is not listed")
    self._words[asset] = asset_word._with_state(word, asset_word.RETIRED)
    last: address = self.assets.pop()
    if last != asset:
        for i: uint256 in range(len(self.assets), bound=MAX_ASSETS):
            if self.assets[i] == asset:
                self.assets[i] = last
                break
    # A token that refuses must not keep its place: the pool holds none of it that an allowance could reach.
    _: bool = raw_call(
        asset,
        abi_encode(self.vault_of[asset], empty(uint256), method_id=method_id("approve(address,uint256)")),
        revert_on_failure=False,
    )
    log IStakingPool.AssetRetired(asset=asset)


@external
def set_open(asset: address, is_open: bool):
    """
    @notice Stops or resumes new stakes of an asset. Owner only.
    @param asset One of `assets` that was seeded.
    @param is_open Whether it can be staked.
    """
    ownable._check_owner()
    word: uint256 = self._words[asset]
    state: uint256 = asset_word._state(word)
    checks._check(state >= asset_word.CLOSED, "pool: asset is not seeded")
    self._words[asset] = asset_word._with_state(word, asset_word.OPEN if is_open else asset_word.CLOSED)
    log IStakingPool.AssetOpened(asset=asset, was_open=state == asset_word.OPEN, is_open=is_open)


@external
@view
def is_seeded(asset: address) -> bool:
    """
    @notice Whether an asset's vault has proven that money comes out of it.
    @param asset Any.
    @return True if so; not for what is not listed.
    """
    return self._is_seeded(asset)


@internal
def _add(asset: address, vault: address, feed: address):
    checks._check(asset_word._state(self._words[asset]) == asset_word.RETIRED, "pool: asset already added")
    checks._check(staticcall IERC4626(vault).asset() == asset, "pool: vault of other asset")
    asset_named: address = self._named[asset]
    vault_named: address = self._named[vault]
    checks._check(
        (asset_named == empty(address) or asset_named == asset)
        and (vault_named == empty(address) or vault_named == asset)
        and vault != asset,
        "pool: named before as another",
    )
    decimals: uint256 = convert(staticcall IERC20Detailed(asset).decimals(), uint256)
    checks._check(decimals >= 6 and decimals <= 18, "pool: bad decimals")
    checks._check(len(self.assets) < MAX_ASSETS, "pool: too many assets")
    self._named[asset] = asset
    self._named[vault] = asset
    self.assets.append(asset)
    self.vault_of[asset] = vault
    self._words[asset] = asset_word._pack(feed, feeds._decimals(feed), decimals, asset_word.LISTED)


@internal
def _seeded(asset: address):
    """
    @notice Opens a listed asset and lets its vault take what the pool holds of it, which it does only within a call.
    """
    word: uint256 = self._words[asset]
    checks._check(asset_word._state(word) == asset_word.LISTED, "pool: not waiting for a seed")
    self._words[asset] = asset_word._with_state(word, asset_word.OPEN)
    tokens._approve(asset, self.vault_of[asset], max_value(uint256))


@internal
@view
def _vault(asset: address) -> address:
    vault: address = self.vault_of[asset]
    assert vault != empty(address), "pool: unknown asset"
    return vault


@internal
@view
def _check_open(asset: address):
    self._vault(asset)
    assert asset_word._state(self._words[asset]) == asset_word.OPEN, "pool: asset is closed"


@internal
@view
def _is_seeded(asset: address) -> bool:
    return asset_word._state(self._words[asset]) >= asset_word.CLOSED


@internal
@view
def _is_vault(token: address) -> bool:
    """
    @notice Whether a token is, or ever was, the share of a vault.
    """
    asset: address = self._named[token]
    return asset != empty(address) and asset != token


@internal
@view
def _unit(asset: address) -> uint256:
    """
    @notice One whole token.
    """
    return 10 ** asset_word._decimals(self._words[asset])


@internal
@view
def _grain(asset: address) -> uint256:
    """
    @notice A basis point of one token: no share may be worth more, no yield that moves be less.
    """
    return self._unit(asset) // BPS
