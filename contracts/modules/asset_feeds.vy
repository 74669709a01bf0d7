# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Price feeds of assets
@author Tessera
@license AGPL-3.0-only
@notice What an asset costs, and when its feed can be replaced: a feed that was retired must not lock
        an asset's yield, and no owner can choose a price.
"""


from snekmate.auth import ownable

from ..interfaces import IStakingPool
from . import asset_word
from . import checks
from . import feeds
from . import listing


uses: ownable
uses: listing


SILENCE: constant(uint256) = 3 * 86_400  # after it a feed can be replaced


feed_failed_at: public(HashMap[address, uint256])  # unix seconds; 0: nobody noted that it fails


@external
def note_feed(asset: address):
    """
    @notice Notes that an asset's feed gives no price, or that it gives one again. Three
            days after a failure the owner can replace the feed. Anyone may call.
    @param asset Any asset that was ever listed.
    """
    listing._vault(asset)
    word: uint256 = listing._words[asset]
    failed_at: uint256 = 0
    if not feeds._answer(asset_word._feed(word), asset_word._feed_decimals(word))[0]:
        failed_at = block.timestamp
    checks._check((failed_at == 0) != (self.feed_failed_at[asset] == 0), "pool: nothing new of the feed")
    self.feed_failed_at[asset] = failed_at
    log IStakingPool.FeedNoted(asset=asset, failed_at=failed_at)


@external
def set_feed(asset: address, feed: address):
    """
    @notice Replaces an asset's feed: where the old one has been silent, or noted as failing, for three
            days, or where both prices are within 1 %. Owner only.
    @param asset Any asset that was ever listed.
    @param feed Chainlink AggregatorV3, USD per asset, with a fresh price.
    """
    ownable._check_owner()
    listing._vault(asset)
    word: uint256 = listing._words[asset]
    decimals: uint256 = feeds._decimals(feed)
    answers: bool = False
    price: uint256 = 0
    updated_at: uint256 = 0
    answers, price, updated_at = feeds._answer(feed, decimals)
    checks._check(answers and block.timestamp - updated_at <= feeds.MAX_AGE, "pool: new feed has no price")
    old_answers: bool = False
    old_price: uint256 = 0
    old_at: uint256 = 0
    old_answers, old_price, old_at = feeds._answer(asset_word._feed(word), asset_word._feed_decimals(word))
    if old_answers:
        difference: uint256 = max(price, old_price) - min(price, old_price)
        checks._check(
            difference * 100 <= old_price or block.timestamp - old_at >= SILENCE,
            "pool: old feed still answers",
        )
    else:
        failed_at: uint256 = self.feed_failed_at[asset]
        checks._check(
            failed_at != 0 and block.timestamp - failed_at >= SILENCE,
            "pool: old feed failed too lately",
        )
    self.feed_failed_at[asset] = 0
    listing._words[asset] = asset_word._pack(feed, decimals, asset_word._decimals(word), asset_word._state(word))
    log IStakingPool.FeedSet(asset=asset, old_feed=asset_word._feed(word), feed=feed)


@external
@view
def feed_of(asset: address) -> address:
    """
    @notice The price feed of an asset.
    @param asset Any asset that was ever listed.
    @return Chainlink AggregatorV3, or the zero address.
    """
    return asset_word._feed(listing._words[asset])


@internal
def _forget(asset: address):
    """
    @notice Clears the note of an asset's former listing.
    """
    self.feed_failed_at[asset] = 0


@internal
@view
def _price_wad(asset: address) -> uint256:
    """
    @notice USD per asset, WAD; refused where it cannot be right.
    """
    word: uint256 = listing._words[asset]
    return feeds._price_wad(asset_word._feed(word), asset_word._feed_decimals(word))
