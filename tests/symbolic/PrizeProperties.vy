# pragma version 0.4.3
"""
@title Prizes and the split of a week conserve money to the last fraction
@author Tessera
@license AGPL-3.0-only
@notice The contract is PrizePool, and its events, staking pool and prize token.
@dev A quotient and its remainder are compared with those of the exact dividend: that both together are the dividend
     is what DIV and MOD are, and is not proved again. Bounds: what waits, is carried and is in the bucket is below
     2**111 each, PrizePool keeps their sum below 2**112; weights are below 2**46; one week closes, harvested.
"""


from contracts import PrizePool
from contracts.interfaces import IPrizePool
from contracts.modules import kept_word
from contracts.modules import period_word
from contracts.modules import periods
from contracts.modules import prize_event_word
from contracts.modules import split_word
from tests.symbolic import claims


initializes: PrizePool


exports: (PrizePool.take_prize, PrizePool.close_periods)


WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10_000
WEEK: constant(uint256) = 2_950  # the one that runs
NUMBER: constant(uint256) = 1
MAX_AMOUNT: constant(uint256) = 2**111
MAX_WEIGHT: constant(uint256) = 2**46


_sent: uint256


@deploy
def __init__(token: address, pair: address, bet: address):
    PrizePool.__init__(token, bet, token, token, pair, token, bet)


@external
def transfer(receiver: address, amount: uint256) -> bool:
    claims._holds(receiver == self)
    self._sent += amount
    return True


@external
@view
def harvested_since(timestamp: uint256) -> bool:
    return timestamp == periods._start(WEEK)


@external
def check_prize_paid(word: uint256, ending_word: uint256, remainder: uint256, waiting: uint256):
    """
    @notice Prize and fraction are together the weight times what the prize per weight grew by, and the prize is paid.
    """
    self._take_prize(True, word, ending_word, remainder, waiting)


@external
def check_prize_not_paid(word: uint256, ending_word: uint256, remainder: uint256, waiting: uint256):
    """
    @notice As `check_prize_paid`, but the prize is revenue.
    """
    self._take_prize(False, word, ending_word, remainder, waiting)


@external
def check_prize_is_taken_once(word: uint256, ending_word: uint256, pay: bool):
    """
    @notice What was taken is not taken again, and changes nothing.
    """
    self._set_up(prize_event_word._taken(word), ending_word, 7, 11)
    again: bool = raw_call(
        self, abi_encode(NUMBER, pay, method_id=method_id("take_prize(uint256,bool)")), revert_on_failure=False
    )
    claims._holds(not again and PrizePool.remainder_wad == 7 and PrizePool.waiting_revenue == 11)
    claims._reached(pay and prize_event_word._last(word) < WEEK)


@internal
def _take_prize(pay: bool, word: uint256, ending_word: uint256, remainder: uint256, waiting: uint256):
    self._set_up(word, ending_word, remainder, waiting)
    prize: uint256 = extcall IPrizePool(self).take_prize(NUMBER, pay)
    prize_wad: uint256 = prize_event_word._prize_wad(word, period_word._reached(ending_word))
    claims._holds(prize == prize_wad // WAD and PrizePool.remainder_wad == remainder + prize_wad % WAD)
    claims._holds(self._sent == (prize if pay else 0))
    claims._holds(PrizePool.waiting_revenue == waiting + (0 if pay else prize))
    claims._holds(prize_event_word._is_taken(PrizePool._events[NUMBER]))
    claims._reached(word == prize_event_word._pack(0, 1, WEEK - 1) and ending_word == period_word._pack(5 * WAD // 2, 1))


@internal
def _set_up(word: uint256, ending_word: uint256, remainder: uint256, waiting: uint256):
    claims._at(periods._start(WEEK) + 1)
    claims._assume(remainder < 2**255)
    PrizePool.period = WEEK
    PrizePool.remainder_wad = remainder
    PrizePool.waiting_revenue = waiting
    PrizePool._events[NUMBER] = word
    PrizePool._periods[prize_event_word._last(word)] = ending_word


@external
def check_close_week(
    waiting: uint256, kept: uint256, weight: uint256, ending: uint256, remainder: uint256, grown: uint256, split: uint256
):
    """
    @notice What waits and was carried is afterwards carried, in the bucket, or shared by weight, and the fraction that
            shares leave is kept; neither share is more than its part.
    """
    carried: uint256 = kept_word._carried(kept)
    bucket: uint256 = kept_word._bucket(kept)
    claims._assume(waiting < MAX_AMOUNT and carried < MAX_AMOUNT and bucket < MAX_AMOUNT and weight < MAX_WEIGHT)
    claims._at(periods._start(WEEK) + 1)
    PrizePool.period = WEEK - 1
    PrizePool.waiting_revenue = waiting
    PrizePool.running_weight = weight
    PrizePool.remainder_wad = remainder
    PrizePool.prize_per_weight_wad = grown
    PrizePool._split = split
    PrizePool._kept = kept
    PrizePool._periods[WEEK - 1] = ending

    extcall IPrizePool(self).close_periods(WEEK - 1, 1)
    pool: uint256 = carried + waiting
    to_events: uint256 = 0
    buyback: uint256 = 0
    if weight != 0:
        to_events = pool * split_word._event_bps(split, WEEK - 1) // BPS
        buyback = pool * split_word._buyback_bps(split, WEEK - 1) // BPS
        to_share: uint256 = to_events * WAD + remainder
        claims._holds(PrizePool.prize_per_weight_wad == grown + to_share // weight)
        claims._holds(PrizePool.remainder_wad == to_share % weight)
    else:
        claims._holds(PrizePool.prize_per_weight_wad == grown and PrizePool.remainder_wad == remainder)
    claims._holds(PrizePool.waiting_revenue == 0 and PrizePool.period == WEEK)
    claims._holds(PrizePool.running_weight == weight - period_word._ending(ending))
    claims._holds(PrizePool._kept == kept_word._pack(pool - to_events - buyback, bucket + buyback))
    claims._reached(waiting == BPS and kept == 0 and weight == 1 and split == split_word._first(9_000, 1_000))


@external
def check_kept_word(pool: uint256, to_events: uint256, buyback: uint256, bucket: uint256):
    """
    @notice What `check_close_week` compares as one word has both amounts in it, whole.
    """
    claims._assume(pool < 2 * MAX_AMOUNT and bucket < MAX_AMOUNT)
    carried: uint256 = pool - to_events - buyback
    word: uint256 = kept_word._pack(carried, bucket + buyback)
    claims._holds(kept_word._carried(word) == carried and kept_word._bucket(word) == bucket + buyback)
    claims._reached(carried != 0 and to_events != 0 and buyback != 0)
