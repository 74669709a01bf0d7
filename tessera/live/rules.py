"""Which states the engine takes. What is legal is the model's to say; here is which code each breach has, and what the
stream's own limits add."""

from collections.abc import Mapping

from tessera.live.accounts import Session
from tessera.live.asked import Asked, Result
from tessera.live.refusals import Code, Refused
from tessera.live.terms import Terms
from tessera.live.wire import encode
from tessera.model.sessions import states
from tessera.model.sessions.states import StateError
from tessera.model.sessions.typed import OpenBet, Quote, State

_BPS = 10_000
_CODES = {
    "stake or liability out of range": Code.STAKE,
    "more than 16 open bets": Code.OPEN_BETS,
    "the bet outlives the session": Code.OUTLIVES_SESSION,
    "more than the player may lose": Code.FUNDS,
    "more than the house can lose": Code.HOUSE_FUNDS,
}


def check_base(session: Session, state: State, results: Mapping[bytes, Result]) -> None:
    """Raises Refused unless a state is built on the newest completed one with all results folded.

    `results` are those of the open bets that are known. The first state only activates.
    """
    base = session.state
    if state.prev != base.seq or state.seq <= max(base.seq, session.used_seq):
        raise Refused(Code.STALE_BASE, seq=str(base.seq), used=str(session.used_seq))
    if not base.activated:
        return
    if not state.open_bets:
        raise Refused(Code.ILLEGAL_STATE, "a state adds one bet")
    net, waiting = states.fold(base, {question: result.outcome for question, result in results.items()})
    if (state.net, state.open_bets[:-1]) != (net, waiting):
        known = [
            {"question": question, "outcome": result.outcome, "signatures": result.signatures}
            for question, result in results.items()
        ]
        raise Refused(Code.RESULTS_MISSING, results=encode(known))


def check_bet(bet: OpenBet, asked: Asked | None, quote: Quote | None, now: int) -> None:
    """Raises Refused unless a bet is on an open question at a quote that is good now."""
    if asked is None:
        raise Refused(Code.UNKNOWN_QUESTION)
    question = asked.question
    if asked.book is not None or now >= question.lock:
        raise Refused(Code.LOCKED)
    if quote is None:
        raise Refused(Code.UNKNOWN_QUOTE)
    if quote.question != bet.question:
        raise Refused(Code.FOREIGN_QUOTE)
    if now > quote.valid_until:
        raise Refused(Code.QUOTE_EXPIRED, valid_until=str(quote.valid_until))
    if not 0 <= bet.choice < len(quote.odds):
        raise Refused(Code.UNKNOWN_CHOICE)
    if (bet.lock, bet.report_by) != (question.lock, question.report_by):
        raise Refused(Code.OTHER_TIMES)
    if bet.liability != states.liability_of(bet.stake, quote.odds[bet.choice]):
        raise Refused(Code.ODDS_MOVED)
    if bet.liability > quote.greatest_liability:
        raise Refused(Code.LIABILITY, greatest=str(quote.greatest_liability))


def check_limits(bet: OpenBet, terms: Terms, session: Session, balance: int, open_bets: int, now: int) -> None:
    """Raises Refused unless a bet is within the stream's limits. `balance` and `open_bets` are before it."""
    if not terms.least_stake <= bet.stake <= min(terms.greatest_stake, session.offer.stake_cap):
        raise Refused(Code.STAKE, least=str(terms.least_stake), greatest=str(terms.greatest_stake))
    if bet.stake * _BPS > terms.balance_share_bps * balance:
        raise Refused(Code.BALANCE_SHARE, greatest=str(max(terms.balance_share_bps * balance // _BPS, 0)))
    if now - session.last_bet_at < terms.between_ms:
        raise Refused(Code.TOO_SOON, wait_ms=terms.between_ms - (now - session.last_bet_at))
    if open_bets >= terms.most_open:
        raise Refused(Code.OPEN_BETS, most=terms.most_open)


def check_legal(session: Session, state: State, results: Mapping[bytes, Result], top_ups: int) -> None:
    """Raises Refused unless the model takes a state as the next one."""
    outcomes = {question: result.outcome for question, result in results.items()}
    try:
        states.check_successor(session.offer, session.state, state, outcomes, top_ups)
    except StateError as error:
        raise Refused(_CODES.get(str(error), Code.ILLEGAL_STATE), str(error)) from None
