# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title How a market begins to wait, is proposed on, and is settled
@author Tessera
@license AGPL-3.0-only
@notice Each stage ends by a time known when it begins; then anybody can move the market on. Where each step is taken
        as soon as it can be, a market is settled at most 14 days after its expected result time.
@dev The longest way: an early proposal in the last second, 24 h of window, 48 h of dispute, refused (3 days); 7 days
     until the next proposal, 24 h of window, replaced in its last second, 24 h again, 48 h of dispute.
"""


from ..interfaces import IEscrow
from ..interfaces import ILmsrMarkets
from . import book_word
from . import disputes
from . import markets
from . import proposal_word
from . import schedule_word
from . import state_word


uses: markets
uses: disputes


DAY: constant(uint256) = 24 * 3_600
BETTORS_WAIT: constant(uint256) = DAY  # the creator's time alone to propose
SILENCE: constant(uint256) = 7 * DAY
LONGEST_EARLY_WINDOW: constant(uint256) = 7 * DAY


@external
def accept_referee(market_id: uint256):
    """
    @notice Opens a market that named the caller as referee, until its closing time. The caller then has 48 h to rule on
            a dispute; silence makes the market INVALID.
    @param market_id Number of the market.
    """
    state: uint256 = markets._state(market_id)
    assert state_word._stage(state) == state_word.AWAITING, "lmsr: nothing to accept"
    markets._check_referee(market_id)
    assert block.timestamp < book_word._closes_at(markets.books[market_id]), "lmsr: too late to accept"
    markets._move(market_id, state, state_word.OPEN, 0)
    log ILmsrMarkets.RefereeAccepted(market_id=market_id, referee=msg.sender, timestamp=block.timestamp)


@external
def cancel(market_id: uint256):
    """
    @notice Ends as INVALID a market whose referee has not accepted. Creator only, who gets the seed back.
    @param market_id Number of the market.
    """
    state: uint256 = markets._state(market_id)
    markets._check_creator(market_id)
    assert state_word._stage(state) == state_word.AWAITING, "lmsr: too late to cancel"
    self._settle(market_id, state, state_word.INVALID)


@external
def propose(market_id: uint256, outcome: ILmsrMarkets.Outcome):
    """
    @notice Says what happened, ends betting and starts the dispute window. The creator may at any time, bettors of the
            market from 24 h after the expected result time on; nobody 7 days after it. The proposer may replace an
            undisputed proposal once while its window is open.
    @param market_id Number of the market.
    @param outcome YES, NO or INVALID. Proposed before the expected result time it can be refused; the creator
           then waits for that time.
    """
    state: uint256 = markets._state(market_id)
    stage: uint256 = state_word._stage(state)
    assert stage != state_word.AWAITING, "lmsr: referee has not accepted"
    bits: uint256 = markets._bits(outcome)
    schedule: uint256 = markets.schedules[market_id]
    due_at: uint256 = schedule_word._expected_result_at(schedule)
    by_creator: bool = msg.sender == markets._creator(market_id)
    replaces: bool = stage > state_word.CLOSED
    if replaces:
        former: uint256 = disputes.proposals[market_id]
        assert (
            stage == state_word.PENDING and msg.sender == proposal_word._proposer(former)
        ), "lmsr: already proposed"
        assert not proposal_word._replaced(former), "lmsr: replaced already"
        disputes._check_window(former)
        assert bits != state_word._outcome(state), "lmsr: that is proposed already"
    else:
        assert block.timestamp < due_at + SILENCE, "lmsr: too late to propose"
        if by_creator:
            refused: bool = schedule_word._refused(schedule)
            assert block.timestamp >= due_at or not refused, "lmsr: result not due yet"
        else:
            markets._check_bettor(market_id)
            assert block.timestamp >= due_at + BETTORS_WAIT, "lmsr: creator's day to propose"

    window: uint256 = schedule_word._dispute_window(schedule)
    ends_at: uint256 = block.timestamp + (window if by_creator and not replaces else DAY)
    if block.timestamp < due_at:
        ends_at = max(
            block.timestamp + DAY, min(block.timestamp + LONGEST_EARLY_WINDOW, due_at + window)
        )
    disputes.proposals[market_id] = proposal_word._pack(msg.sender, ends_at, replaces)
    markets._move(market_id, state, state_word.PENDING, bits)
    log ILmsrMarkets.OutcomeProposed(
        market_id=market_id, proposer=msg.sender, outcome=outcome, ends_at=ends_at, timestamp=block.timestamp
    )


@external
def rule(market_id: uint256, outcome: ILmsrMarkets.Outcome):
    """
    @notice Ends a dispute at once by the referee's word, for 48 h from the first complaint.
    @param market_id Number of the market.
    @param outcome YES, NO or INVALID. Of an early proposal any but the proposed one only refuses it: the market is
           CLOSED again.
    """
    state: uint256 = markets._state(market_id)
    tally: uint256 = disputes._disputed(market_id, state)
    markets._check_referee(market_id)
    disputes._check_time(tally)
    bits: uint256 = markets._bits(outcome)
    log ILmsrMarkets.OutcomeRuled(
        market_id=market_id, referee=msg.sender, outcome=outcome, timestamp=block.timestamp
    )
    refuses: bool = disputes._is_early(market_id) and bits != state_word._outcome(state)
    self._conclude(market_id, state, 0 if refuses else bits)


@external
def finalize(market_id: uint256):
    """
    @notice Settles a market whose dispute window, vote or ruling time has passed. Anyone. The creator is paid what
            winners leave, or the seed if INVALID. A refused early proposal makes the market CLOSED again.
    @param market_id Number of the market.
    """
    state: uint256 = markets._state(market_id)
    conclusion: uint256 = 0
    ends_at: uint256 = 0
    conclusion, ends_at = disputes._conclusion(market_id, state)
    assert ends_at != 0, "lmsr: nothing to finalize"
    assert block.timestamp >= ends_at, "lmsr: too early to finalize"
    self._conclude(market_id, state, conclusion)


@external
def expire(market_id: uint256):
    """
    @notice Settles as INVALID a market that nobody moved on: its referee had not accepted by the closing time, or
            nobody proposed an outcome within 7 days of the expected result time. Anyone.
    @param market_id Number of the market.
    """
    state: uint256 = markets._state(market_id)
    if state_word._stage(state) == state_word.AWAITING:
        closes_at: uint256 = book_word._closes_at(markets.books[market_id])
        assert block.timestamp >= closes_at, "lmsr: still time to accept"
    else:
        assert state_word._stage(state) <= state_word.CLOSED, "lmsr: already proposed"
        due_at: uint256 = schedule_word._expected_result_at(markets.schedules[market_id])
        assert block.timestamp >= due_at + SILENCE, "lmsr: still time to propose"
    self._settle(market_id, state, state_word.INVALID)


@internal
def _conclude(market_id: uint256, state: uint256, outcome: uint256):
    if outcome != 0:
        self._settle(market_id, state, outcome)
        return
    schedule: uint256 = schedule_word._reopened(markets.schedules[market_id], block.timestamp)
    markets._move(market_id, state, state_word.CLOSED, 0)
    markets.schedules[market_id] = schedule
    disputes.proposals[market_id] = 0
    disputes.tallies[market_id] = 0
    log ILmsrMarkets.MarketReopened(
        market_id=market_id,
        expected_result_at=schedule_word._expected_result_at(schedule),
        timestamp=block.timestamp,
    )


@internal
def _settle(market_id: uint256, state: uint256, outcome: uint256):
    stage: uint256 = state_word.VOID
    amount: uint256 = markets.SEED
    kind: IEscrow.Kind = IEscrow.Kind.REFUND
    if outcome != state_word.INVALID:
        stage = state_word.RESOLVED
        kind = IEscrow.Kind.RESIDUE
        # Cannot underflow: what is owed never passes the pot (docs/lmsr-error-bound.md).
        owed: uint256 = state_word._owed(state, state_word._choice(outcome))
        amount = markets.SEED + state_word._bets(state) * markets.STAKE - owed
    markets._move(market_id, state, stage, outcome)
    log ILmsrMarkets.MarketFinalized(
        market_id=market_id,
        outcome=convert(outcome, ILmsrMarkets.Outcome),
        creator_amount=amount,
        timestamp=block.timestamp,
    )
    if amount != 0:
        extcall IEscrow(markets.ESCROW).pay(
            convert(market_id, bytes32), markets._creator(market_id), amount, kind
        )
