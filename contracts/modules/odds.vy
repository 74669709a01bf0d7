# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What fixed odds owe, and whether money covers it
@author Tessera
@license AGPL-3.0-only
@dev With x confirmed on a prediction of profit p, X on all, R the bankroll and f the
     validators' commission, a prediction is covered where
         ceil(x * (1 + p)) + ceil(f * X) <= X + R.
     A stake that is added to one prediction never uncovers another: the left side
     there grows by ceil(f * (X + c)) - ceil(f * X) <= c, the right side by c.
     Profits are in tenths of a percent, 16 bits each, 16 in a word.
"""


from . import cover_word
from . import line_word


ONE: constant(uint256) = 1_000  # of a profit
BPS: constant(uint256) = 10_000
MAX_PROFIT: constant(uint256) = 2**16 - 1


@internal
@pure
def _profit(odds_word: uint256, prediction: uint256) -> uint256:
    return (odds_word >> (16 * prediction)) & MAX_PROFIT


@internal
@pure
def _payout_down(stake: uint256, profit: uint256) -> uint256:
    return stake * (ONE + profit) // ONE


@internal
@pure
def _liability_up(stake: uint256, profit: uint256) -> uint256:
    return (stake * (ONE + profit) + ONE - 1) // ONE


@internal
@pure
def _fee_up(staked: uint256, validator_bps: uint256) -> uint256:
    return (staked * validator_bps + BPS - 1) // BPS


@internal
@pure
def _covers(book: uint256, more: uint256, stake: uint256, profit: uint256) -> bool:
    """
    @notice Whether a prediction with `stake` confirmed is covered once `more` is
            confirmed in all. Stakes that a line cannot hold are not.
    """
    staked: uint256 = cover_word._staked(book) + more
    return stake <= line_word.STAKE_MASK and self._liability_up(stake, profit) + self._fee_up(
        staked, cover_word._validator_bps(book)
    ) <= staked + cover_word._bankroll(book)


@internal
@pure
def _greatest(book: uint256, stake: uint256, profit: uint256, amount: uint256) -> uint256:
    """
    @notice The most of an amount that is covered on top of the stake of a covered
            prediction.
    @dev Whatever is covered, so is less: with a unit more the left side grows by a
         unit at least, the right side by one. Without rounding c is covered where
         c * slope <= slack, in ten-thousandths of a unit; rounding up costs less
         than two units, so what is sought lies less than 2,001 below that.
    """
    if self._covers(book, amount, stake + amount, profit):
        return amount
    staked: uint256 = cover_word._staked(book)
    bps: uint256 = cover_word._validator_bps(book)
    slack: uint256 = BPS * (staked + cover_word._bankroll(book)) - 10 * stake * (ONE + profit) - staked * bps
    slope: uint256 = 10 * profit + bps
    high: uint256 = min(amount, slack // slope)
    low: uint256 = (max(slack, 2 * BPS) - 2 * BPS) // slope
    high = min(high, line_word.STAKE_MASK - stake)
    low = min(low, high)
    for _: uint256 in range(12):
        if low == high:
            break
        middle: uint256 = (low + high + 1) // 2
        if self._covers(book, middle, stake + middle, profit):
            low = middle
        else:
            high = middle - 1
    return low


@internal
@pure
def _needed(book: uint256, stake: uint256, profit: uint256) -> uint256:
    """
    @notice The least bankroll that covers a prediction.
    """
    staked: uint256 = cover_word._staked(book)
    due: uint256 = self._liability_up(stake, profit) + self._fee_up(staked, cover_word._validator_bps(book))
    return max(due, staked) - staked
