# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Ticket arithmetic
@author Tessera
@license AGPL-3.0-only
@notice Prize tickets grow by a constant rate per block between changes of
        stake, so those of a person or of an outcome are a straight line.
@dev A line is one signed integer, `intercept * 2**136 + rate * 2**40`, with
     0 <= rate < 2**96. Its value x blocks after the event's creation is
     `intercept + rate * x`. Lines of people add up to the line of their outcome
     by plain integer addition, to the unit, at every x at once.
     The low 40 bits of a line are 0; words that hold one use them: a position, a
     person's word (modules/prediction_word.vy), and a total, an outcome's word, which
     begins as NO_TICKETS. What is said here of a line holds of such a word as well.
     Units: stake in 1e-6 USD, multipliers in 1e-6, tickets in 1e-12 USD-blocks.
     Bounds: the sum of stakes is below 2**60 (StakingPool), a multiplier at most
     10**7 < 2**24, an event shorter than 2**32 blocks: rates stay below 2**84,
     intercepts below 2**116 in size. Every rounding is down, so never in a
     person's favour.
"""


RATE_SHIFT: constant(uint256) = 40
INTERCEPT_SHIFT: constant(uint256) = 136
RATE_MASK: constant(int256) = 2**96 - 1
LINE_MASK: constant(int256) = -(2**40)
NO_TICKETS: constant(int256) = 1  # an outcome's total at first: not 0, for decision 0029


@internal
@pure
def _multiplier(e0: uint256, x: uint256, length: uint256) -> uint256:
    """
    @notice Early bird: falls in a straight line from E0 at x = 0 to 1 at x = length.
    @param e0 In hundredths, 100 to 1,000.
    @param x Blocks since the event's creation, at most `length`.
    @param length Blocks from creation to stop.
    @return In 1e-6, rounded down.
    """
    # What is taken away is rounded up. No overflow: below 10**7 times 2**40. No underflow: x is at most `length`.
    taken: uint256 = unsafe_mul(unsafe_mul(unsafe_sub(e0, 100), 10**4), x)
    return unsafe_sub(unsafe_mul(e0, 10**4), unsafe_add(taken, unsafe_sub(length, 1)) // length)


@internal
@pure
def _line(tickets: uint256, rate: uint256, x: uint256) -> int256:
    """
    @notice The line that has `tickets` at x and grows by `rate` per block.
    """
    intercept: int256 = convert(tickets, int256) - convert(rate * x, int256)
    return (intercept << INTERCEPT_SHIFT) + (convert(rate, int256) << RATE_SHIFT)


@internal
@pure
def _line_in(word: int256) -> int256:
    """
    @notice The line that a position or a total holds, without the low bits of the word.
    """
    return word & LINE_MASK


@internal
@pure
def _value(line: int256, x: uint256) -> uint256:
    """
    @notice Tickets x blocks after the event's creation, exact.
    """
    return convert((line >> INTERCEPT_SHIFT) + ((line >> RATE_SHIFT) & RATE_MASK) * convert(x, int256), uint256)


@internal
@pure
def _change(line: int256, old: uint256, new: uint256, multiplier: uint256, x: uint256) -> int256:
    """
    @notice The line that a change of stake at x adds to a person's: what it is worth at x stays,
            what is still to come changes.
    @dev Stake that is added takes the multiplier of its own moment; a withdrawal
         scales the rate, rounded down.
    """
    change: int256 = 0
    if new > old:
        change = convert((new - old) * multiplier, int256)
    else:
        rate: uint256 = convert((line >> RATE_SHIFT) & RATE_MASK, uint256)
        change = convert(rate * new // old, int256) - convert(rate, int256)
    # The line through (x, 0) with slope `change`.
    return (change << RATE_SHIFT) - ((change * convert(x, int256)) << INTERCEPT_SHIFT)
