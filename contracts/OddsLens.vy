# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title OddsLens
@author Tessera
@license AGPL-3.0-only
@notice Says in plain values what OddsBets stores. It stores and moves nothing.
@dev Apart from OddsBets, whose code would not fit otherwise.
@custom:halt Nothing to halt: it only reads.
"""


from .interfaces import IHostedBets
from .interfaces import IOddsBets
from .modules import cover_word
from .modules import line_word
from .modules import odds
from .modules import queues
from .modules import rules_word
from .modules import terms_word
from .modules import ticket_word
from .modules import verdict_word


# A prediction: stakes confirmed, and its queue. The ticket at `head` is confirmed by `filled`, those before it wholly.
struct Line:
    profit: uint256
    staked: uint256
    filled: uint256
    head: uint256
    tail: uint256
    waiting: uint256


struct Book:
    staked: uint256
    bankroll: uint256
    needed: uint256


struct Ticket:
    account: address
    confirmed: uint256
    pending: uint256


# A settled bet's `unclaimed` are the winning stakes that are still to be paid, `owed` what is kept for them.
struct Verdict:
    settled: bool
    refunded: bool
    outcome: uint256
    unclaimed: uint256
    owed: uint256


MAX_PREDICTIONS: constant(uint256) = 16


BETS: public(immutable(address))


@deploy
def __init__(bets: address):
    """
    @param bets The OddsBets to read.
    """
    assert bets.is_contract, "lens: bets has no code"
    BETS = bets


@external
@view
def terms(bet_id: bytes32) -> IHostedBets.Terms:
    """
    @notice What is stored of a bet's listing.
    @param bet_id Of a listed bet.
    @return See IHostedBets.Terms.
    """
    words: IOddsBets.Words = self._words(bet_id, 0, 0)
    return IHostedBets.Terms(
        host=rules_word._host(words.rules),
        panel_id=words.panel_id,
        predictions=terms_word._count(words.terms),
        min_stake=terms_word._min_stake(words.terms),
        max_stake=terms_word._max_stake(words.terms),
        closes_at=terms_word._closes_at(words.terms),
        listed_closes_at=rules_word._closes_at(words.rules),
        result_deadline=rules_word._result_deadline(words.rules),
        host_bps=rules_word._host_bps(words.rules),
        validator_bps=rules_word._validator_bps(words.rules),
        is_private=terms_word._is_private(words.terms),
    )


@external
@view
def book(bet_id: bytes32) -> Book:
    """
    @notice The money of a bet that is not pending.
    @param bet_id Of a listed bet.
    @return See Book.
    """
    words: IOddsBets.Words = self._words(bet_id, 0, 0)
    needed: uint256 = 0
    for k: uint256 in range(terms_word._count(words.terms), bound=MAX_PREDICTIONS):
        stake: uint256 = line_word._staked((staticcall IOddsBets(BETS).words(bet_id, k, 0)).line)
        needed = max(needed, odds._needed(words.book, stake, odds._profit(words.odds, k)))
    return Book(
        staked=cover_word._staked(words.book), bankroll=cover_word._bankroll(words.book), needed=needed
    )


@external
@view
def line(bet_id: bytes32, prediction: uint256) -> Line:
    """
    @notice What is confirmed on a prediction, and its queue.
    @param bet_id Of a listed bet.
    @param prediction Index of the prediction.
    @return See Line.
    """
    words: IOddsBets.Words = self._words(bet_id, prediction, 0)
    assert prediction < terms_word._count(words.terms), "lens: unknown prediction"
    return Line(
        profit=odds._profit(words.odds, prediction),
        staked=line_word._staked(words.line),
        filled=line_word._filled(words.line),
        head=line_word._head(words.line),
        tail=line_word._tail(words.line),
        waiting=line_word._waiting(words.line),
    )


@external
@view
def ticket(bet_id: bytes32, ticket_id: uint256) -> Ticket:
    """
    @notice A ticket's owner and what became of it.
    @param bet_id Of a listed bet.
    @param ticket_id As placing returned it.
    @return See Ticket; all zero where it is cancelled, paid, or never was.
    """
    words: IOddsBets.Words = self._words(bet_id, queues._prediction_of(ticket_id), ticket_id)
    amount: uint256 = ticket_word._amount(words.ticket)
    if amount == 0:
        return empty(Ticket)
    confirmed: uint256 = line_word._confirmed_part(words.line, queues._index_of(ticket_id), amount)
    return Ticket(account=ticket_word._account(words.ticket), confirmed=confirmed, pending=amount - confirmed)


@external
@view
def verdict(bet_id: bytes32) -> Verdict:
    """
    @notice How a bet was settled.
    @param bet_id Of a listed bet.
    @return See Verdict; all zero where it is not settled.
    """
    word: uint256 = (self._words(bet_id, 0, 0)).verdict
    if word == 0:
        return empty(Verdict)
    if verdict_word._is_refunded(word):
        return Verdict(settled=True, refunded=True, outcome=0, unclaimed=0, owed=0)
    unclaimed: uint256 = verdict_word._unclaimed(word)
    return Verdict(
        settled=True,
        refunded=False,
        outcome=verdict_word._outcome(word),
        unclaimed=unclaimed,
        owed=0 if unclaimed == 0 else verdict_word._owed(word),  # the last claim sent what was left to the host
    )


@internal
@view
def _words(bet_id: bytes32, prediction: uint256, ticket_id: uint256) -> IOddsBets.Words:
    words: IOddsBets.Words = staticcall IOddsBets(BETS).words(bet_id, prediction, ticket_id)
    assert words.terms != 0, "lens: unknown bet"
    return words
