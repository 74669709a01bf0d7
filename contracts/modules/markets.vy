# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title The stored words of markets and positions
@author Tessera
@license AGPL-3.0-only
@notice Where LmsrMarkets keeps its state, packed so that a steady bet rewrites
        one word of the market and one of the position.
@dev A market has three words.
     book:     creator 160 | b 64 | closes_at 32, fixed at creation
     state:    gap 88 | owed if YES 44 | owed if NO 44 | bets 24 | last_bet_at 32 |
               referee's tail 16 | outcome 4 | stage 4
     schedule: referee 160 | dispute_window 32 | expected_result_at 32
     gap is NO shares less YES shares, head start included, in WAD, kept with an
     offset of 2**87: prices depend on nothing else. owed is the sum over
     positions of what each would be paid, each rounded down to a unit of money.
     The tail is the lowest bits of the referee: the whole address is looked up
     only where a bettor's match. Outcome is proposed or final, as a flag's bits.
     A position has a word for each side, staked 128 | shares 128, under the key
     market 95 | side 1 | account 160.
     Bounds: a market takes a bet of 1 EUR every 5 s for at most 365 days, so
     bets < 6.4e6 < 2**24. No share count, head start included, passes the pot
     (docs/lmsr-error-bound.md): owed <= 10 EUR + bets < 6.4e12 < 2**44 units and
     |gap| < 6.4e24 < 2**87. Times fit until 2106.
"""


from ..interfaces import IEscrow


# What stage a market is in; a state word of 0 is a market that does not exist.
OPEN: constant(uint256) = 1
CLOSED: constant(uint256) = 2
PENDING: constant(uint256) = 3
DISPUTED: constant(uint256) = 4
RESOLVED: constant(uint256) = 5
VOID: constant(uint256) = 6

# The bits of ILmsrMarkets.Outcome. A side is its outcome's bits >> 1: YES 0, NO 1.
YES: constant(uint256) = 1
NO: constant(uint256) = 2
INVALID: constant(uint256) = 4

EUR: constant(uint256) = 10**6
STAKE: constant(uint256) = EUR
SEED: constant(uint256) = 10 * EUR
WAD_PER_UNIT: constant(uint256) = 10**12

MASK_16: constant(uint256) = 2**16 - 1
MASK_24: constant(uint256) = 2**24 - 1
MASK_32: constant(uint256) = 2**32 - 1
MASK_44: constant(uint256) = 2**44 - 1
MASK_64: constant(uint256) = 2**64 - 1
MASK_128: constant(uint256) = 2**128 - 1
GAP_OFFSET: constant(int256) = 2**87


ESCROW: public(immutable(address))


books: HashMap[uint256, uint256]
states: HashMap[uint256, uint256]
schedules: HashMap[uint256, uint256]
positions: HashMap[uint256, uint256]


@deploy
def __init__(escrow: address):
    ESCROW = escrow


@internal
def _open(
    market_id: uint256,
    creator: address,
    b: uint256,
    gap: int256,
    closes_at: uint256,
    expected_result_at: uint256,
    referee: address,
    dispute_window: uint256,
):
    self.books[market_id] = (convert(creator, uint256) << 96) | (b << 32) | closes_at
    self.states[market_id] = (
        (convert(gap + GAP_OFFSET, uint256) << 168) | ((convert(referee, uint256) & MASK_16) << 8) | OPEN
    )
    self._set_schedule(market_id, referee, dispute_window, expected_result_at)


@internal
def _set_schedule(market_id: uint256, referee: address, dispute_window: uint256, expected_result_at: uint256):
    self.schedules[market_id] = (convert(referee, uint256) << 64) | (dispute_window << 32) | expected_result_at


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
    assert state & 15 == OPEN and block.timestamp < book & MASK_32, "lmsr: market not open"
    return state


@internal
@pure
def _stage(state: uint256) -> uint256:
    return state & 15


@internal
@pure
def _outcome(state: uint256) -> uint256:
    return (state >> 4) & 15


@internal
@pure
def _gap(state: uint256) -> int256:
    return unsafe_sub(convert(state >> 168, int256), GAP_OFFSET)


@internal
@pure
def _owed(state: uint256, side: uint256) -> uint256:
    return (state >> (124 - 44 * side)) & MASK_44


@internal
@pure
def _bets(state: uint256) -> uint256:
    return (state >> 56) & MASK_24


@internal
@pure
def _last_bet_at(state: uint256) -> uint256:
    return (state >> 24) & MASK_32


@internal
@view
def _after_bet(state: uint256, side: uint256, shares: uint256, owed_more: uint256) -> uint256:
    # Fields are added to in place, unchecked: neither before nor after does one leave its bits (see the bounds), so
    # nothing is carried or borrowed. The caller has checked that the last bet, 0 if none, was not after now.
    elapsed: uint256 = unsafe_sub(block.timestamp, (state >> 24) & MASK_32)
    more: uint256 = (owed_more << unsafe_sub(124, unsafe_mul(44, side))) | (1 << 56) | (elapsed << 24)
    after: uint256 = unsafe_add(state, more)
    return unsafe_sub(after, shares << 168) if side == 0 else unsafe_add(after, shares << 168)


@internal
def _set_stage(market_id: uint256, state: uint256, stage: uint256, outcome: uint256):
    self.states[market_id] = ((state >> 8) << 8) | (outcome << 4) | stage


@internal
@view
def _creator(market_id: uint256) -> address:
    return convert(self.books[market_id] >> 96, address)


@internal
@view
def _referee(market_id: uint256) -> address:
    return convert(self.schedules[market_id] >> 64, address)


@internal
@view
def _dispute_window(market_id: uint256) -> uint256:
    return (self.schedules[market_id] >> 32) & MASK_32


@internal
@view
def _due_at(market_id: uint256) -> uint256:
    return self.schedules[market_id] & MASK_32


@internal
@pure
def _key(market_id: uint256, side: uint256, account: address) -> uint256:
    return (market_id << 161) | (side << 160) | convert(account, uint256)


@internal
@view
def _position(market_id: uint256, side: uint256, account: address) -> uint256:
    return self.positions[self._key(market_id, side, account)]


@internal
@view
def _is_bettor(market_id: uint256, account: address) -> bool:
    return self._position(market_id, 0, account) | self._position(market_id, 1, account) != 0


@internal
def _take_claim(market_id: uint256, account: address, outcome: uint256) -> uint256:
    """
    @notice What an account may be paid for a settled market, which then is gone:
            winning shares rounded down to money, or all stakes of a void market.
    """
    if outcome == INVALID:
        return (self._take(market_id, 0, account) >> 128) + (self._take(market_id, 1, account) >> 128)
    return (self._take(market_id, outcome >> 1, account) & MASK_128) // WAD_PER_UNIT


@internal
def _take(market_id: uint256, side: uint256, account: address) -> uint256:
    key: uint256 = self._key(market_id, side, account)
    word: uint256 = self.positions[key]
    if word != 0:
        self.positions[key] = 0
    return word
