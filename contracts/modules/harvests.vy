# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Yield, from vaults to prizes
@author Tessera
@license AGPL-3.0-only
@notice What is due of an asset's yield, when all of it was moved, and what it is in prize tokens.
@dev What a vault would return above principal and a buffer of one token is yield. At most 50 bps of
     principal a week are due: a share price that somebody pumps cannot turn principal into prize.
"""


from ..interfaces import IPrizePool
from ..interfaces import IStakingPool
from ..interfaces import IUniswapV2Router
from . import asset_feeds
from . import checks
from . import holding_word
from . import listing
from . import periods
from . import principal_word
from . import tokens
from . import vault_calls
from . import vaults


uses: listing
uses: asset_feeds
uses: vaults


HARVEST_BPS: constant(uint256) = 50  # of principal, a week
SWAP_LOSS_BPS: constant(uint256) = 50
BPS: constant(uint256) = 10_000
MAX_SWAP_PRICE: constant(uint256) = 102 * 10**16  # above it a feed is not believed for a swap


PRIZES: public(immutable(address))
PRIZE_TOKEN: public(immutable(address))
ROUTER: public(immutable(address))


@deploy
def __init__(prizes: address, prize_token: address, router: address):
    """
    @notice Of addresses that the importer has checked.
    @param prizes PrizePool, which may be deployed later.
    @param prize_token What prizes are paid in: one of the assets.
    @param router Uniswap V2 style, for the yield of other assets.
    """
    PRIZES = prizes
    PRIZE_TOKEN = prize_token
    ROUTER = router


@external
def harvest(asset: address, most: uint256) -> uint256:
    """
    @notice Moves an asset's yield to the PrizePool, at most 50 bps of its principal a
            week; the excess waits. Anyone may call. The asset counts as harvested when
            less than a basis point of a token stays due.
    @param asset Any asset that was ever listed.
    @param most Of the asset, so that a market that is thin takes it in parts.
    @return Prize tokens moved.
    """
    amount: uint256 = self._take(asset, most)
    revenue: uint256 = amount
    if amount != 0 and asset != PRIZE_TOKEN:
        revenue = self._swap(asset, amount)
    log IStakingPool.Harvested(asset=asset, amount=amount, revenue=revenue)
    if revenue != 0:
        tokens._approve(PRIZE_TOKEN, PRIZES, revenue)
        extcall IPrizePool(PRIZES).add_revenue(revenue)
    return revenue


@external
@view
def harvested_since(timestamp: uint256) -> bool:
    """
    @notice Whether all yield that was due of every asset on the list, once it was seeded, was moved
            at or after a time.
    @param timestamp Unix seconds.
    @return True if so.
    """
    for asset: address in listing.assets:
        if holding_word._harvested_at(vaults._holdings[asset]) < timestamp and listing._is_seeded(asset):
            return False
    return True


@internal
def _take(asset: address, most: uint256) -> uint256:
    """
    @notice Takes what is due as yield out of the vault, at most `most`. The asset counts as
            harvested where less than a grain stays due.
    @return The amount, now with the pool.
    """
    vault: address = listing._vault(asset)
    holding: uint256 = vaults._holdings[asset]
    word: uint256 = vaults._principals[asset]
    principal: uint256 = principal_word._principal(word)
    grain: uint256 = listing._grain(asset)
    week: uint256 = periods._period(block.timestamp)
    moved: uint256 = holding_word._moved(holding, week)
    shares: uint256 = holding_word._shares(holding)
    worth: uint256 = vault_calls._worth(vault, shares)
    # The lesser of now and the end of the previous block: stake that only visits does not lift the cap.
    cap: uint256 = min(principal, principal_word._before(word)) * HARVEST_BPS // BPS
    # The buffer is the same for any principal: stake that only visits does not lift it.
    kept: uint256 = principal + listing._unit(asset)
    if principal == 0:
        # Nobody is left to lose by a wrong share price: what is there is yield.
        cap = holding_word.MAX_MOVED
        kept = 0
    due: uint256 = 0
    # Stake may have left since the week's first harvest, so what was moved may be above the cap.
    if worth > kept and cap > moved:
        due = min(worth - kept, cap - moved)
    arrived: uint256 = 0
    if due >= grain:
        checks._check(most >= grain, "pool: part is too small")
        before: uint256 = tokens._balance(asset, self)
        paid: uint256 = 0
        burned: uint256 = 0
        paid, burned = vault_calls._pay(vault, min(due, most), self)
        arrived = tokens._balance(asset, self) - before
        checks._check(arrived >= paid, "pool: vault paid too little")
        due -= paid
        moved += paid
        shares -= burned
    harvested_at: uint256 = holding_word._harvested_at(holding)
    if due < grain:
        harvested_at = block.timestamp
    vaults._holdings[asset] = holding_word._pack(shares, harvested_at, week, moved)
    return arrived


@internal
def _swap(asset: address, amount: uint256) -> uint256:
    """
    @notice Swaps to the prize token, losing at most 50 bps against the feeds.
    """
    listing._vault(PRIZE_TOKEN)
    price: uint256 = asset_feeds._price_wad(asset)
    prize_price: uint256 = asset_feeds._price_wad(PRIZE_TOKEN)
    checks._check(max(price, prize_price) <= MAX_SWAP_PRICE, "pool: price above 1.02")
    # No overflow: amount < 2**88, a price < 2**60, decimals <= 18.
    fair: uint256 = amount * price * listing._unit(PRIZE_TOKEN) // (prize_price * listing._unit(asset))
    least: uint256 = fair * (BPS - SWAP_LOSS_BPS) // BPS
    held: uint256 = tokens._balance(PRIZE_TOKEN, self)
    tokens._approve(asset, ROUTER, amount)
    extcall IUniswapV2Router(ROUTER).swapExactTokensForTokens(
        amount, least, [asset, PRIZE_TOKEN], self, block.timestamp
    )
    got: uint256 = tokens._balance(PRIZE_TOKEN, self) - held
    checks._check(got >= least, "pool: swap gave too little")
    return got
