"""Why the engine says no: a code that programs compare, and a reason that people read."""

from enum import IntEnum, unique
from typing import Any

from tessera.chain.errors import ChainError


@unique
class Code(IntEnum):
    """Numbers are what the house signs in a `Refusal`; the API says the name in lower case."""

    MALFORMED = 1
    TOO_MANY_REQUESTS = 2
    UNKNOWN_SESSION = 3
    SIGNATURE = 4
    STOPPED = 5  # the journal failed: nothing is signed any more
    # The stream's record, where its journal may have lost lines.
    ASKING = 6
    ENDED = 7
    NOT_LOST = 8
    TOO_MANY_CONNECTIONS = 9
    # The session.
    NOT_OPEN = 10
    EXIT_BEGUN = 11
    FROZEN = 12
    SESSION_EXPIRED = 13
    # The state.
    STALE_BASE = 20
    RESULTS_MISSING = 21
    ILLEGAL_STATE = 22
    # The bet.
    UNKNOWN_QUESTION = 30
    LOCKED = 31
    UNKNOWN_QUOTE = 32
    FOREIGN_QUOTE = 33
    QUOTE_EXPIRED = 34
    UNKNOWN_CHOICE = 35
    OTHER_TIMES = 36
    ODDS_MOVED = 37
    # Limits of stream and session, which anybody can check from bet, base state and quote.
    STAKE = 40
    LIABILITY = 41
    BALANCE_SHARE = 42
    TOO_SOON = 43
    OPEN_BETS = 44
    FUNDS = 45
    HOUSE_FUNDS = 46
    OUTLIVES_SESSION = 47
    # What the player asked for.
    LIMIT = 50
    COOL_OFF = 51
    EXCLUDED = 52
    # The time.
    CLOCK = 60
    CHAIN_STALE = 61
    CHAIN_AHEAD = 62
    LOCK_TOO_FAR = 63
    BOOKS_MISSING = 64
    # Reports of observers.
    STRANGER = 70
    CONFLICT = 71
    TOO_EARLY = 72
    TOO_LATE = 73
    UNKNOWN_OUTCOME = 74
    NO_BOOK = 75
    # Agreements, offers and limits.
    BETS_WAIT = 80
    OTHER_NET = 81
    VALID_UNTIL = 82
    DEPOSIT = 83
    LIMIT_VALUE = 84
    TOO_MANY_OFFERS = 85
    NO_PLAYER = 86


REASONS = {
    Code.MALFORMED: "the message is none of this API's",
    Code.TOO_MANY_REQUESTS: "too many requests: wait a second",
    Code.UNKNOWN_SESSION: "this stream has no session of this id",
    Code.SIGNATURE: "not signed by the key that must sign it",
    Code.STOPPED: "the engine has stopped: keep what you have, and try again in a minute",
    Code.ASKING: "observers are asked whether the record is whole: try again in a moment",
    Code.ENDED: "the stream has ended, since its journal lost a line: exit by your newest state",
    Code.NOT_LOST: "the record has this line",
    Code.TOO_MANY_CONNECTIONS: "too many connections from your address: close some, or try again in a moment",
    Code.NOT_OPEN: "the session is not open on chain, or not confirmed yet",
    Code.EXIT_BEGUN: "the session's exit has begun",
    Code.FROZEN: "an agreement to close is signed",
    Code.SESSION_EXPIRED: "the session has expired",
    Code.STALE_BASE: "not built on the newest completed state, or a seq that was used",
    Code.RESULTS_MISSING: "results with enough signatures are not folded into the state, or unknown ones are",
    Code.ILLEGAL_STATE: "no state that both sides may sign",
    Code.UNKNOWN_QUESTION: "the stream has not asked this question",
    Code.LOCKED: "betting on this question has ended",
    Code.UNKNOWN_QUOTE: "no quote of this hash, or one of long ago",
    Code.FOREIGN_QUOTE: "the quote is of another question",
    Code.QUOTE_EXPIRED: "the quote has expired: take the newest one",
    Code.UNKNOWN_CHOICE: "the question has no such choice",
    Code.OTHER_TIMES: "lock or report_by are not the question's",
    Code.ODDS_MOVED: "the liability is not what the quote's odds pay",
    Code.STAKE: "the stake is below the least or above the greatest",
    Code.LIABILITY: "the bet could win more than the quote allows",
    Code.BALANCE_SHARE: "the stake is too large a part of the balance",
    Code.TOO_SOON: "too soon after the last bet",
    Code.OPEN_BETS: "too many bets are open",
    Code.FUNDS: "more than the player may lose",
    Code.HOUSE_FUNDS: "more than the house has locked",
    Code.OUTLIVES_SESSION: "the bet would outlive the session",
    Code.LIMIT: "a limit that you have set",
    Code.COOL_OFF: "you have asked for no bets until later",
    Code.EXCLUDED: "you have excluded yourself",
    Code.CLOCK: "the engine's clock is off: no bets until it is right",
    Code.CHAIN_STALE: "the chain's newest block is too old",
    Code.CHAIN_AHEAD: "the chain's newest block is ahead of the clock",
    Code.LOCK_TOO_FAR: "the question locks too far ahead of the chain's newest block",
    Code.BOOKS_MISSING: "observers have not signed the last book",
    Code.STRANGER: "not signed by a member of the panel",
    Code.CONFLICT: "the member has reported another outcome",
    Code.TOO_EARLY: "the question is not locked yet",
    Code.TOO_LATE: "results of this question were due earlier",
    Code.UNKNOWN_OUTCOME: "not a choice, not 16 (none of them), not INVALID",
    Code.NO_BOOK: "the question has no book of this root",
    Code.BETS_WAIT: "an open bet has no result yet",
    Code.OTHER_NET: "net or activation are not what the session comes to",
    Code.VALID_UNTIL: "an agreement is valid for a minute to a day",
    Code.DEPOSIT: "the deposit is below the least or above the greatest",
    Code.LIMIT_VALUE: "not a value of this limit",
    Code.TOO_MANY_OFFERS: "too many offers wait to be used",
    Code.NO_PLAYER: "this wallet has opened no session of the stream: open one, and set limits before the first bet",
}


class Refused(ChainError):
    """The engine refuses, and nothing has changed. `details` say what is needed to do better."""

    code = "refused"

    def __init__(self, code: Code, reason: str = "", **details: Any):
        super().__init__(reason or REASONS[code])
        self.number = code
        self.details = details

    @property
    def name(self) -> str:
        """The code as the API says it."""
        return self.number.name.lower()
