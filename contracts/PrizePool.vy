# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title PrizePool
@author Tessera
@license AGPL-3.0-only
@notice Shares revenue week by week: most of it to the events of the week by
        weight, some to a buyback, the rest to the week after. However late a week
        is closed nothing is lost, and the cost depends on neither events nor people.
@dev An event's prize is its weight times what `prize_per_weight_wad` grew by from
     its creation to its last week's end, rounded down. Every remainder is kept in
     `remainder_wad` and shared with the next week.
     Invariant: balance = waiting + carried + bucket + shared with events and not yet
     taken, to the unit, and more only if somebody sent tokens unasked.
     An event's last week is fixed at creation, so a week's weight only changes by
     events created in it; `period` is the first week that is not closed.
@custom:halt Nothing halts it. Without a keeper nothing is bought back.
"""


from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IPrizePool
from .interfaces import IStakingPool
from .interfaces import IUniswapV2Router
from .modules import kept_word
from .modules import period_word
from .modules import periods
from .modules import prize_event_word
from .modules import split_word
from .modules import twap


implements: IPrizePool
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: twap


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    twap.PAIR,
)


MAX_PERIODS: constant(uint256) = 520  # ten years in a call
WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10_000
MIN_EVENT_BPS: constant(uint256) = 8_000
HARVEST_GRACE: constant(uint256) = 24 * 3600
MAX_SUPPLY: constant(uint256) = 2**112  # of the prize token: keeps every number below in its bits
# A trade of 1 % of the reserve costs 1.3 % in fee and price: 2 % leaves little to a sandwich.
MAX_BUYBACK_LOSS_BPS: constant(uint256) = 200
MAX_RESERVE_BPS: constant(uint256) = 100


PRIZE_TOKEN: public(immutable(address))
BET: public(immutable(address))
EVENTS: public(immutable(address))
STAKING: public(immutable(address))
ROUTER: public(immutable(address))
TREASURY: public(immutable(address))


_split: uint256  # see modules/split_word.vy
is_keeper: public(HashMap[address, bool])

period: public(uint256)  # the first that is not closed
running_weight: public(uint256)  # of all events of that period
waiting_revenue: public(uint256)  # of the periods not closed
_kept: uint256  # see modules/kept_word.vy
prize_per_weight_wad: public(uint256)  # of all closed periods, in 1e-18 units of the prize token
remainder_wad: public(uint256)  # what is left of shares of closed periods, in 1e-18 units
_periods: HashMap[uint256, uint256]  # see modules/period_word.vy
_events: HashMap[uint256, uint256]  # see modules/prize_event_word.vy


@deploy
def __init__(
    prize_token: address,
    bet: address,
    events: address,
    staking: address,
    pair: address,
    router: address,
    treasury: address,
):
    """
    @param prize_token What revenue comes and prizes are paid in.
    @param bet What the buyback buys.
    @param events PredictionEvents, which may be deployed later.
    @param staking StakingPool, which may be deployed later.
    @param pair Of prize token and BET, Uniswap V2 style.
    @param router That trades on the pair.
    @param treasury Who gets what is bought: the DAO's timelock.
    """
    assert prize_token.is_contract and bet.is_contract and router.is_contract, "prizes: no code"
    assert events != empty(address) and staking != empty(address) and treasury != empty(address), "prizes: zero address"
    PRIZE_TOKEN = prize_token
    BET = bet
    EVENTS = events
    STAKING = staking
    ROUTER = router
    TREASURY = treasury
    self._split = split_word._first(9_000, 300)
    self.period = periods._period(block.timestamp)
    ownable.__init__()
    ownable_2step.__init__()
    twap.__init__(pair, prize_token, bet)


@external
def add_revenue(amount: uint256):
    """
    @notice Adds prize tokens of the caller to the running period. Anyone may.
    @param amount In the token's smallest unit.
    """
    assert amount != 0, "prizes: zero amount"
    held: uint256 = staticcall IERC20(PRIZE_TOKEN).balanceOf(self) + min(amount, MAX_SUPPLY)
    assert held < MAX_SUPPLY, "prizes: supply too large"
    self.waiting_revenue += amount
    log IPrizePool.RevenueAdded(payer=msg.sender, amount=amount)
    assert extcall IERC20(PRIZE_TOKEN).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "prizes: transfer failed"
    assert staticcall IERC20(PRIZE_TOKEN).balanceOf(self) == held, "prizes: token takes a fee"


@external
def close_periods(expected_period: uint256, max_periods: uint256):
    """
    @notice Closes weeks that are over, oldest first. Anyone may call, once every asset
            was harvested since the last Friday 00:00 UTC, or 24 h after it.
    @param expected_period `period`, or the call came too late and does nothing.
    @param max_periods At most this many; call again for the rest.
    """
    assert expected_period == self.period, "prizes: not this period"
    assert periods._period(block.timestamp) > expected_period, "prizes: period is not over"
    assert max_periods != 0, "prizes: no periods"
    self._close(max_periods)


@external
def open_event(event_id: uint256, weight: uint256, last_period: uint256):
    """
    @notice Lets an event share from the running period to its last. PredictionEvents only.
    @param event_id New.
    @param weight 1 to 10,000.
    @param last_period Not before the running one.
    """
    self._check_events()
    self._close_elapsed()
    self.running_weight += weight
    ending: uint256 = self._periods[last_period]
    self._periods[last_period] = period_word._pack(0, period_word._ending(ending) + weight)
    self._events[event_id] = prize_event_word._pack(self.prize_per_weight_wad, weight, last_period)
    log IPrizePool.EventOpened(
        event_id=event_id, weight=weight, first_period=self.period, last_period=last_period
    )


@external
def take_prize(event_id: uint256, pay: bool) -> uint256:
    """
    @notice Ends an event whose last period is closed. PredictionEvents only.
    @param event_id One that was opened and not yet taken.
    @param pay Whether the prize goes to the caller, else it is revenue of the running period,
           for which all before it are closed first.
    @return The prize, rounded down; the fraction is shared with the next week.
    """
    self._check_events()
    if not pay:
        # Else whoever calls could choose which events get it, those of a week that is over or those of the running one.
        self._close_elapsed()
    word: uint256 = self._events[event_id]
    assert prize_event_word._last(word) < self.period, "prizes: last week not closed"
    assert not prize_event_word._is_taken(word), "prizes: already taken"
    prize_wad: uint256 = self._prize_wad(word)
    prize: uint256 = prize_wad // WAD
    self._events[event_id] = prize_event_word._taken(word)
    self.remainder_wad += prize_wad % WAD
    if not pay:
        self.waiting_revenue += prize
    log IPrizePool.PrizeTaken(event_id=event_id, amount=prize, paid=pay)
    if pay and prize != 0:
        assert extcall IERC20(PRIZE_TOKEN).transfer(msg.sender, prize, default_return_value=True), "prizes: not paid"
    return prize


@external
def poke():
    """
    @notice Notes the pair's cumulative price, once in 24 h. Anyone may call.
    """
    assert twap._poke(), "prizes: poked within 24 h"


@external
def buy_back(amount_in: uint256, min_out: uint256, deadline: uint256) -> uint256:
    """
    @notice Swaps from the bucket into BET for the treasury. Keepers only. If it fails the
            bucket waits.
    @param amount_in Prize tokens: at most the bucket and 1 % of the pair's reserve.
    @param min_out BET, at least 98 % of what the average price of 24 to 72 h gives.
    @param deadline Unix seconds.
    @return BET bought.
    """
    assert self.is_keeper[msg.sender], "prizes: not a keeper"
    assert block.timestamp <= deadline, "prizes: deadline is over"
    assert amount_in != 0, "prizes: nothing to buy with"
    kept: uint256 = self._kept
    bucket: uint256 = kept_word._bucket(kept)
    assert amount_in <= bucket, "prizes: bucket too small"
    assert amount_in * BPS <= twap._base_reserve() * MAX_RESERVE_BPS, "prizes: above 1 % of reserve"
    least: uint256 = twap._quote_down(amount_in) * (BPS - MAX_BUYBACK_LOSS_BPS) // BPS
    assert min_out >= least and min_out != 0, "prizes: min_out too low"
    self._kept = kept_word._pack(kept_word._carried(kept), bucket - amount_in)
    before: uint256 = staticcall IERC20(BET).balanceOf(TREASURY)
    assert extcall IERC20(PRIZE_TOKEN).approve(ROUTER, amount_in, default_return_value=True), "prizes: approve failed"
    extcall IUniswapV2Router(ROUTER).swapExactTokensForTokens(
        amount_in, min_out, [PRIZE_TOKEN, BET], TREASURY, deadline
    )
    bought: uint256 = staticcall IERC20(BET).balanceOf(TREASURY) - before
    assert bought >= min_out, "prizes: swap gave too little"
    log IPrizePool.BoughtBack(keeper=msg.sender, spent=amount_in, bought=bought)
    return bought


@external
def set_keeper(account: address, is_keeper: bool):
    """
    @notice Says who may buy back. Owner only.
    @param account Who.
    @param is_keeper Whether.
    """
    ownable._check_owner()
    log IPrizePool.KeeperSet(account=account, was_keeper=self.is_keeper[account], is_keeper=is_keeper)
    self.is_keeper[account] = is_keeper


@external
def set_split(event_bps: uint256, buyback_bps: uint256):
    """
    @notice Sets how weeks are split from the next one on; the running one keeps the
            split it began with. What the two shares leave is carried. Owner only.
    @param event_bps To events, 8,000 or more.
    @param buyback_bps To the bucket; together at most 10,000.
    """
    ownable._check_owner()
    assert (
        event_bps >= MIN_EVENT_BPS and event_bps <= BPS and buyback_bps <= BPS - event_bps
    ), "prizes: bad split"
    running: uint256 = periods._period(block.timestamp)
    assert running == self.period, "prizes: weeks are not closed"
    word: uint256 = self._split
    log IPrizePool.SplitSet(
        first_period=running + 1,
        old_event_bps=split_word._event_bps(word, running),
        old_buyback_bps=split_word._buyback_bps(word, running),
        event_bps=event_bps,
        buyback_bps=buyback_bps,
    )
    self._split = split_word._changed(word, running, event_bps, buyback_bps)


@external
@view
def split_of(period: uint256) -> (uint256, uint256):
    """
    @notice How a period's pool is split, as far as is decided.
    @param period One that is not closed.
    @return Basis points to events and to the buyback; the rest is carried.
    """
    assert period >= self.period, "prizes: period is closed"
    return split_word._event_bps(self._split, period), split_word._buyback_bps(self._split, period)


@external
@view
def pool() -> uint256:
    """
    @notice What the periods not closed will share: carried and revenue so far.
    @return In the prize token's smallest unit.
    """
    return kept_word._carried(self._kept) + self.waiting_revenue


@external
@view
def carried() -> uint256:
    """
    @notice What the last closed period left to the next.
    @return In the prize token's smallest unit.
    """
    return kept_word._carried(self._kept)


@external
@view
def buyback_bucket() -> uint256:
    """
    @notice What waits for the buyback.
    @return In the prize token's smallest unit.
    """
    return kept_word._bucket(self._kept)


@external
@view
def ending_weight(period: uint256) -> uint256:
    """
    @notice Weight of the events whose last period this is.
    @param period Any.
    @return Sum of weights.
    """
    return period_word._ending(self._periods[period])


@external
@view
def event_prize(event_id: uint256) -> uint256:
    """
    @notice An event's prize from the periods closed so far; final once its last one is.
    @param event_id One that was opened.
    @return In the prize token's smallest unit, rounded down.
    """
    return self._prize_wad(self._events[event_id]) // WAD


@internal
@view
def _check_events():
    assert msg.sender == EVENTS, "prizes: not the events"


@internal
def _close_elapsed():
    """
    @notice Closes every week that is over, so that the running one is the first that is not closed.
    """
    if periods._period(block.timestamp) != self.period:
        self._close(MAX_PERIODS)
        assert periods._period(block.timestamp) == self.period, "prizes: ten years to close"


@internal
def _close(max_periods: uint256):
    """
    @notice Closes weeks that are over, oldest first. Each that is still to close takes an
            equal part of what waits, rounded down, so the last takes all; of that and what
            was carried, events get their share by weight, the bucket gets its own, and the
            rest is carried. Without events all is carried.
    """
    running: uint256 = periods._period(block.timestamp)
    boundary: uint256 = periods._start(running)
    assert block.timestamp >= boundary + HARVEST_GRACE or staticcall IStakingPool(STAKING).harvested_since(
        boundary
    ), "prizes: harvest first"
    period: uint256 = self.period
    waiting: uint256 = self.waiting_revenue
    weight: uint256 = self.running_weight
    prize_per_weight: uint256 = self.prize_per_weight_wad
    remainder: uint256 = self.remainder_wad
    split: uint256 = self._split
    carried: uint256 = kept_word._carried(self._kept)
    bucket: uint256 = kept_word._bucket(self._kept)
    for _: uint256 in range(min(max_periods, running - period), bound=MAX_PERIODS):
        revenue: uint256 = waiting // (running - period)
        waiting -= revenue
        pool: uint256 = carried + revenue
        to_events: uint256 = 0
        buyback: uint256 = 0
        if weight != 0:
            to_events = pool * split_word._event_bps(split, period) // BPS
            buyback = pool * split_word._buyback_bps(split, period) // BPS
            shared: uint256 = to_events * WAD + remainder
            prize_per_weight += shared // weight
            remainder = shared % weight
        bucket += buyback
        carried = pool - to_events - buyback
        log IPrizePool.PeriodClosed(
            period=period,
            revenue=revenue,
            pool=pool,
            to_events=to_events,
            buyback=buyback,
            carried=carried,
            weight=weight,
        )
        # Of a period that is not closed the word has nothing but the weight.
        ending: uint256 = period_word._ending(self._periods[period])
        if ending != 0:
            self._periods[period] = period_word._pack(prize_per_weight, ending)
            weight -= ending
        period += 1
    self.period = period
    self.waiting_revenue = waiting
    self.running_weight = weight
    self.prize_per_weight_wad = prize_per_weight
    self.remainder_wad = remainder
    self._kept = kept_word._pack(carried, bucket)


@internal
@view
def _prize_wad(word: uint256) -> uint256:
    """
    @notice Prize of an event from the periods closed so far, in 1e-18 units, exact.
    """
    last: uint256 = prize_event_word._last(word)
    reached: uint256 = self.prize_per_weight_wad
    if last < self.period:
        reached = period_word._reached(self._periods[last])
    return prize_event_word._prize_wad(word, reached)
