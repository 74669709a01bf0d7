# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StakingPool
@author Tessera
@license AGPL-3.0-only
@notice People stake USD stablecoins, which go to lending vaults. The yield goes
        to the PrizePool, the principal comes back at any time: all of it, or,
        after a loss of the vault, the same share of it for everybody.
@dev Per asset the pool owes `principal` and holds `shares` of the vault, both
     counted here and never read from balances. A withdrawal of principal p pays
     `p * min(worth, principal) // principal`, rounded down, worth being what the
     vault returns for all shares: leaving first or last pays the same.
     What a withdrawal rounds in the vault is paid from the buffer that
     harvesting leaves. Stakes are USD with 6 decimals, rounded down.
@custom:halt `set_open(asset, false)` stops new stakes of an asset. Leaving,
             harvesting and rewards always work.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IMintable
from .interfaces import IPredictionEvents
from .interfaces import IPriceFeed
from .interfaces import IPrizePool
from .interfaces import IStakingPool
from .interfaces import IUniswapV2Router
from .modules import mining
from .modules import periods
from .modules import stake_history


implements: IStakingPool
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: mining
initializes: stake_history


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)


MAX_ASSETS: constant(uint256) = 8
MIN_STAKE: constant(uint256) = 10**6  # 1 USD
# All stakes together: the bound from which the ticket arithmetic is proven not to overflow.
MAX_TOTAL_STAKE: constant(uint256) = 2**60
MAX_PRINCIPAL: constant(uint256) = 2**95  # of one asset, so that three numbers share a word
WAD: constant(uint256) = 10**18
MIN_PRICE: constant(uint256) = 98 * 10**16
MAX_SWAP_PRICE: constant(uint256) = 102 * 10**16  # above it a feed is not believed for a swap
MAX_PRICE_AGE: constant(uint256) = 90_000  # 25 h: stablecoin feeds report daily
SWAP_LOSS_BPS: constant(uint256) = 50
HARVEST_BPS: constant(uint256) = 50  # of principal, a week
BPS: constant(uint256) = 10_000
ROUNDING_UNITS: constant(uint256) = 10
# 64 open predictions at 16,000 each and the call itself. The EVM keeps back 1/64, and the withdrawal has to end.
NEWS_GAS: constant(uint256) = 64 * 16_000 + 76_000
NEWS_GAS_FLOOR: constant(uint256) = NEWS_GAS * 64 // 63 + 20_000


EVENTS: public(immutable(address))
PRIZES: public(immutable(address))
PRIZE_TOKEN: public(immutable(address))
BET: public(immutable(address))
ROUTER: public(immutable(address))


assets: public(DynArray[address, MAX_ASSETS])
vault_of: public(HashMap[address, address])
# Feed in bits 0 to 159, its decimals in 160 to 167, the asset's in 168 to 175, open to new stakes in 176.
_configs: HashMap[address, uint256]
# Principal in bits 136 and up, principal before the block of the last change in 40 to 135, that block in 0 to 39.
_principals: HashMap[address, uint256]
# Vault shares in bits 128 and up, last harvest's time in 88 to 127, moved in that time's week in 0 to 87.
_holdings: HashMap[address, uint256]
# Account, asset: principal in bits 64 and up, its value as stake in 0 to 63.
_positions: HashMap[address, HashMap[address, uint256]]
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
    PRIZES = prizes
    PRIZE_TOKEN = prize_token
    BET = bet
    ROUTER = router
    ownable.__init__()
    ownable_2step.__init__()
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
    @notice Stakes with an EIP-2612 permit; one that was already used does no harm.
    @param asset One of `assets`.
    @param amount In the asset's smallest unit, worth 1 USD or more.
    @param deadline Of the permit for `amount`, unix seconds.
    @param v Signature.
    @param r Signature.
    @param s Signature.
    """
    # Whether it is valid shows in the transfer.
    ok: bool = raw_call(
        asset,
        abi_encode(
            msg.sender,
            self,
            amount,
            deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    self._deposit(asset, amount)


@external
def withdraw(asset: address, amount: uint256) -> uint256:
    """
    @notice Takes principal back: as much of `amount` as the vault can pay now, the
            rest stays owed. After a loss everybody takes the same haircut.
    @param asset One of `assets`.
    @param amount Principal in the asset's smallest unit; what remains is worth
           1 USD or more, or nothing.
    @return What was paid, rounded down.
    """
    vault: address = self._vault(asset)
    position: uint256 = self._positions[msg.sender][asset]
    principal: uint256 = position >> 64
    value: uint256 = position & 2**64 - 1
    assert amount != 0, "pool: zero amount"
    assert amount <= principal, "pool: more than staked"

    holding: uint256 = self._holdings[asset]
    total: uint256 = self._principals[asset] >> 136
    worth: uint256 = min(staticcall IERC4626(vault).previewRedeem(holding >> 128), total)
    payable_now: uint256 = staticcall IERC4626(vault).maxWithdraw(self)
    taken: uint256 = amount
    paid: uint256 = amount * worth // total
    if paid > payable_now:
        paid = payable_now
        # Rounded up, and still at most `amount`: paid * total <= amount * worth.
        taken = (paid * total + worth - 1) // worth if paid != 0 else 0
    assert paid != 0, "pool: vault cannot pay now"

    left: uint256 = principal - taken
    value_left: uint256 = value * left // principal
    assert left == 0 or taken < amount or value_left >= MIN_STAKE, "pool: leaves less than 1 USD"
    self._positions[msg.sender][asset] = left << 64 | value_left
    self._set_principal(asset, total - taken)
    old: uint256 = stake_history._stake(msg.sender)
    new: uint256 = old + value_left - value
    self._set_stake(msg.sender, old, new)
    # Checked here, where the caller cannot have it spent before the call: news that fails is never the caller's doing.
    assert msg.gas >= NEWS_GAS_FLOOR, "pool: not enough gas"
    told: bool = raw_call(
        EVENTS,
        abi_encode(msg.sender, old, new, method_id=method_id("on_stake(address,uint256,uint256)")),
        gas=NEWS_GAS,
        revert_on_failure=False,
    )
    if not told:
        number: uint256 = self.forfeits[msg.sender]
        self.forfeits[msg.sender] = number + 1
        self.forfeited_at[msg.sender][number] = block.number
        log IStakingPool.Forfeited(account=msg.sender, number=number)

    burned: uint256 = self._redeem(vault, paid, msg.sender)
    self._holdings[asset] = holding - (burned << 128)
    log IStakingPool.Withdrawn(account=msg.sender, asset=asset, amount=taken, paid=paid, stake=new)
    return paid


@external
def claim_rewards(account: address) -> uint256:
    """
    @notice Mints the BET that the account has earned, to it. Anyone may call.
    @param account Who is paid.
    @return BET in the smallest unit, rounded down.
    """
    amount: uint256 = mining._take(account, stake_history._stake(account))
    assert amount != 0, "pool: no rewards"
    log IStakingPool.RewardsClaimed(account=account, amount=amount)
    extcall IMintable(BET).mint(account, amount)
    return amount


@external
def harvest(asset: address) -> uint256:
    """
    @notice Moves an asset's yield to the PrizePool, at most 50 bps of its principal a
            week; the excess waits. Anyone may call; nothing to move counts as harvested.
    @param asset One of `assets`.
    @return Prize tokens moved.
    """
    vault: address = self._vault(asset)
    holding: uint256 = self._holdings[asset]
    word: uint256 = self._principals[asset]
    principal: uint256 = word >> 136
    # The lesser of now and the end of the previous block: stake that only visits does not lift the cap.
    settled: uint256 = principal
    if word & 2**40 - 1 == block.number:
        settled = min(principal, word >> 40 & 2**96 - 1)
    moved: uint256 = 0  # this week
    if holding >> 88 & 2**40 - 1 >= periods._start(periods._period(block.timestamp)):
        moved = holding & 2**88 - 1
    cap: uint256 = settled * HARVEST_BPS // BPS
    worth: uint256 = staticcall IERC4626(vault).previewRedeem(holding >> 128)
    kept: uint256 = principal + self._rounding(principal)
    amount: uint256 = 0
    # Stake may have left since the week's first harvest, so the cap may have been passed.
    if worth > kept and cap > moved:
        amount = min(min(worth - kept, cap - moved), staticcall IERC4626(vault).maxWithdraw(self))
    revenue: uint256 = amount
    burned: uint256 = 0
    if amount != 0:
        burned = self._redeem(vault, amount, self)
        if asset != PRIZE_TOKEN:
            revenue = self._swap(asset, amount)
    self._holdings[asset] = (holding >> 128) - burned << 128 | block.timestamp << 88 | moved + amount
    log IStakingPool.Harvested(asset=asset, amount=amount, revenue=revenue)
    if revenue != 0:
        assert extcall IERC20(PRIZE_TOKEN).approve(PRIZES, revenue, default_return_value=True), "pool: approve failed"
        extcall IPrizePool(PRIZES).add_revenue(revenue)
    return revenue


@external
def add_asset(asset: address, vault: address, feed: address):
    """
    @notice Opens an asset for staking, for good with this vault and feed. Owner only.
    @param asset A USD stablecoin.
    @param vault ERC-4626 of that asset.
    @param feed Chainlink AggregatorV3, USD per asset.
    """
    ownable._check_owner()
    assert self.vault_of[asset] == empty(address), "pool: asset already added"
    assert staticcall IERC4626(vault).asset() == asset, "pool: vault of other asset"
    decimals: uint256 = convert(staticcall IERC20Detailed(asset).decimals(), uint256)
    feed_decimals: uint256 = convert(staticcall IPriceFeed(feed).decimals(), uint256)
    assert decimals >= 6 and decimals <= 18 and feed_decimals <= 18, "pool: bad decimals"
    self.vault_of[asset] = vault
    self._configs[asset] = 1 << 176 | decimals << 168 | feed_decimals << 160 | convert(feed, uint256)
    assert len(self.assets) < MAX_ASSETS, "pool: too many assets"
    self.assets.append(asset)
    log IStakingPool.AssetAdded(asset=asset, vault=vault, feed=feed)
    # The pool holds an asset only within a call, so there is nothing else a vault could take.
    assert extcall IERC20(asset).approve(vault, max_value(uint256), default_return_value=True), "pool: approve refused"


@external
def set_open(asset: address, is_open: bool):
    """
    @notice Stops or resumes new stakes of an asset. Owner only.
    @param asset One of `assets`.
    @param is_open Whether it can be staked.
    """
    ownable._check_owner()
    self._vault(asset)
    config: uint256 = self._configs[asset]
    self._configs[asset] = config & 2**176 - 1 | convert(is_open, uint256) << 176
    log IStakingPool.AssetOpened(asset=asset, was_open=config >> 176 == 1, is_open=is_open)


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
    return self._positions[account][asset] >> 64


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


@external
@view
def harvested_since(timestamp: uint256) -> bool:
    """
    @notice Whether every asset was harvested at or after a time.
    @param timestamp Unix seconds.
    @return True if so.
    """
    for asset: address in self.assets:
        if self._holdings[asset] >> 88 & 2**40 - 1 < timestamp:
            return False
    return True


@external
@view
def asset_state(asset: address) -> (uint256, uint256, uint256):
    """
    @notice What the pool owes and holds of an asset.
    @param asset One of `assets`.
    @return Principal, vault shares, time of the last harvest.
    """
    holding: uint256 = self._holdings[asset]
    return self._principals[asset] >> 136, holding >> 128, holding >> 88 & 2**40 - 1


@internal
def _deposit(asset: address, amount: uint256):
    vault: address = self._vault(asset)
    config: uint256 = self._configs[asset]
    assert config >> 176 == 1, "pool: asset is closed"
    principal: uint256 = (self._principals[asset] >> 136) + amount
    assert principal < MAX_PRINCIPAL, "pool: asset is full"
    value: uint256 = amount * min(self._price_wad(config), WAD) // 10 ** (12 + (config >> 168 & 255))
    assert value >= MIN_STAKE, "pool: less than 1 USD"
    assert mining._total() + value < MAX_TOTAL_STAKE, "pool: pool is full"

    assert extcall IERC20(asset).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "pool: transfer failed"
    got: uint256 = extcall IERC4626(vault).deposit(amount, self)
    holding: uint256 = self._holdings[asset] + (got << 128)
    # A vault whose share price was inflated would round this stake away.
    assert staticcall IERC4626(vault).previewRedeem(got) + self._rounding(amount) >= amount, "pool: vault keeps too much"
    assert (
        staticcall IERC4626(vault).previewRedeem(holding >> 128) + self._rounding(principal) >= principal
    ), "pool: vault has a loss"

    self._holdings[asset] = holding
    self._set_principal(asset, principal)
    self._positions[msg.sender][asset] += amount << 64 | value
    old: uint256 = stake_history._stake(msg.sender)
    self._set_stake(msg.sender, old, old + value)
    log IStakingPool.Staked(account=msg.sender, asset=asset, amount=amount, value=value, stake=old + value)
    extcall IPredictionEvents(EVENTS).on_stake(msg.sender, old, old + value)


@internal
def _set_stake(account: address, old: uint256, new: uint256):
    stake_history._record(account, new)
    mining._change(account, old, new)


@internal
def _set_principal(asset: address, principal: uint256):
    word: uint256 = self._principals[asset]
    before: uint256 = word >> 136
    if word & 2**40 - 1 == block.number:
        before = word >> 40 & 2**96 - 1
    self._principals[asset] = principal << 136 | before << 40 | block.number


@internal
def _redeem(vault: address, amount: uint256, receiver: address) -> uint256:
    """
    @notice Has the vault pay `amount` to the receiver.
    @return Shares it took.
    """
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(
        vault,
        abi_encode(amount, receiver, self, method_id=method_id("withdraw(uint256,address,address)")),
        max_outsize=32,
        revert_on_failure=False,
    )
    assert ok and len(answer) == 32, "pool: vault refused"
    return convert(answer, uint256)


@internal
def _swap(asset: address, amount: uint256) -> uint256:
    """
    @notice Swaps to the prize token, losing at most 50 bps against the feeds.
    """
    config: uint256 = self._configs[asset]
    prize_config: uint256 = self._configs[PRIZE_TOKEN]
    assert prize_config != 0, "pool: prize token not added"
    price: uint256 = self._price_wad(config)
    prize_price: uint256 = self._price_wad(prize_config)
    assert max(price, prize_price) <= MAX_SWAP_PRICE, "pool: price above 1.02"
    # No overflow: amount < 2**88, a price < 2**60, decimals <= 18.
    fair: uint256 = (
        amount * price * 10 ** (prize_config >> 168 & 255) // (prize_price * 10 ** (config >> 168 & 255))
    )
    held: uint256 = staticcall IERC20(PRIZE_TOKEN).balanceOf(self)
    least: uint256 = fair * (BPS - SWAP_LOSS_BPS) // BPS
    assert extcall IERC20(asset).approve(ROUTER, amount, default_return_value=True), "pool: router approve failed"
    extcall IUniswapV2Router(ROUTER).swapExactTokensForTokens(
        amount, least, [asset, PRIZE_TOKEN], self, block.timestamp
    )
    got: uint256 = staticcall IERC20(PRIZE_TOKEN).balanceOf(self) - held
    assert got >= least, "pool: swap gave too little"
    return got


@internal
@view
def _vault(asset: address) -> address:
    vault: address = self.vault_of[asset]
    assert vault != empty(address), "pool: unknown asset"
    return vault


@internal
@view
def _price_wad(config: uint256) -> uint256:
    """
    @notice USD per asset, WAD; refused where it cannot be right.
    """
    round_id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in: uint80 = 0
    round_id, answer, started_at, updated_at, answered_in = staticcall IPriceFeed(
        convert(config & 2**160 - 1, address)
    ).latestRoundData()
    assert answer > 0, "pool: no price"
    assert updated_at <= block.timestamp and block.timestamp - updated_at <= MAX_PRICE_AGE, "pool: price is stale"
    price: uint256 = convert(answer, uint256) * 10 ** (18 - (config >> 160 & 255))
    assert price >= MIN_PRICE, "pool: price below 0.98"
    return price


@internal
@pure
def _rounding(amount: uint256) -> uint256:
    """
    @notice A deficit up to this is the vault's rounding, not a loss.
    """
    return max(amount // BPS, ROUNDING_UNITS)
