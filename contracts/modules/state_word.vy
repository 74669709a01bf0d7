# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What bets and decisions change of a market, in one word
@author Tessera
@license AGPL-3.0-only
@dev Bits 0 to 3 stage; 4 to 7 outcome, proposed or final, as the bits of ILmsrMarkets.Outcome; 8 to 23 tail of the
     referee; 24 to 55 last_bet_at; 56 to 79 bets; 80 to 123 owed if NO; 124 to 167 owed if YES; 168 to 255 gap.
     gap is NO shares less YES shares, head start included, in WAD, kept with an offset of 2**87: prices depend on
     nothing else. owed is the sum over positions of what each would be paid, each rounded down to a unit of money.
     The tail is the lowest bits of the referee: the whole address is looked up only where a bettor's match.
     Bounds: a market takes a bet of 1 EUR every 5 s for at most 365 days, so bets < 6.4e6 < 2**24. No share count,
     head start included, passes the pot (docs/lmsr-error-bound.md): owed <= 10 EUR + bets < 6.4e12 < 2**44 units and
     |gap| < 6.4e24 < 2**87. Times fit until 2106.
"""


# Stages in the order of a market's life. A word of 0 is a market that does not exist.
AWAITING: constant(uint256) = 1
OPEN: constant(uint256) = 2
CLOSED: constant(uint256) = 3
PENDING: constant(uint256) = 4
DISPUTED: constant(uint256) = 5
RESOLVED: constant(uint256) = 6
VOID: constant(uint256) = 7

# The bits of ILmsrMarkets.Outcome.
YES: constant(uint256) = 1
NO: constant(uint256) = 2
INVALID: constant(uint256) = 4

MASK_4: constant(uint256) = 2**4 - 1
MASK_16: constant(uint256) = 2**16 - 1
MASK_24: constant(uint256) = 2**24 - 1
MASK_32: constant(uint256) = 2**32 - 1
MASK_44: constant(uint256) = 2**44 - 1
GAP_OFFSET: constant(int256) = 2**87


@internal
@pure
def _pack(gap: int256, referee: address) -> uint256:
    """
    @notice A market without bets: it waits for its referee, or is open where none is named.
    """
    stage: uint256 = OPEN if referee == empty(address) else AWAITING
    tail: uint256 = convert(referee, uint256) & MASK_16
    return (convert(gap + GAP_OFFSET, uint256) << 168) | (tail << 8) | stage


@internal
@pure
def _moved(word: uint256, stage: uint256, outcome: uint256) -> uint256:
    return ((word >> 8) << 8) | (outcome << 4) | stage


@internal
@view
def _after_bet(word: uint256, side: uint256, shares: uint256, owed_more: uint256) -> uint256:
    # Fields are added to in place, unchecked: neither before nor after does one leave its bits (see the bounds), so
    # nothing is carried or borrowed. The caller has checked that the last bet, 0 if none, was not after now.
    elapsed: uint256 = unsafe_sub(block.timestamp, (word >> 24) & MASK_32)
    more: uint256 = (owed_more << unsafe_sub(124, unsafe_mul(44, side))) | (1 << 56) | (elapsed << 24)
    after: uint256 = unsafe_add(word, more)
    return unsafe_sub(after, shares << 168) if side == 0 else unsafe_add(after, shares << 168)


@internal
@pure
def _choice(outcome: uint256) -> uint256:
    """
    @notice The number of an outcome's bits: 0 for YES and 1 for NO, which are sides too, 2 for INVALID.
    """
    return outcome >> 1


@internal
@pure
def _status(stage: uint256) -> uint256:
    """
    @notice The bits of ILmsrMarkets.Status for a stage.
    """
    return 1 << (stage - 1)


@internal
@pure
def _stage(word: uint256) -> uint256:
    return word & MASK_4


@internal
@pure
def _outcome(word: uint256) -> uint256:
    return (word >> 4) & MASK_4


@internal
@pure
def _may_be_referee(word: uint256, account: address) -> bool:
    return ((word >> 8) ^ convert(account, uint256)) & MASK_16 == 0


@internal
@pure
def _last_bet_at(word: uint256) -> uint256:
    return (word >> 24) & MASK_32


@internal
@pure
def _bets(word: uint256) -> uint256:
    return (word >> 56) & MASK_24


@internal
@pure
def _owed(word: uint256, side: uint256) -> uint256:
    return (word >> (124 - 44 * side)) & MASK_44


@internal
@pure
def _gap(word: uint256) -> int256:
    return unsafe_sub(convert(word >> 168, int256), GAP_OFFSET)
