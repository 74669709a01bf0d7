# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title From a proposed outcome to a settled market
@author Tessera
@license AGPL-3.0-only
@notice Proposals, disputes, votes, the referee's word, settling. Each stage ends
        by a time known when it begins; then anybody can move the market on.
"""


from ..interfaces import IEscrow
from ..interfaces import ILmsrMarkets
from . import markets


uses: markets


struct Proposal:
    proposer: address
    proposed_at: uint256
    disputed_at: uint256
    votes: uint256[3]  # YES, NO, INVALID


BETTORS_WAIT: constant(uint256) = 24 * 3_600  # the creator's time alone to propose
SILENCE: constant(uint256) = 7 * 86_400
VOTING: constant(uint256) = 24 * 3_600
RULING: constant(uint256) = 48 * 3_600


proposals: HashMap[uint256, Proposal]
_voted_in: HashMap[uint256, HashMap[address, uint256]]  # `disputed_at` of the last dispute that a person voted in


@external
def propose(market_id: uint256, outcome: ILmsrMarkets.Outcome):
    """
    @notice Says what happened, and starts the dispute window. The creator may from
            the expected result time on, and INVALID at any time; bettors of the
            market from 24 h after it; nobody after 7 days. Ends betting.
    @param market_id Number of the market.
    @param outcome YES, NO or INVALID.
    """
    state: uint256 = markets._state(market_id)
    assert markets._stage(state) <= markets.CLOSED, "lmsr: already proposed"
    bits: uint256 = self._one(outcome)
    due_at: uint256 = markets._due_at(market_id)
    assert block.timestamp < due_at + SILENCE, "lmsr: too late to propose"
    if msg.sender == markets._creator(market_id):
        assert bits == markets.INVALID or block.timestamp >= due_at, "lmsr: result not due yet"
    else:
        self._check_bettor(market_id)
        assert block.timestamp >= due_at + BETTORS_WAIT, "lmsr: creator's day to propose"
    markets._set_stage(market_id, state, markets.PENDING, bits)
    self.proposals[market_id].proposer = msg.sender
    self.proposals[market_id].proposed_at = block.timestamp
    log ILmsrMarkets.OutcomeProposed(
        market_id=market_id, proposer=msg.sender, outcome=outcome, timestamp=block.timestamp
    )


@external
def complain(market_id: uint256, reason: String[256]):
    """
    @notice Disputes a proposal: the referee rules on it within 48 h, or where there
            is none the bettors vote for 24 h. For bettors of the market, and for
            the creator where a bettor proposed.
    @param market_id Number of the market.
    @param reason Not empty, at most 256 bytes; logged.
    """
    state: uint256 = markets._state(market_id)
    assert markets._stage(state) == markets.PENDING, "lmsr: nothing to dispute"
    if msg.sender == markets._creator(market_id):
        assert self.proposals[market_id].proposer != msg.sender, "lmsr: your own proposal"
    else:
        self._check_bettor(market_id)
    assert block.timestamp < self._window_end(market_id), "lmsr: dispute window is over"
    assert len(reason) != 0, "lmsr: empty reason"
    markets._set_stage(market_id, state, markets.DISPUTED, markets._outcome(state))
    self.proposals[market_id].disputed_at = block.timestamp
    log ILmsrMarkets.OutcomeDisputed(
        market_id=market_id, account=msg.sender, reason=reason, timestamp=block.timestamp
    )


@external
def vote(market_id: uint256, outcome: ILmsrMarkets.Outcome):
    """
    @notice Votes on a dispute that has no referee. Bettors of the market, one vote
            each, for 24 h from the complaint.
    @param market_id Number of the market.
    @param outcome YES, NO or INVALID. Where INVALID was proposed before the
           expected result time, YES and NO alike refuse it: the market is CLOSED again.
    """
    disputed_at: uint256 = self._disputed_at(market_id)
    assert markets._referee(market_id) == empty(address), "lmsr: the referee decides"
    assert block.timestamp < disputed_at + VOTING, "lmsr: voting is over"
    self._check_bettor(market_id)
    assert self._voted_in[market_id][msg.sender] != disputed_at, "lmsr: already voted"
    self._voted_in[market_id][msg.sender] = disputed_at
    self.proposals[market_id].votes[self._one(outcome) >> 1] += 1  # 1, 2, 4 -> 0, 1, 2
    log ILmsrMarkets.VoteCast(market_id=market_id, account=msg.sender, outcome=outcome, timestamp=block.timestamp)


@external
def rule(market_id: uint256, outcome: ILmsrMarkets.Outcome):
    """
    @notice Ends a dispute at once by the referee's word, for 48 h from the complaint.
    @param market_id Number of the market.
    @param outcome YES, NO or INVALID. Where INVALID was proposed before the
           expected result time, YES or NO only refuses it: the market is CLOSED again.
    """
    disputed_at: uint256 = self._disputed_at(market_id)
    assert msg.sender == markets._referee(market_id), "lmsr: not the referee"
    assert block.timestamp < disputed_at + RULING, "lmsr: ruling is over"
    bits: uint256 = self._one(outcome)
    log ILmsrMarkets.OutcomeRuled(
        market_id=market_id, referee=msg.sender, outcome=outcome, timestamp=block.timestamp
    )
    self._conclude(market_id, bits)


@external
def finalize(market_id: uint256):
    """
    @notice Settles a market whose dispute window, vote or ruling time has passed.
            Anyone. The creator is paid what winners leave, or the seed if INVALID.
    @param market_id Number of the market.
    """
    state: uint256 = markets._state(market_id)
    proposed: uint256 = markets._outcome(state)
    if markets._stage(state) == markets.PENDING:
        assert block.timestamp >= self._window_end(market_id), "lmsr: dispute window is open"
        self._conclude(market_id, proposed)
        return

    assert markets._stage(state) == markets.DISPUTED, "lmsr: nothing to finalize"
    disputed_at: uint256 = self.proposals[market_id].disputed_at
    if markets._referee(market_id) == empty(address):
        assert block.timestamp >= disputed_at + VOTING, "lmsr: voting is open"
        votes: uint256[3] = self.proposals[market_id].votes
        self._conclude(market_id, self._tally(votes, proposed, self._is_early(market_id, proposed)))
        return

    assert block.timestamp >= disputed_at + RULING, "lmsr: ruling is open"
    # A silent referee: the creator's proposal stands, a bettor's does not.
    by_creator: bool = self.proposals[market_id].proposer == markets._creator(market_id)
    self._conclude(market_id, proposed if by_creator else markets.INVALID)


@external
def expire(market_id: uint256):
    """
    @notice Settles as INVALID a market for which nobody proposed an outcome within
            7 days of the expected result time. Anyone.
    @param market_id Number of the market.
    """
    state: uint256 = markets._state(market_id)
    assert markets._stage(state) <= markets.CLOSED, "lmsr: already proposed"
    assert block.timestamp >= markets._due_at(market_id) + SILENCE, "lmsr: still time to propose"
    self._settle(market_id, state, markets.INVALID)


@internal
def _conclude(market_id: uint256, outcome: uint256):
    state: uint256 = markets._state(market_id)
    if outcome == markets.INVALID or not self._is_early(market_id, markets._outcome(state)):
        self._settle(market_id, state, outcome)
        return

    # INVALID was proposed when nobody could know the result: refusing it decides nothing else. Where the result time
    # has passed meanwhile, the days to propose are counted anew, or `expire` could make INVALID win all the same.
    due_at: uint256 = max(markets._due_at(market_id), block.timestamp)
    markets._set_stage(market_id, state, markets.CLOSED, 0)
    markets._set_schedule(market_id, markets._referee(market_id), markets._dispute_window(market_id), due_at)
    self.proposals[market_id] = empty(Proposal)
    log ILmsrMarkets.MarketReopened(market_id=market_id, expected_result_at=due_at, timestamp=block.timestamp)


@internal
def _settle(market_id: uint256, state: uint256, outcome: uint256):
    stage: uint256 = markets.VOID
    amount: uint256 = markets.SEED
    kind: IEscrow.Kind = IEscrow.Kind.REFUND
    if outcome != markets.INVALID:
        stage = markets.RESOLVED
        kind = IEscrow.Kind.RESIDUE
        # Cannot underflow: what is owed never passes the pot (docs/lmsr-error-bound.md).
        amount = markets.SEED + markets._bets(state) * markets.STAKE - markets._owed(state, outcome >> 1)
    markets._set_stage(market_id, state, stage, outcome)
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


@internal
@view
def _is_early(market_id: uint256, proposed: uint256) -> bool:
    return proposed == markets.INVALID and self.proposals[market_id].proposed_at < markets._due_at(market_id)


@internal
@pure
def _tally(votes: uint256[3], proposed: uint256, early: bool) -> uint256:
    cast: uint256 = votes[0] + votes[1] + votes[2]
    if cast == 0:
        return proposed
    # YES and NO both refuse an early INVALID, and neither wins by it: they must not split the vote.
    if votes[0] * 2 > cast or (early and (votes[0] + votes[1]) * 2 > cast):
        return markets.YES
    if votes[1] * 2 > cast:
        return markets.NO
    return markets.INVALID


@internal
@pure
def _one(outcome: ILmsrMarkets.Outcome) -> uint256:
    # The ABI decoder lets flags of none and of several bits pass.
    bits: uint256 = convert(outcome, uint256)
    assert bits == markets.YES or bits == markets.NO or bits == markets.INVALID, "lmsr: not one outcome"
    return bits


@internal
@view
def _check_bettor(market_id: uint256):
    assert markets._is_bettor(market_id, msg.sender), "lmsr: not a bettor"


@internal
@view
def _disputed_at(market_id: uint256) -> uint256:
    assert markets._stage(markets._state(market_id)) == markets.DISPUTED, "lmsr: not disputed"
    return self.proposals[market_id].disputed_at


@internal
@view
def _window_end(market_id: uint256) -> uint256:
    return self.proposals[market_id].proposed_at + markets._dispute_window(market_id)
