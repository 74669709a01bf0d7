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
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IMintable
from .interfaces import IPredictionEvents
from .interfaces import IPrizePool
from .interfaces import IStakingPool
from .interfaces import IUniswapV2Router
from .modules import mining
from .modules import stake_history
from .modules import vaults


implements: IStakingPool
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: mining
initializes: stake_history
initializes: vaults


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    vaults.__interface__,
    mining.MINING_RATE,
    mining.MINING_START,
    mining.MINING_END,
)


MIN_STAKE: constant(uint256) = 10**6  # 1 USD
# All stakes together: the bound from which the ticket arithmetic is proven not to overflow.
MAX_TOTAL_STAKE: constant(uint256) = 2**60
MAX_SWAP_PRICE: constant(uint256) = 102 * 10**16  # above it a feed is not believed for a swap
SWAP_LOSS_BPS: constant(uint256) = 50
BPS: constant(uint256) = 10_000
# 64 open predictions at 16,000 each and the call itself. The EVM keeps back 1/64, and the withdrawal has to end.
NEWS_GAS: constant(uint256) = 64 * 16_000 + 76_000
NEWS_GAS_FLOOR: constant(uint256) = NEWS_GAS * 64 // 63 + 20_000


EVENTS: public(immutable(address))
PRIZES: public(immutable(address))
PRIZE_TOKEN: public(immutable(address))
BET: public(immutable(address))
ROUTER: public(immutable(address))


# Account, asset: principal in bits 64 and up, its value as stake in 0 to 63.
_positions: HashMap[address, HashMap[address, uint256]]
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
    @notice Stakes with an EIP-2612 permit; that somebody else used it before does no harm.
    @param asset One of `assets`.
    @param amount In the asset's smallest unit, worth 1 USD or more.
    @param deadline Of the permit for `amount`, unix seconds.
    @param v Signature.
    @param r Signature.
    @param s Signature.
    """
    vaults._vault(asset)
    permitted: bool = raw_call(
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
    # Anybody may have sent it before: then the allowance is there.
    assert permitted or staticcall IERC20(asset).allowance(msg.sender, self) >= amount, "pool: bad permit"
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
    vaults._vault(asset)
    position: uint256 = self._positions[msg.sender][asset]
    principal: uint256 = position >> 64
    value: uint256 = position & 2**64 - 1
    assert amount != 0, "pool: zero amount"
    assert amount <= principal, "pool: more than staked"
    taken: uint256 = 0
    paid: uint256 = 0
    taken, paid = vaults._payable(asset, amount)
    left: uint256 = principal - taken
    value_left: uint256 = value * left // principal
    assert left == 0 or taken < amount or value_left >= MIN_STAKE, "pool: leaves less than 1 USD"

    self._positions[msg.sender][asset] = left << 64 | value_left
    old: uint256 = stake_history._stake(msg.sender)
    new: uint256 = old + value_left - value
    self._set_stake(msg.sender, old, new)
    told: bool = old == new  # There is no news of principal too small to count.
    if not told:
        # Checked here, where the caller cannot have it spent before the call: failing news is never the caller's doing.
        assert msg.gas >= NEWS_GAS_FLOOR, "pool: not enough gas"
        told = raw_call(
            EVENTS,
            abi_encode(msg.sender, old, new, method_id=method_id("on_stake(address,uint256,uint256)")),
            gas=NEWS_GAS,
            revert_on_failure=False,
        )
    if not told:
        number: uint256 = self.forfeits[msg.sender]
        self.total_forfeits += 1
        self.forfeits[msg.sender] = number + 1
        self.forfeited_at[msg.sender][number] = block.number
        log IStakingPool.Forfeited(account=msg.sender, number=number)

    log IStakingPool.Withdrawn(account=msg.sender, asset=asset, amount=taken, paid=paid, stake=new)
    vaults._withdraw(asset, taken, paid, msg.sender)
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
    amount: uint256 = vaults._take_yield(asset)
    revenue: uint256 = amount
    if amount != 0 and asset != PRIZE_TOKEN:
        revenue = self._swap(asset, amount)
    log IStakingPool.Harvested(asset=asset, amount=amount, revenue=revenue)
    if revenue != 0:
        assert extcall IERC20(PRIZE_TOKEN).approve(
            PRIZES, revenue, default_return_value=True
        ), "pool: prize approve failed"
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
    vaults._add(asset, vault, feed)
    log IStakingPool.AssetAdded(asset=asset, vault=vault, feed=feed)


@external
def set_open(asset: address, is_open: bool):
    """
    @notice Stops or resumes new stakes of an asset. Owner only.
    @param asset One of `assets`.
    @param is_open Whether it can be staked.
    """
    ownable._check_owner()
    was_open: bool = vaults._set_open(asset, is_open)
    log IStakingPool.AssetOpened(asset=asset, was_open=was_open, is_open=is_open)


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


@internal
def _deposit(asset: address, amount: uint256):
    value: uint256 = vaults._value(asset, amount)
    assert value >= MIN_STAKE, "pool: less than 1 USD"
    assert mining._total() + value < MAX_TOTAL_STAKE, "pool: pool is full"
    vaults._deposit(asset, amount)
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
def _swap(asset: address, amount: uint256) -> uint256:
    """
    @notice Swaps to the prize token, losing at most 50 bps against the feeds.
    """
    vaults._vault(PRIZE_TOKEN)
    price: uint256 = vaults._price_wad(asset)
    prize_price: uint256 = vaults._price_wad(PRIZE_TOKEN)
    assert max(price, prize_price) <= MAX_SWAP_PRICE, "pool: price above 1.02"
    # No overflow: amount < 2**88, a price < 2**60, decimals <= 18.
    fair: uint256 = (
        amount * price * 10 ** vaults._decimals(PRIZE_TOKEN) // (prize_price * 10 ** vaults._decimals(asset))
    )
    least: uint256 = fair * (BPS - SWAP_LOSS_BPS) // BPS
    held: uint256 = staticcall IERC20(PRIZE_TOKEN).balanceOf(self)
    assert extcall IERC20(asset).approve(ROUTER, amount, default_return_value=True), "pool: router approve failed"
    extcall IUniswapV2Router(ROUTER).swapExactTokensForTokens(
        amount, least, [asset, PRIZE_TOKEN], self, block.timestamp
    )
    got: uint256 = staticcall IERC20(PRIZE_TOKEN).balanceOf(self) - held
    assert got >= least, "pool: swap gave too little"
    return got
