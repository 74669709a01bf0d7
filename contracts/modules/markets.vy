# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Where markets and positions are stored
@author Tessera
@license AGPL-3.0-only
@notice Words of LmsrMarkets, packed so that a steady bet rewrites one word of the market and one of the position. The
        modules `book_word`, `state_word`, `schedule_word` and `position_word` know what is in them.
"""


from ..interfaces import ILmsrMarkets
from . import book_word
from . import position_word
from . import schedule_word
from . import state_word


EUR: constant(uint256) = 10**6
STAKE: constant(uint256) = EUR
SEED: constant(uint256) = 10 * EUR
WAD_PER_UNIT: constant(uint256) = 10**12


ESCROW: public(immutable(address))


books: HashMap[uint256, uint256]
states: HashMap[uint256, uint256]
schedules: HashMap[uint256, uint256]
positions: HashMap[uint256, uint256]


@deploy
def __init__(escrow: address):
    ESCROW = escrow


@internal
@view
def _state(market_id: uint256) -> uint256:
    state: uint256 = self.states[market_id]
    assert state != 0, "lmsr: unknown market"
    return state


@internal
@view
def _open_state(market_id: uint256, book: uint256) -> uint256:
    state: uint256 = self.states[market_id]
    assert state != 0, "lmsr: unknown market"
    assert (
        state_word._stage(state) == state_word.OPEN and block.timestamp < book_word._closes_at(book)
    ), "lmsr: market not open"
    return state


@internal
def _move(market_id: uint256, state: uint256, stage: uint256, outcome: uint256):
    self.states[market_id] = state_word._moved(state, stage, outcome)


@internal
@view
def _creator(market_id: uint256) -> address:
    return book_word._creator(self.books[market_id])


@internal
@view
def _referee(market_id: uint256) -> address:
    return schedule_word._referee(self.schedules[market_id])


@internal
@view
def _check_creator(market_id: uint256):
    assert msg.sender == self._creator(market_id), "lmsr: not the creator"


@internal
@view
def _check_referee(market_id: uint256):
    assert msg.sender == self._referee(market_id), "lmsr: not the referee"


@internal
@view
def _position(market_id: uint256, side: uint256, account: address) -> uint256:
    return self.positions[position_word._key(market_id, side, account)]


@internal
@view
def _check_bettor(market_id: uint256):
    yes: uint256 = self._position(market_id, 0, msg.sender)
    assert yes | self._position(market_id, 1, msg.sender) != 0, "lmsr: not a bettor"


@internal
@view
def _net_stake(market_id: uint256, account: address) -> uint256:
    """
    @notice What an account staked on one side more than on the other, in whole EUR.
    """
    yes: uint256 = position_word._staked(self._position(market_id, 0, account))
    no: uint256 = position_word._staked(self._position(market_id, 1, account))
    return (max(yes, no) - min(yes, no)) // EUR


@internal
def _take_claim(market_id: uint256, account: address, outcome: uint256) -> uint256:
    """
    @notice What an account may be paid for a settled market, which then is gone:
            winning shares rounded down to money, or all stakes of a void market.
    """
    if outcome == state_word.INVALID:
        yes: uint256 = position_word._staked(self._take(market_id, 0, account))
        return yes + position_word._staked(self._take(market_id, 1, account))
    return position_word._shares(self._take(market_id, state_word._choice(outcome), account)) // WAD_PER_UNIT


@internal
def _take(market_id: uint256, side: uint256, account: address) -> uint256:
    key: uint256 = position_word._key(market_id, side, account)
    word: uint256 = self.positions[key]
    if word != 0:
        self.positions[key] = 0
    return word


@internal
@pure
def _bits(outcome: ILmsrMarkets.Outcome) -> uint256:
    # The ABI decoder lets flags of none and of several bits pass.
    bits: uint256 = convert(outcome, uint256)
    assert (
        bits == state_word.YES or bits == state_word.NO or bits == state_word.INVALID
    ), "lmsr: not one outcome"
    return bits
