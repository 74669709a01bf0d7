# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidity mining
@author Tessera
@license AGPL-3.0-only
@notice A fixed number of reward units per block from MINING_START to MINING_END,
        shared over all stakers by stake, at constant cost per person.
@dev With A the sum over blocks of `MINING_RATE / total stake`, a person is owed
     the sum of stake * dA, kept as `stake * A - debt`: a change of stake by d at A
     adds d * A to the debt, exactly. Only A itself is rounded, down, so what is
     owed never exceeds `MINING_RATE * (MINING_END - MINING_START)`. While nobody stakes nothing
     accrues. A is at most 10**18 * 2**128 * 2**40, and A times a stake below 2**60
     fits 256 bits.
"""


from . import accrual_word


SCALE: constant(uint256) = 10**18


MINING_RATE: public(immutable(uint256))  # a block
MINING_START: public(immutable(uint256))  # first block
MINING_END: public(immutable(uint256))  # first block without


_accumulator: uint256  # A * SCALE
_state: uint256  # see accrual_word.vy
_debts: HashMap[address, int256]  # * SCALE


@deploy
def __init__(per_block: uint256, start: uint256, end: uint256):
    assert per_block < 2**88, "mining: rate too high"
    assert start >= block.number and end >= start and end < 2**40, "mining: bad schedule"
    MINING_RATE = per_block
    MINING_START = start
    MINING_END = end
    self._state = accrual_word._pack(0, start)


@internal
@view
def _total() -> uint256:
    return accrual_word._total(self._state)


@internal
def _change(account: address, old: uint256, new: uint256):
    """
    @notice Moves a person's stake from `old` to `new`; what was earned stays earned.
    """
    total: uint256 = 0
    last: uint256 = 0
    accumulator: uint256 = 0
    total, last, accumulator = self._accrued()
    self._accumulator = accumulator
    self._state = accrual_word._pack(total + new - old, last)
    self._debts[account] += (convert(new, int256) - convert(old, int256)) * convert(accumulator, int256)


@internal
@view
def _pending(account: address, stake: uint256) -> uint256:
    """
    @notice Reward units owed to a person, rounded down.
    """
    accumulator: uint256 = self._accrued()[2]
    return convert(convert(stake * accumulator, int256) - self._debts[account], uint256) // SCALE


@internal
def _take(account: address, stake: uint256) -> uint256:
    """
    @notice Books all that is owed to a person as paid and returns it, rounded down; the
            fraction stays owed.
    """
    owed: uint256 = self._pending(account, stake)
    self._debts[account] += convert(owed * SCALE, int256)
    return owed


@internal
@view
def _accrued() -> (uint256, uint256, uint256):
    """
    @return Total stake, block of accrual, accumulator, as of this block.
    """
    state: uint256 = self._state
    total: uint256 = accrual_word._total(state)
    last: uint256 = accrual_word._last(state)
    now: uint256 = min(block.number, MINING_END)
    if now <= last:
        return total, last, self._accumulator
    if total == 0:
        return total, now, self._accumulator
    return total, now, self._accumulator + MINING_RATE * SCALE * (now - last) // total
