# pragma version 0.4.3
"""
@title A bet keeps the books of a market exact: each side owes the sum of its positions, each rounded down
@author Tessera
@license AGPL-3.0-only
@notice The contract is LmsrMarkets with any_shares.vy in place of its arithmetic, its own Escrow, and the bettor.
@dev That the pot then covers what is owed follows in docs/symbolic.md from docs/lmsr-error-bound.md, which also proves
     the bounds: shares below 2**84, owed sums below 2**44. Fewer bets than 2**24 - 1, times before 2106.
"""


from contracts import LmsrMarkets
from contracts.interfaces import IEscrow
from contracts.interfaces import ILmsrMarkets
from contracts.modules import book_word
from contracts.modules import position_word
from contracts.modules import schedule_word
from contracts.modules import state_word
from tests.symbolic import claims


initializes: LmsrMarkets


exports: LmsrMarkets.bet


EUR: constant(uint256) = 10**6
UNIT: constant(uint256) = 10**12  # shares, WAD, that pay one unit of money
MARKET: constant(uint256) = 1


_collected: uint256


@deploy
def __init__(escrow: address):
    LmsrMarkets.__init__(escrow, True, 12 * 3_600)


@external
def collect(account: address, pot_id: bytes32, amount: uint256, kind: IEscrow.Kind):
    claims._holds(msg.sender == self and account == self and convert(pot_id, uint256) == MARKET)
    claims._holds(kind == IEscrow.Kind.BET_DEBIT)
    self._collected += amount


@external
def check_bet_on_yes(
    state: uint256,
    position: uint256,
    owed_to_others: uint256,
    bought: uint256,
    timestamp: uint256,
    book: uint256,
    schedule: uint256,
):
    """
    @notice If a side owes each position its shares rounded down, then so it is after the bet, which pays 1 EUR into
            the pot and changes nothing else of the market.
    @param position The bettor's on that side, before.
    @param owed_to_others What that side owes to all other positions, in money.
    """
    self._bet(0, state, position, owed_to_others, bought, timestamp, book, schedule)


@external
def check_bet_on_no(
    state: uint256,
    position: uint256,
    owed_to_others: uint256,
    bought: uint256,
    timestamp: uint256,
    book: uint256,
    schedule: uint256,
):
    """
    @notice As `check_bet_on_yes`.
    """
    self._bet(1, state, position, owed_to_others, bought, timestamp, book, schedule)


@internal
def _bet(
    side: uint256,
    state: uint256,
    position: uint256,
    owed_to_others: uint256,
    bought: uint256,
    timestamp: uint256,
    book: uint256,
    schedule: uint256,
):
    shares: uint256 = position_word._shares(position)
    claims._assume(timestamp < 2**32 and bought < 2**84 and shares < 2**84 and shares + bought < 2**84)
    claims._assume(state_word._bets(state) < 2**24 - 1 and position_word._staked(position) < 2**64)
    claims._assume(state_word._owed(state, side) == shares // UNIT + owed_to_others)
    whole: uint256 = (shares + bought) // UNIT
    claims._assume(owed_to_others < 2**43 and whole < 2**43)
    claims._assume(abs(state_word._gap(state)) < 2**86)
    claims._assume(state_word._may_be_referee(state, schedule_word._referee(schedule)))

    key: uint256 = position_word._key(MARKET, side, self)
    LmsrMarkets.markets.states[MARKET] = state
    LmsrMarkets.markets.books[MARKET] = book
    LmsrMarkets.markets.schedules[MARKET] = schedule
    LmsrMarkets.markets.positions[key] = position
    claims._at(timestamp)
    claims._any_base_fee(bought)
    answer: uint256 = extcall ILmsrMarkets(self).bet(
        MARKET, ILmsrMarkets.Outcome.YES if side == 0 else ILmsrMarkets.Outcome.NO, 1
    )

    after: uint256 = LmsrMarkets.markets.states[MARKET]
    position_after: uint256 = LmsrMarkets.markets.positions[key]
    claims._holds(answer == bought and self._collected == EUR)
    claims._holds(book_word._creator(book) != self and schedule_word._referee(schedule) != self)
    claims._holds(position_word._shares(position_after) == shares + bought)
    claims._holds(position_word._staked(position_after) == position_word._staked(position) + EUR)
    # Each position's own part of what is owed is still its shares rounded down.
    claims._holds(state_word._owed(after, side) == whole + owed_to_others)
    claims._holds(state_word._owed(after, 1 - side) == state_word._owed(state, 1 - side))
    claims._holds(state_word._bets(after) == state_word._bets(state) + 1)
    claims._holds(state_word._last_bet_at(after) == timestamp)
    claims._holds((after << 232) >> 232 == (state << 232) >> 232)  # stage, outcome, tail of the referee
    change: int256 = convert(bought, int256)
    claims._holds(state_word._gap(after) == state_word._gap(state) + (-change if side == 0 else change))
    claims._reached(shares != 0 and bought != 0)
