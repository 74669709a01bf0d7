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
     The low 40 bits of a line are 0; words that hold one use them. A position, a
     person's word, holds there how often the person had been forfeited before, in 8
     to 39, and the outcome plus one in 0 to 7; a total, an outcome's word, NO_TICKETS.
     A result is the prize in bits 136 and up, the winners' tickets in 8 to 135, the
     outcome plus one in 0 to 7.
     Units: stake in 1e-6 USD, multipliers in 1e-6, tickets in 1e-12 USD-blocks.
     Bounds: the sum of stakes is below 2**60 (StakingPool), a multiplier at most
     10**7 < 2**24, an event shorter than 2**32 blocks: rates stay below 2**84,
     intercepts below 2**116 in size. Every rounding is down, so never in a
     person's favour.
"""


LINE: constant(int256) = -(2**40)  # the bits of a line in a word that holds one
RATE_SHIFT: constant(uint256) = 40
INTERCEPT_SHIFT: constant(uint256) = 136
RATE_MASK: constant(int256) = 2**96 - 1
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
    # What is taken away is rounded up.
    return e0 * 10**4 - ((e0 - 100) * 10**4 * x + length - 1) // length


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
def _of(word: int256) -> int256:
    """
    @notice The line that a position or a total holds.
    """
    return word & LINE


@internal
@pure
def _value(word: int256, x: uint256) -> uint256:
    """
    @notice Tickets x blocks after the event's creation, exact, of a line or a word that holds one.
    """
    return convert((word >> INTERCEPT_SHIFT) + (word >> RATE_SHIFT & RATE_MASK) * convert(x, int256), uint256)


@internal
@pure
def _change(word: int256, old: uint256, new: uint256, multiplier: uint256, x: uint256) -> int256:
    """
    @notice The line that a change of stake at x adds to a position: what it is worth at x stays,
            what is still to come changes.
    @dev Stake that is added takes the multiplier of its own moment; a withdrawal
         scales the rate, rounded down.
    """
    change: int256 = 0
    if new > old:
        change = convert((new - old) * multiplier, int256)
    else:
        rate: uint256 = convert(word >> RATE_SHIFT & RATE_MASK, uint256)
        change = convert(rate * new // old, int256) - convert(rate, int256)
    # The line through (x, 0) with slope `change`.
    return (change << RATE_SHIFT) - ((change * convert(x, int256)) << INTERCEPT_SHIFT)


@internal
@pure
def _position(line: int256, forfeits: uint256, outcome: uint256) -> int256:
    return line + convert(forfeits << 8 | outcome + 1, int256)


@internal
@pure
def _forfeits(position: int256) -> uint256:
    return convert(position >> 8 & 2**32 - 1, uint256)


@internal
@pure
def _outcome(position: int256) -> uint256:
    return convert(position & 255, uint256) - 1


@internal
@pure
def _share(result: uint256, held: uint256) -> uint256:
    """
    @notice Prize of `held` tickets, rounded down.
    """
    return (result >> 136) * held // (result >> 8 & 2**128 - 1)
