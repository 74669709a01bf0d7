# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LmsrMarkets
@author Tessera
@license AGPL-3.0-only
@notice Binary markets among friends. A creator seeds 10 EUR and is the book;
        everybody else bets 1 EUR at a time on YES or NO at the price of a
        logarithmic market scoring rule. A winning share pays 1 EUR.
@dev Invariants, for each market, in money: pot = 10 EUR + bets x 1 EUR until it
     is settled, and pot >= max(owed if YES, owed if NO) always, so the creator
     loses at most the seed (docs/lmsr-error-bound.md). Owed sums add up
     positions that are each rounded down: settling leaves in the pot exactly
     what winners claim, and nothing stays behind.
     Rounding: shares and payouts down; the creator gets what is left.
     No call leaves this contract except to Escrow, after all writes.
@custom:halt Nobody can. Whoever withdraws consent in Escrow bets no more;
             proposals, disputes, votes, settling and claims always work.
"""


from ethereum.ercs import IERC20Detailed

from .interfaces import IEscrow
from .interfaces import ILmsrMarkets
from .modules import book_word
from .modules import disputes
from .modules import lmsr
from .modules import markets
from .modules import position_word
from .modules import proposal_word
from .modules import resolution
from .modules import schedule_word
from .modules import state_word
from .modules import tally_word


implements: ILmsrMarkets
initializes: markets
initializes: disputes[markets := markets]
initializes: resolution[markets := markets, disputes := disputes]


exports: (
    markets.ESCROW,
    resolution.accept_referee,
    resolution.cancel,
    resolution.propose,
    disputes.complain,
    disputes.vote,
    disputes.tally,
    disputes.vote_of,
    resolution.rule,
    resolution.finalize,
    resolution.expire,
)


DECIMALS: constant(uint8) = 6
BET_INTERVAL: constant(uint256) = 5
MAX_TERM: constant(uint256) = 365 * 86_400
MAX_DISPUTE_WINDOW: constant(uint256) = 24 * 3_600
MIN_DISPUTE_WINDOW: constant(uint256) = 12 * 3_600  # shorter on a local devnet only
MAX_BATCH: constant(uint256) = 256
MAX_DEPTH: constant(uint256) = 100


FRIENDS: public(immutable(bool))
SHORTEST_WINDOW: public(immutable(uint256))


market_count: public(uint256)
_terms_hashes: HashMap[uint256, bytes32]


@deploy
def __init__(escrow: address, friends: bool, shortest_window: uint256):
    """
    @param escrow Custody of the collateral, a euro-like token of 6 decimals.
    @param friends Whether bettors may vote on disputes. On collateral that can be
           bought one-euro votes can be bought: there a referee must be named.
    @param shortest_window Least dispute window, seconds; 12 h to 24 h, or less on
           chains 1337 and 31337.
    """
    token: address = staticcall IEscrow(escrow).TOKEN()
    assert staticcall IERC20Detailed(token).decimals() == DECIMALS, "lmsr: token not of 6 decimals"
    least: uint256 = 1 if chain.id == 1337 or chain.id == 31_337 else MIN_DISPUTE_WINDOW
    assert shortest_window >= least and shortest_window <= MAX_DISPUTE_WINDOW, "lmsr: bad shortest window"
    FRIENDS = friends
    SHORTEST_WINDOW = shortest_window
    markets.__init__(escrow)


@external
def create_market(
    terms: ILmsrMarkets.Terms,
    p0: uint256,
    expected_result_at: uint256,
    closes_at: uint256,
    event_start_at: uint256,
    referee: address,
    dispute_window: uint256,
) -> uint256:
    """
    @notice Opens a market, or where a referee is named one that waits for that referee, and puts in the caller's seed
            of 10 EUR, the most that the caller can lose.
    @param terms Question, what YES and NO mean, rules and source of truth; none
           empty. They are logged, and only their hash is stored.
    @param p0 First price of YES, WAD, 0.01 to 0.99.
    @param expected_result_at Unix seconds, at most a year ahead.
    @param closes_at When betting ends, unix seconds; 0: the expected result time.
    @param event_start_at When the event starts or started, unix seconds, not after betting ends; 0: not said.
    @param referee Who rules on a dispute, and has to accept before bets are taken; empty: the bettors vote (friends
           only).
    @param dispute_window Seconds to dispute a proposal in, up to 24 h.
    @return Number of the market, from 1.
    """
    stop: uint256 = expected_result_at if closes_at == 0 else closes_at
    assert len(terms.question) != 0 and len(terms.yes) != 0 and len(terms.no) != 0, "lmsr: empty text"
    assert len(terms.rules) != 0 and len(terms.source) != 0, "lmsr: empty rules or source"
    assert p0 >= lmsr.MIN_P0 and p0 <= lmsr.MAX_P0, "lmsr: p0 out of range"
    assert stop > block.timestamp, "lmsr: closes in the past"
    assert event_start_at <= stop and stop <= expected_result_at, "lmsr: times out of order"
    assert expected_result_at <= block.timestamp + MAX_TERM, "lmsr: more than a year ahead"
    assert dispute_window >= SHORTEST_WINDOW and dispute_window <= MAX_DISPUTE_WINDOW, "lmsr: bad dispute window"
    assert FRIENDS or referee != empty(address), "lmsr: referee needed"
    assert referee != msg.sender, "lmsr: creator as referee"

    b: uint256 = 0
    head_start: uint256 = 0
    b, head_start = lmsr._opening(p0, markets.SEED * markets.WAD_PER_UNIT)
    gap: int256 = convert(head_start, int256)
    market_id: uint256 = self.market_count + 1
    self.market_count = market_id
    self._terms_hashes[market_id] = keccak256(abi_encode(terms))
    markets.books[market_id] = book_word._pack(msg.sender, b, stop)
    markets.states[market_id] = state_word._pack(gap if p0 * 2 < lmsr.WAD else -gap, referee)
    markets.schedules[market_id] = schedule_word._pack(referee, dispute_window, expected_result_at, False)
    log ILmsrMarkets.MarketCreated(
        market_id=market_id,
        creator=msg.sender,
        referee=referee,
        terms=terms,
        p0=p0,
        b=b,
        expected_result_at=expected_result_at,
        closes_at=stop,
        event_start_at=event_start_at,
        dispute_window=dispute_window,
        timestamp=block.timestamp,
    )
    extcall IEscrow(markets.ESCROW).collect(
        msg.sender, convert(market_id, bytes32), markets.SEED, IEscrow.Kind.DEPOSIT_SEED
    )
    return market_id


@external
def bet(market_id: uint256, outcome: ILmsrMarkets.Outcome, min_shares: uint256) -> uint256:
    """
    @notice Bets 1 EUR of the caller's Escrow balance on YES or NO. What the shares
            pay is fixed now.
    @param market_id Number of the market.
    @param outcome YES or NO.
    @param min_shares The least the caller accepts, WAD, never 0: it protects from
           a price that moved up, and never stops one that moved down.
    @return Shares bought, WAD, rounded down.
    """
    book: uint256 = markets.books[market_id]
    state: uint256 = markets._open_state(market_id, book)
    side: uint256 = self._side(outcome)
    assert min_shares != 0, "lmsr: zero min_shares"
    assert block.timestamp >= state_word._last_bet_at(state) + BET_INTERVAL, "lmsr: a bet every 5 seconds"
    assert msg.sender != book_word._creator(book), "lmsr: creator cannot bet"
    if state_word._may_be_referee(state, msg.sender):
        assert msg.sender != markets._referee(market_id), "lmsr: referee cannot bet"

    shares: uint256 = 0
    price_after: uint256 = 0
    shares, price_after = lmsr._buy(
        book_word._b(book), self._seen_from(side, state_word._gap(state)), markets.STAKE * markets.WAD_PER_UNIT
    )
    assert shares >= min_shares, "lmsr: price moved"
    key: uint256 = position_word._key(market_id, side, msg.sender)
    position: uint256 = markets.positions[key]
    before: uint256 = position_word._shares(position)
    owed_more: uint256 = (before + shares) // markets.WAD_PER_UNIT - before // markets.WAD_PER_UNIT
    markets.positions[key] = position + position_word._pack(markets.STAKE, shares)
    markets.states[market_id] = state_word._after_bet(state, side, shares, owed_more)
    log ILmsrMarkets.BetPlaced(
        market_id=market_id,
        account=msg.sender,
        side=outcome,
        shares=shares,
        stake=markets.STAKE,
        price_after=price_after,
        effective_odds=shares,  # the stake is 1 EUR
        timestamp=block.timestamp,
    )
    extcall IEscrow(markets.ESCROW).collect(
        msg.sender, convert(market_id, bytes32), markets.STAKE, IEscrow.Kind.BET_DEBIT, skip_contract_check=True
    )
    return shares


@external
def close(market_id: uint256):
    """
    @notice Ends betting before its time. Creator only.
    @param market_id Number of the market.
    """
    state: uint256 = markets._open_state(market_id, markets.books[market_id])
    markets._check_creator(market_id)
    markets._move(market_id, state, state_word.CLOSED, 0)
    log ILmsrMarkets.MarketClosed(market_id=market_id, timestamp=block.timestamp)


@external
def claim(market_id: uint256) -> uint256:
    """
    @notice Pays the caller's winning shares, 1 EUR each, or after INVALID all that
            the caller staked, into the Escrow balance.
    @param market_id Number of the market.
    @return Money paid: the shares rounded down to a unit.
    """
    outcome: uint256 = self._settled_outcome(market_id)
    amount: uint256 = markets._take_claim(market_id, msg.sender, outcome)
    assert amount != 0, "lmsr: nothing to claim"
    extcall IEscrow(markets.ESCROW).pay(
        convert(market_id, bytes32), msg.sender, amount, self._claim_kind(outcome)
    )
    return amount


@external
def claim_many(market_id: uint256, accounts: DynArray[address, MAX_BATCH]) -> uint256:
    """
    @notice Pays many people what they would claim. Anyone. Who has nothing to claim
            is skipped and logged as ClaimSkipped.
    @param market_id Number of the market.
    @param accounts Whom to pay, at most 256.
    @return Number of people paid.
    """
    outcome: uint256 = self._settled_outcome(market_id)
    paid: DynArray[address, MAX_BATCH] = []
    amounts: DynArray[uint256, MAX_BATCH] = []
    for account: address in accounts:
        amount: uint256 = markets._take_claim(market_id, account, outcome)
        if amount == 0:
            log ILmsrMarkets.ClaimSkipped(market_id=market_id, account=account, reason="lmsr: nothing to claim")
            continue
        paid.append(account)
        amounts.append(amount)
    if len(paid) != 0:
        extcall IEscrow(markets.ESCROW).pay_many(
            convert(market_id, bytes32), paid, amounts, self._claim_kind(outcome)
        )
    return len(paid)


@external
@view
def quote(market_id: uint256, outcome: ILmsrMarkets.Outcome) -> (uint256, uint256):
    """
    @notice What a bet of 1 EUR placed now would get, to the unit.
    @param market_id Number of an open market.
    @param outcome YES or NO.
    @return Shares and the price of that side afterwards, WAD.
    """
    return self._depth(market_id, outcome, 1)


@external
@view
def depth(market_id: uint256, outcome: ILmsrMarkets.Outcome, bets: uint256) -> (uint256, uint256):
    """
    @notice What that many bets of 1 EUR in a row on one side would get together.
    @param market_id Number of an open market.
    @param outcome YES or NO.
    @param bets 1 to 100.
    @return Shares and the price of that side afterwards, WAD.
    """
    assert bets != 0 and bets <= MAX_DEPTH, "lmsr: 1 to 100 bets"
    return self._depth(market_id, outcome, bets)


@external
@view
def prices(market_id: uint256) -> (uint256, uint256):
    """
    @notice The market's probability of YES and of NO.
    @param market_id Number of the market.
    @return Prices of YES and NO, WAD, 1e18 together.
    """
    state: uint256 = markets._state(market_id)
    p_yes: uint256 = lmsr._price(book_word._b(markets.books[market_id]), state_word._gap(state))
    return p_yes, lmsr.WAD - p_yes


@external
@view
def exposure(market_id: uint256) -> (int256, int256):
    """
    @notice What the creator gains (less than 0: loses) in each outcome as bets stand.
    @param market_id Number of the market.
    @return Gain if YES and gain if NO, money.
    """
    state: uint256 = markets._state(market_id)
    staked: int256 = convert(state_word._bets(state) * markets.STAKE, int256)
    return (
        staked - convert(state_word._owed(state, 0), int256),
        staked - convert(state_word._owed(state, 1), int256),
    )


@external
@view
def max_loss(market_id: uint256) -> uint256:
    """
    @notice The most that the creator can lose, whatever is still bet.
    @param market_id Number of the market.
    @return The seed, money.
    """
    markets._state(market_id)
    return markets.SEED


@external
@view
def position(market_id: uint256, account: address) -> (uint256, uint256, uint256, uint256):
    """
    @notice What an account holds in a market. Claiming empties what was paid.
    @param market_id Number of the market.
    @param account Whose position.
    @return YES shares (WAD), staked on YES (money), NO shares, staked on NO.
    """
    markets._state(market_id)  # a key has room for 95 bits of the market's number: others would show another's position
    yes: uint256 = markets._position(market_id, 0, account)
    no: uint256 = markets._position(market_id, 1, account)
    return (
        position_word._shares(yes),
        position_word._staked(yes),
        position_word._shares(no),
        position_word._staked(no),
    )


@external
@view
def market(market_id: uint256) -> ILmsrMarkets.Market:
    """
    @notice All that is stored of a market, with its status now.
    @param market_id Number of the market.
    @return See ILmsrMarkets.Market.
    """
    state: uint256 = markets._state(market_id)
    book: uint256 = markets.books[market_id]
    schedule: uint256 = markets.schedules[market_id]
    stage: uint256 = state_word._stage(state)
    if stage == state_word.OPEN and block.timestamp >= book_word._closes_at(book):
        stage = state_word.CLOSED
    proposal: uint256 = disputes.proposals[market_id]
    return ILmsrMarkets.Market(
        creator=book_word._creator(book),
        referee=schedule_word._referee(schedule),
        status=convert(state_word._status(stage), ILmsrMarkets.Status),
        outcome=convert(state_word._outcome(state), ILmsrMarkets.Outcome),
        b=book_word._b(book),
        closes_at=book_word._closes_at(book),
        expected_result_at=schedule_word._expected_result_at(schedule),
        dispute_window=schedule_word._dispute_window(schedule),
        early_refused=schedule_word._refused(schedule),
        terms_hash=self._terms_hashes[market_id],
        bets=state_word._bets(state),
        last_bet_at=state_word._last_bet_at(state),
        owed_if_yes=state_word._owed(state, 0),
        owed_if_no=state_word._owed(state, 1),
        proposer=proposal_word._proposer(proposal),
        proposed_at=proposal_word._proposed_at(proposal),
        window_ends_at=proposal_word._ends_at(proposal),
        replaced=proposal_word._replaced(proposal),
        disputed_at=tally_word._disputed_at(disputes.tallies[market_id]),
    )


@internal
@view
def _depth(market_id: uint256, outcome: ILmsrMarkets.Outcome, bets: uint256) -> (uint256, uint256):
    book: uint256 = markets.books[market_id]
    state: uint256 = markets._open_state(market_id, book)
    gap: int256 = self._seen_from(self._side(outcome), state_word._gap(state))
    return lmsr._buy(book_word._b(book), gap, bets * markets.STAKE * markets.WAD_PER_UNIT)


@internal
@view
def _settled_outcome(market_id: uint256) -> uint256:
    state: uint256 = markets._state(market_id)
    assert state_word._stage(state) >= state_word.RESOLVED, "lmsr: not settled"
    return state_word._outcome(state)


@internal
@pure
def _side(outcome: ILmsrMarkets.Outcome) -> uint256:
    bits: uint256 = convert(outcome, uint256)
    assert bits == state_word.YES or bits == state_word.NO, "lmsr: not YES or NO"
    return convert(bits == state_word.NO, uint256)


@internal
@pure
def _seen_from(side: uint256, gap: int256) -> int256:
    # What is stored is NO shares less YES shares; the rule wants the other side's less this side's.
    return gap if side == 0 else -gap


@internal
@view
def _claim_kind(outcome: uint256) -> IEscrow.Kind:
    return IEscrow.Kind.REFUND if outcome == state_word.INVALID else IEscrow.Kind.PAYOUT
