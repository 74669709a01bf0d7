# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StakingPool
@author Tessera
@license AGPL-3.0-only
@notice People stake USD stablecoins, which go to lending vaults. The yield goes
        to the PrizePool, the principal comes back at any time: all of it, or,
        after a loss of the vault, the same share of it for everybody.
@dev This file has people's stakes, the modules have the assets: listing.vy and asset_feeds.vy
     what can be staked, vaults.vy what is owed and held, losses.vy and harvests.vy what is less and more than that.
     Per asset the pool owes `principal` and holds `shares` of the vault, both
     counted here and never read from balances. A withdrawal of principal p pays
     `p * min(worth, principal) // principal`, rounded down, worth being what the
     vault returns for all shares: leaving first or last pays the same.
     What a withdrawal rounds in the vault is paid from the buffer of one token that
     harvesting leaves. Stakes are USD with 6 decimals, rounded down.
     At rest the pool holds vault shares, and nobody has an allowance on them: it
     approves assets alone, which it holds within a call, and no asset is a share (modules/listing.vy).
@custom:halt `set_open(asset, false)` stops new stakes of an asset. Leaving,
             harvesting and rewards always work.
"""


from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IMintable
from .interfaces import IPredictionEvents
from .interfaces import IPrizePool
from .interfaces import IStakingPool
from .modules import asset_feeds
from .modules import checks
from .modules import harvests
from .modules import listing
from .modules import losses
from .modules import mining
from .modules import permits
from .modules import stake_history
from .modules import stake_word
from .modules import tokens
from .modules import vaults


implements: IStakingPool
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: listing[ownable := ownable]
initializes: asset_feeds[ownable := ownable, listing := listing]
initializes: vaults[listing := listing]
initializes: losses[listing := listing, vaults := vaults]
initializes: harvests[listing := listing, asset_feeds := asset_feeds, vaults := vaults]
initializes: mining
initializes: stake_history


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    listing.__interface__,
    asset_feeds.__interface__,
    vaults.__interface__,
    losses.__interface__,
    harvests.__interface__,
    mining.MINING_RATE,
    mining.MINING_START,
    mining.MINING_END,
)


MIN_STAKE: constant(uint256) = 10**6  # 1 USD
# All stakes together: the bound from which the ticket arithmetic is proven not to overflow.
MAX_TOTAL_STAKE: constant(uint256) = 2**60
# 64 open predictions at 16,000 each and the call itself. The EVM keeps back 1/64, and the withdrawal has to end.
NEWS_GAS: constant(uint256) = 64 * 16_000 + 76_000
NEWS_GAS_FLOOR: constant(uint256) = NEWS_GAS * 64 // 63 + 20_000


EVENTS: public(immutable(address))
BET: public(immutable(address))


_positions: HashMap[address, HashMap[address, uint256]]  # account, asset: see modules/stake_word.vy
total_forfeits: public(uint256)  # of all accounts
forfeits: public(HashMap[address, uint256])  # how often an account was forfeited
forfeited_at: public(HashMap[address, HashMap[uint256, uint256]])  # account, number from 0: the block


@deploy
def __init__(
    events: address,
    prizes: address,
    prize_token: address,
    bet: address,
    router: address,
    mining_rate: uint256,
    mining_start: uint256,
    mining_end: uint256,
):
    """
    @param events PredictionEvents, which may be deployed later.
    @param prizes PrizePool, which may be deployed later.
    @param prize_token What prizes are paid in: one of the assets.
    @param bet The token mined; this pool is its minter.
    @param router Uniswap V2 style, for the yield of other assets.
    @param mining_rate BET per block, in the smallest unit.
    @param mining_start First block that is mined.
    @param mining_end Block from which nothing is mined.
    """
    assert events != empty(address) and prizes != empty(address), "pool: zero address"
    assert prize_token.is_contract and bet.is_contract and router.is_contract, "pool: no code"
    EVENTS = events
    BET = bet
    ownable.__init__()
    ownable_2step.__init__()
    harvests.__init__(prizes, prize_token, router)
    mining.__init__(mining_rate, mining_start, mining_end)


@external
def stake(asset: address, amount: uint256):
    """
    @notice Puts `amount` of the asset into its vault on the caller's account.
    @param asset One of `assets`.
    @param amount In the asset's smallest unit, worth 1 USD or more.
    """
    self._deposit(asset, amount)


@external
def stake_with_permit(asset: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Stakes with an EIP-2612 permit; that somebody else used it before does no harm.
    @param asset One of `assets`.
    @param amount In the asset's smallest unit, worth 1 USD or more.
    @param deadline Of the permit for `amount`, unix seconds.
    @param v Signature.
    @param r Signature.
    @param s Signature.
    """
    listing._vault(asset)
    permitted: bool = permits._permit(asset, msg.sender, amount, deadline, v, r, s)
    # Anybody may have sent it before: then the allowance is there.
    assert permitted or staticcall IERC20(asset).allowance(msg.sender, self) >= amount, "pool: bad permit"
    self._deposit(asset, amount)


@external
def withdraw(asset: address, amount: uint256, min_paid: uint256) -> uint256:
    """
    @notice Takes principal back: as much of `amount` as the vault can pay now, the
            rest stays owed. After a loss everybody takes the same haircut.
    @param asset Any asset that was ever listed.
    @param amount Principal in the asset's smallest unit; what remains was worth
           1 USD or more when it was staked, or is nothing.
    @param min_paid The least for all of `amount`; for what is paid off of it, as much in
           proportion. 0 with the whole principal also gives up what is worth nothing.
    @return What arrived, rounded down.
    """
    position: uint256 = self._positions[msg.sender][asset]
    principal: uint256 = stake_word._principal(position)
    counted: uint256 = stake_word._counted(position)
    assert amount != 0, "pool: zero amount"
    assert amount <= principal, "pool: more than staked"
    taken: uint256 = 0
    paid: uint256 = 0
    taken, paid = vaults._leave(asset, amount, msg.sender, min_paid == 0 and amount == principal)
    # No overflow: both are below 2**96 where `min_paid` is not more than can ever be paid.
    assert min_paid <= amount and paid * amount >= min_paid * taken, "pool: pays less than min_paid"
    left: uint256 = principal - taken
    full_left: uint256 = stake_word._full(position) * left // principal
    counted_left: uint256 = counted * left // principal
    assert left == 0 or taken < amount or full_left >= MIN_STAKE, "pool: leaves less than 1 USD"

    self._positions[msg.sender][asset] = stake_word._pack(left, full_left, counted_left)
    old: uint256 = stake_history._stake(msg.sender)
    new: uint256 = old + counted_left - counted
    self._set_stake(msg.sender, old, new)
    notified: bool = old == new  # There is no news of principal too small to count.
    if not notified:
        # Checked here, where the caller cannot have it spent before the call: failing news is never the caller's doing.
        assert msg.gas >= NEWS_GAS_FLOOR, "pool: not enough gas"
        notified = raw_call(
            EVENTS,
            abi_encode(msg.sender, old, new, method_id=method_id("on_stake(address,uint256,uint256)")),
            gas=NEWS_GAS,
            revert_on_failure=False,
        )
    if not notified:
        number: uint256 = self.forfeits[msg.sender]
        self.total_forfeits += 1
        self.forfeits[msg.sender] = number + 1
        self.forfeited_at[msg.sender][number] = block.number
        log IStakingPool.Forfeited(account=msg.sender, number=number)
    log IStakingPool.Withdrawn(account=msg.sender, asset=asset, amount=taken, paid=paid, stake=new)
    return paid


@external
def revalue(account: address, asset: address) -> uint256:
    """
    @notice Makes an account's stake count what it is worth after a loss of the vault, or
            again after the loss is made up. Prices are not asked for. Anyone may call.
    @dev Down only by 1 % or more, and by no more than what was lost all the time since
         `note_loss` a day ago or longer. Up as stake that is added now. Reverts
         where PredictionEvents does: nobody is forfeited by somebody else.
    @param account Whose stake.
    @param asset Any asset that was ever listed.
    @return What the account's stake in the asset counts now, USD with 6 decimals.
    """
    position: uint256 = self._positions[account][asset]
    full: uint256 = stake_word._full(position)
    counted: uint256 = stake_word._counted(position)
    # What is lost is rounded down.
    value: uint256 = full - full * losses._now(asset) // vaults.WAD
    rises: bool = value > counted
    if not rises:
        value = full - full * losses._mature(asset) // vaults.WAD
    checks._check(rises or (value < counted and value * 100 <= counted * 99), "pool: nothing to revalue")
    self._positions[account][asset] = stake_word._pack(stake_word._principal(position), full, value)
    old: uint256 = stake_history._stake(account)
    new: uint256 = old + value - counted
    self._set_stake(account, old, new)
    log IStakingPool.Revalued(account=account, asset=asset, value=value, stake=new)
    extcall IPredictionEvents(EVENTS).on_stake(account, old, new)
    return value


@external
def claim_rewards(account: address) -> uint256:
    """
    @notice Mints the BET that the account has earned, to it. Anyone may call.
    @param account Who is paid.
    @return BET in the smallest unit, rounded down.
    """
    amount: uint256 = mining._take(account, stake_history._stake(account))
    checks._check(amount != 0, "pool: no rewards")
    log IStakingPool.RewardsClaimed(account=account, amount=amount)
    extcall IMintable(BET).mint(account, amount)
    return amount


@external
def seed_asset(asset: address, amount: uint256) -> uint256:
    """
    @notice Has the vault of a listed asset prove that money comes out of it, and opens the
            asset. Anyone may call, once. Half of `amount` comes back in the same call, the
            rest stays in the vault for good and is owed to nobody.
    @param asset An asset that was listed and not yet seeded.
    @param amount Tokens of the caller in the smallest unit, 10 tokens or more.
    @return What the caller got back.
    """
    returned: uint256 = vaults._seed(asset, amount)
    log IStakingPool.AssetSeeded(asset=asset, account=msg.sender, amount=amount, returned=returned)
    return returned


@external
def sweep(token: address) -> uint256:
    """
    @notice Sends tokens that the pool was given, as vaults' incentives are, to the
            PrizePool's treasury. Anyone may call.
    @param token Any but the share of a vault, present or former.
    @return What was sent.
    """
    checks._check(not listing._is_vault(token), "pool: token is a vault's share")
    amount: uint256 = tokens._balance(token, self)
    checks._check(amount != 0, "pool: nothing to sweep")
    log IStakingPool.Swept(token=token, amount=amount)
    treasury: address = staticcall IPrizePool(harvests.PRIZES).TREASURY()
    checks._check(
        extcall IERC20(token).transfer(treasury, amount, default_return_value=True), "pool: token was not sent"
    )
    return amount


@external
def add_asset(asset: address, vault: address, feed: address):
    """
    @notice Lists an asset with its vault; `seed_asset` opens it. Owner only.
    @param asset A USD stablecoin, never named as a vault, of which nothing is owed and no yield waits.
    @param vault ERC-4626 of that asset, never named as an asset or for another one.
    @param feed Chainlink AggregatorV3, USD per asset.
    """
    ownable._check_owner()
    vaults._settle(asset)
    losses._forget(asset)
    asset_feeds._forget(asset)
    listing._add(asset, vault, feed)
    log IStakingPool.AssetAdded(asset=asset, vault=vault, feed=feed)


@external
@view
def stake_of(account: address) -> uint256:
    """
    @notice What an account's stakes count, over all assets.
    @param account Whose stake.
    @return USD with 6 decimals.
    """
    return stake_history._stake(account)


@external
@view
def principal_of(account: address, asset: address) -> uint256:
    """
    @notice What an account is owed of an asset, before any loss of its vault.
    @param account Whose principal.
    @param asset One of `assets`.
    @return In the asset's smallest unit.
    """
    return stake_word._principal(self._positions[account][asset])


@external
@view
def value_of(account: address, asset: address) -> (uint256, uint256):
    """
    @notice What an account's stake in an asset counts.
    @param account Whose stake.
    @param asset Any asset that was ever listed.
    @return What it counts now, what it counts where the vault has no loss; USD with 6 decimals.
    """
    position: uint256 = self._positions[account][asset]
    return stake_word._counted(position), stake_word._full(position)


@external
@view
def stake_blocks(account: address, from_block: uint256, to_block: uint256) -> uint256:
    """
    @notice Sum of an account's stake over the blocks in [from_block, to_block), exact.
    @param account Whose stake.
    @param from_block First block that counts.
    @param to_block First block that does not; at most the present one.
    @return USD with 6 decimals times blocks.
    """
    return stake_history._stake_blocks(account, from_block, to_block)


@external
@view
def ticket_basis(account: address, from_block: uint256) -> (uint256, uint256, uint256):
    """
    @notice All that a prediction is made from.
    @param account Who predicts.
    @param from_block The event's creation.
    @return Stake, stake times blocks from `from_block` to now, number of forfeitures.
    """
    return (
        stake_history._stake(account),
        stake_history._stake_blocks(account, from_block, block.number),
        self.forfeits[account],
    )


@external
@view
def total_stake() -> uint256:
    """
    @notice Sum of all stakes.
    @return USD with 6 decimals.
    """
    return mining._total()


@external
@view
def pending_rewards(account: address) -> uint256:
    """
    @notice BET that `claim_rewards` would mint now.
    @param account Whose rewards.
    @return In the smallest unit, rounded down.
    """
    return mining._pending(account, stake_history._stake(account))


@internal
def _deposit(asset: address, amount: uint256):
    listing._check_open(asset)
    assert amount < vaults.MAX_PRINCIPAL, "pool: amount too large"
    # At most 1 USD a token, rounded down.
    value: uint256 = amount * min(asset_feeds._price_wad(asset), vaults.WAD) // (10**12 * listing._unit(asset))
    assert value >= MIN_STAKE, "pool: less than 1 USD"
    vaults._deposit(asset, amount)
    # No field overflows: see MAX_PRINCIPAL and MAX_TOKENS.
    self._positions[msg.sender][asset] += stake_word._pack(amount, value, value)
    old: uint256 = stake_history._stake(msg.sender)
    self._set_stake(msg.sender, old, old + value)
    log IStakingPool.Staked(account=msg.sender, asset=asset, amount=amount, value=value, stake=old + value)
    extcall IPredictionEvents(EVENTS).on_stake(msg.sender, old, old + value)


@internal
def _set_stake(account: address, old: uint256, new: uint256):
    assert new <= old or mining._total() + new - old < MAX_TOTAL_STAKE, "pool: pool is full"
    stake_history._record(account, new)
    mining._change(account, old, new)
