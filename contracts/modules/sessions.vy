# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Sessions
@author Tessera
@license AGPL-3.0-only
@notice What is stored of sessions and of people who keep themselves out, and how
        a session's money is shared at its end.
@dev A net is clamped once, here, to [-min(deposit and top-ups, loss cap), house lock]. Nothing is divided.
"""


from ..interfaces import IMicroSessions
from . import exclusion_word
from . import offer_words
from . import session_word
from . import stream_word


posted: public(HashMap[bytes32, bytes32])  # session to the state hash of its exit
_words: HashMap[bytes32, uint256]
_exclusions: HashMap[address, uint256]


@external
def exclude_self(end: uint256):
    """
    @notice Keeps the caller out until a time: no new session, no top-up, and bets locked more than 60 s from
            now on go back. Bets that run are not touched. It can only be moved later.
    @param end Unix seconds.
    """
    word: uint256 = self._exclusions[msg.sender]
    start: uint256 = block.timestamp
    if exclusion_word._end(word) > block.timestamp:
        start = exclusion_word._start(word)
    assert end > max(block.timestamp, exclusion_word._end(word)) and end < 2**64, "micro: exclusion only later"
    self._exclusions[msg.sender] = exclusion_word._pack(start, end)
    log IMicroSessions.SelfExcluded(account=msg.sender, start=start, end=end)


@external
@view
def session(session_id: bytes32) -> (uint256, uint256, uint256, uint256, bool, bool, uint256):
    """
    @notice What is stored of a session.
    @param session_id The offer's digest.
    @return Stage (0 none, 1 open, 2 exiting, 3 closed with an offer that is still valid), top-ups in money, end of the
            first window and of the whole challenge in unix seconds, posted by the player, newest bet proven,
            seq posted.
    """
    word: uint256 = self._words[session_id]
    return (
        session_word._stage(word),
        session_word._top_ups(word),
        session_word._first_end(word),
        session_word._end(word),
        session_word._by_player(word),
        session_word._proven(word),
        session_word._seq(word),
    )


@external
@view
def exclusion_of(account: address) -> (uint256, uint256):
    """
    @notice The last self-exclusion of an account.
    @param account Whose.
    @return Its beginning and its end, unix seconds; 0 where there never was any.
    """
    word: uint256 = self._exclusions[account]
    return exclusion_word._start(word), exclusion_word._end(word)


@internal
@view
def _check_not_excluded():
    assert block.timestamp >= exclusion_word._end(self._exclusions[msg.sender]), "micro: self-excluded"


@internal
def _end(
    session: bytes32, terms: offer_words.Terms, stream: uint256, net: int256, activated: bool
) -> (uint256, uint256):
    """
    @notice Ends a session, and shares what its two sides put in.
    @return The stream's new word, to be stored; what the player is paid.
    """
    word: uint256 = self._words[session]
    deposit: uint256 = terms.deposit + session_word._top_ups(word)
    loss: int256 = convert(min(deposit, terms.loss_cap), int256)
    lock: int256 = convert(terms.house_lock, int256)
    clamped: int256 = max(min(net, lock), -loss)
    paid: uint256 = convert(convert(deposit, int256) + clamped, uint256)
    back: uint256 = convert(lock - clamped, uint256)
    if activated:
        back += terms.activation
    else:
        paid += terms.activation
    # Until its offer is void the session stays marked, or the offer could open it again, to be closed again.
    is_void: bool = block.timestamp > terms.valid_until
    self._words[session] = session_word.NO_SESSION if is_void else session_word.CLOSED
    if session_word._stage(word) == session_word.EXITING:
        self.posted[session] = empty(bytes32)
    log IMicroSessions.SessionClosed(session=session, net=clamped, activated=activated)
    return stream_word._with_return(stream, terms.house_lock, back), paid
