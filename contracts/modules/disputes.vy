# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Complaints and votes about a proposed outcome
@author Tessera
@license AGPL-3.0-only
@notice Who may complain and vote, until when, and how late votes extend voting (docs/markets.md). What votes conclude
        is in vote_rule.vy.
@dev A head is a person who votes, and the proposer, who does not vote, for what was proposed. The stake of a vote is
     what the voter staked on one side more than on the other; it cannot change, since betting has ended.
"""


from ..interfaces import ILmsrMarkets
from . import markets
from . import position_word
from . import proposal_word
from . import schedule_word
from . import state_word
from . import tally_word
from . import vote_rule


uses: markets


VOTING: constant(uint256) = 24 * 3_600
LONGEST_VOTING: constant(uint256) = 48 * 3_600
ANSWER: constant(uint256) = 3 * 3_600  # left to answer a vote that changes what would be concluded
RULING: constant(uint256) = 48 * 3_600


proposals: HashMap[uint256, uint256]
tallies: HashMap[uint256, uint256]
votes: HashMap[uint256, uint256]  # bits of the outcome; the key's bit is the round, 1 after a refused early proposal


@external
def complain(market_id: uint256, outcome: ILmsrMarkets.Outcome, reason: String[256]):
    """
    @notice Disputes a proposal, or adds a reason to a dispute. Where there is no referee the complaint is the caller's
            vote, and opens voting for 24 h; a referee has 48 h from the first complaint to rule. For bettors of the
            market, and for the creator where a bettor proposed.
    @param market_id Number of the market.
    @param outcome What happened instead: any but the proposed outcome.
    @param reason Not empty, at most 256 bytes; logged.
    """
    state: uint256 = markets._state(market_id)
    stage: uint256 = state_word._stage(state)
    assert stage == state_word.PENDING or stage == state_word.DISPUTED, "lmsr: nothing to dispute"
    proposal: uint256 = self.proposals[market_id]
    stake: uint256 = self._check_voter(market_id, proposal)
    bits: uint256 = markets._bits(outcome)
    proposed: uint256 = state_word._outcome(state)
    assert bits != proposed, "lmsr: that is proposed already"
    assert len(reason) != 0, "lmsr: empty reason"

    refereed: bool = markets._referee(market_id) != empty(address)
    tally: uint256 = self.tallies[market_id]
    if stage == state_word.PENDING:
        self._check_window(proposal)
        markets._move(market_id, state, state_word.DISPUTED, proposed)
        tally = tally_word._pack(block.timestamp + (RULING if refereed else VOTING))
        if refereed:
            self.tallies[market_id] = tally
        else:
            proposers_stake: uint256 = markets._net_stake(market_id, proposal_word._proposer(proposal))
            tally = tally_word._with_vote(tally, state_word._choice(proposed), proposers_stake)
    else:
        self._check_time(tally)
    log ILmsrMarkets.OutcomeDisputed(
        market_id=market_id, account=msg.sender, outcome=outcome, reason=reason, timestamp=block.timestamp
    )
    if not refereed:
        self._cast(market_id, state, proposal, tally, bits, stake)


@external
def vote(market_id: uint256, outcome: ILmsrMarkets.Outcome):
    """
    @notice Votes on a dispute that has no referee, or changes the caller's vote. For bettors of the market and, where a
            bettor proposed, the creator; not for the proposer, who counts for what was proposed.
    @param market_id Number of the market.
    @param outcome YES, NO or INVALID. Of an early proposal any but the proposed one refuses it.
    """
    state: uint256 = markets._state(market_id)
    tally: uint256 = self._disputed(market_id, state)
    assert markets._referee(market_id) == empty(address), "lmsr: the referee decides"
    self._check_time(tally)
    proposal: uint256 = self.proposals[market_id]
    stake: uint256 = self._check_voter(market_id, proposal)
    self._cast(market_id, state, proposal, tally, markets._bits(outcome), stake)


@external
@view
def tally(market_id: uint256) -> ILmsrMarkets.Tally:
    """
    @notice The votes of the present or last dispute, and what `finalize` would settle if nothing else happened.
    @param market_id Number of the market.
    @return See ILmsrMarkets.Tally.
    """
    state: uint256 = markets._state(market_id)
    word: uint256 = self.tallies[market_id]
    conclusion: uint256 = 0
    ends_at: uint256 = 0
    conclusion, ends_at = self._conclusion(market_id, state)
    return ILmsrMarkets.Tally(
        heads=[tally_word._heads(word, 0), tally_word._heads(word, 1), tally_word._heads(word, 2)],
        stakes=[
            tally_word._stake(word, 0) * markets.EUR,
            tally_word._stake(word, 1) * markets.EUR,
            tally_word._stake(word, 2) * markets.EUR,
        ],
        staked=state_word._bets(state) * markets.STAKE,
        early=self._is_early(market_id),
        conclusion=convert(conclusion, ILmsrMarkets.Outcome),
        ends_at=ends_at,
        doubt_only_from=0 if word == 0 else self._doubt_only_from(word),
    )


@external
@view
def vote_of(market_id: uint256, account: address) -> ILmsrMarkets.Outcome:
    """
    @notice What an account votes for in the present or last dispute.
    @param market_id Number of the market.
    @param account Whose vote.
    @return Its outcome, or 0: no vote.
    """
    markets._state(market_id)  # a key has room for 95 bits of the market's number
    return convert(self.votes[self._vote_key(market_id, account)], ILmsrMarkets.Outcome)


@internal
def _cast(market_id: uint256, state: uint256, proposal: uint256, before: uint256, bits: uint256, stake: uint256):
    key: uint256 = self._vote_key(market_id, msg.sender)
    tally: uint256 = before
    former: uint256 = self.votes[key]
    if former != 0:
        tally = tally_word._without_vote(tally, state_word._choice(former), stake)
    tally = tally_word._with_vote(tally, state_word._choice(bits), stake)

    early: bool = self._is_early(market_id)
    conclusion: uint256 = vote_rule._concluded(tally, state, early)
    if conclusion != vote_rule._concluded(before, state, early):
        doubt_only_from: uint256 = self._doubt_only_from(tally)
        assert (
            block.timestamp < doubt_only_from or conclusion == vote_rule._doubt(early)
        ), "lmsr: too late to turn the vote"
        least: uint256 = min(block.timestamp, doubt_only_from) + ANSWER
        tally = tally_word._extended(tally, max(tally_word._ends_at(tally), least))
    self.votes[key] = bits
    self.tallies[market_id] = tally
    log ILmsrMarkets.VoteCast(
        market_id=market_id,
        account=msg.sender,
        outcome=convert(bits, ILmsrMarkets.Outcome),
        stake=stake * markets.EUR,
        conclusion=convert(conclusion, ILmsrMarkets.Outcome),
        ends_at=tally_word._ends_at(tally),
        timestamp=block.timestamp,
    )


@internal
@view
def _conclusion(market_id: uint256, state: uint256) -> (uint256, uint256):
    """
    @notice What would be settled if nothing else happened, as an outcome's bits, 0 where an early proposal would be
            refused or there is no proposal; and from when on, 0 where nothing is to be finalized.
    """
    stage: uint256 = state_word._stage(state)
    proposed: uint256 = state_word._outcome(state)
    if stage == state_word.PENDING:
        return proposed, proposal_word._ends_at(self.proposals[market_id])
    if stage != state_word.DISPUTED:
        return proposed, 0
    tally: uint256 = self.tallies[market_id]
    early: bool = self._is_early(market_id)
    if markets._referee(market_id) != empty(address):
        return vote_rule._doubt(early), tally_word._ends_at(tally)
    return vote_rule._concluded(tally, state, early), tally_word._ends_at(tally)


@internal
@pure
def _doubt_only_from(tally: uint256) -> uint256:
    return tally_word._disputed_at(tally) + LONGEST_VOTING - ANSWER


@internal
@view
def _is_early(market_id: uint256) -> bool:
    proposed_at: uint256 = proposal_word._proposed_at(self.proposals[market_id])
    return proposed_at != 0 and proposed_at < schedule_word._expected_result_at(markets.schedules[market_id])


@internal
@view
def _vote_key(market_id: uint256, account: address) -> uint256:
    round: uint256 = convert(schedule_word._refused(markets.schedules[market_id]), uint256)
    return position_word._key(market_id, round, account)


@internal
@view
def _check_voter(market_id: uint256, proposal: uint256) -> uint256:
    """
    @notice The stake of the caller's vote, in whole EUR.
    """
    assert msg.sender != proposal_word._proposer(proposal), "lmsr: your own proposal"
    if msg.sender == markets._creator(market_id):
        return 0
    markets._check_bettor(market_id)
    return markets._net_stake(market_id, msg.sender)


@internal
@view
def _disputed(market_id: uint256, state: uint256) -> uint256:
    assert state_word._stage(state) == state_word.DISPUTED, "lmsr: not disputed"
    return self.tallies[market_id]


@internal
@view
def _check_window(proposal: uint256):
    assert block.timestamp < proposal_word._ends_at(proposal), "lmsr: dispute window is over"


@internal
@view
def _check_time(tally: uint256):
    assert block.timestamp < tally_word._ends_at(tally), "lmsr: dispute is over"
