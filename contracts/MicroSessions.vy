# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MicroSessions
@author Tessera
@license AGPL-3.0-only
@notice Money of bets on live streams. A player and a stream's house put funds
        into a session, bet by signatures off chain, and close by two signatures,
        or alone by the last state that both signed, after a time in which the
        other side can show a later one.
@dev Invariants: a stream's pot = free bankroll + for each open session deposit,
     top-ups, activation cost and house lock. What a session pays to its player
     and leaves to its stream is what the two put in, to the unit: nothing is
     divided, so nothing is rounded. A session's net is clamped once, at its end, to
     [-min(deposit and top-ups, loss cap), house lock].
     Every exit ends: windows, results and the wait for a proof have an end that
     is known when it begins, and after a session's expiry anybody can begin one.
     No call leaves this contract except to Escrow, after all writes, and views of Panels.
@custom:halt An operator who signs no offers opens no sessions. Closing, exits,
             challenges and withdrawals always work.
"""


from ethereum.ercs import IERC20Detailed
from snekmate.utils import eip712_domain_separator

from .interfaces import IEscrow
from .interfaces import IMicroSessions
from .modules import exits
from .modules import offer_words
from .modules import session_types
from .modules import session_word
from .modules import sessions
from .modules import short_signature
from .modules import stream_word
from .modules import streams


implements: IMicroSessions
initializes: eip712_domain_separator
initializes: session_types[eip712_domain_separator := eip712_domain_separator]
initializes: streams
initializes: sessions
initializes: exits[session_types := session_types, sessions := sessions, streams := streams]


exports: (
    eip712_domain_separator.eip712Domain,
    streams.__interface__,
    sessions.__interface__,
    exits.__interface__,
)


DECIMALS: constant(uint8) = 6
MAX_BATCH: constant(uint256) = 64
MAX_TERM: constant(uint256) = 30 * 86_400


@deploy
def __init__(escrow: address, panels: address, short_window: uint256, long_window: uint256):
    """
    @param escrow Custody of the collateral, of 6 decimals.
    @param panels Where observers report results and books.
    @param short_window Seconds to challenge what the player posted: 24 h or more, on chains 1337 and 31337 1 s.
    @param long_window Seconds to challenge what anybody else posted, at most 7 days: 48 h or more, there 1 s.
    """
    token: address = staticcall IEscrow(escrow).TOKEN()
    assert staticcall IERC20Detailed(token).decimals() == DECIMALS, "micro: token not of 6 decimals"
    streams.__init__(escrow, panels)
    exits.__init__(short_window, long_window)
    eip712_domain_separator.__init__("Tessera MicroSessions", "1")


@external
@reentrant  # It calls Escrow alone, after all writes, and Escrow then calls nobody. The lock costs 300 gas.
def open_session(offer: IMicroSessions.Offer, operator_signature: IMicroSessions.Signature) -> bytes32:
    """
    @notice Opens the session that the operator offered to the caller: debits deposit
            and activation cost, and locks the house's part beside them.
    @param offer Of the caller; valid now, of a session of at most 30 days.
    @param operator_signature Of the stream's operator.
    @return The session's id, the offer's digest.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    assert msg.sender == terms.player, "micro: not your offer"
    assert terms.session_key != empty(address), "micro: zero session key"
    assert terms.house_key != empty(address), "micro: zero house key"
    assert block.timestamp <= terms.valid_until, "micro: offer has expired"
    assert (
        terms.expires_at > block.timestamp and terms.expires_at <= block.timestamp + MAX_TERM
    ), "micro: bad expiry"
    sessions._check_not_excluded()
    session: bytes32 = session_types._offer(offer)
    assert sessions._words[session] == session_word.NO_SESSION, "micro: offer is used"
    word: uint256 = streams._stream(terms.stream_id)
    signer: address = short_signature._signer(session, operator_signature.r, operator_signature.vs)
    assert signer == stream_word._operator(word), "micro: not by operator"
    assert terms.house_lock <= stream_word._free(word), "micro: bankroll too small"
    assert stream_word._has_room(word, terms.house_lock), "micro: too much is locked"
    sessions._words[session] = session_word._pack_open(0)
    streams._words[terms.stream_id] = stream_word._with_lock(word, terms.house_lock)
    log IMicroSessions.SessionOpened(session=session, player=msg.sender, stream_id=terms.stream_id)
    streams._collect(terms.stream_id, msg.sender, terms.deposit, IEscrow.Kind.BET_DEBIT)
    if terms.activation != 0:
        streams._collect(terms.stream_id, msg.sender, terms.activation, IEscrow.Kind.ACTIVATION)
    return session


@external
def top_up(offer: IMicroSessions.Offer, amount: uint256):
    """
    @notice Adds money of the caller's Escrow balance to the deposit of an open session. Player's wallet only.
    @param offer The session's.
    @param amount Money.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    assert msg.sender == terms.player, "micro: not your session"
    session: bytes32 = session_types._offer(offer)
    word: uint256 = sessions._words[session]
    assert session_word._stage(word) == session_word.OPEN, "micro: session not open"
    assert block.timestamp < terms.expires_at, "micro: session has expired"
    sessions._check_not_excluded()
    assert amount <= session_word.TOP_UPS_MASK - session_word._top_ups(word), "micro: top-up too large"
    sessions._words[session] = session_word._pack_open(session_word._top_ups(word) + amount)
    log IMicroSessions.ToppedUp(session=session, amount=amount)
    streams._collect(terms.stream_id, msg.sender, amount, IEscrow.Kind.BET_DEBIT)


@external
@reentrant  # as open_session
def close(
    offer: IMicroSessions.Offer,
    net: int256,
    activated: bool,
    valid_until: uint256,
    player_signature: IMicroSessions.Signature,
    house_signature: IMicroSessions.Signature,
):
    """
    @notice Ends a session at once as both sides agreed, also one whose exit has begun. Anyone with both signatures.
    @param offer The session's.
    @param net What the player won, or lost if less than 0.
    @param activated Whether the activation cost was earned; else it goes back.
    @param valid_until Unix seconds, of the agreement.
    @param player_signature Of the session key or the wallet, of a Close.
    @param house_signature Of the house key; not asked for where the operator sends.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    session: bytes32 = session_types._offer(offer)
    digest: bytes32 = session_types._close(session, net, activated, valid_until)
    signer: address = short_signature._signer(digest, player_signature.r, player_signature.vs)
    assert self._may_close(session, terms, valid_until, signer), self._close_refusal(session, valid_until)
    stream: uint256 = streams._words[terms.stream_id]
    if msg.sender != stream_word._operator(stream):
        signer = short_signature._signer(digest, house_signature.r, house_signature.vs)
        assert signer == terms.house_key, "micro: not signed by house"
    paid: uint256 = 0
    stream, paid = sessions._end(session, terms, stream, net, activated)
    streams._words[terms.stream_id] = stream
    streams._pay(terms.stream_id, terms.player, paid)


@external
def close_many(stream_id: uint256, items: DynArray[IMicroSessions.CloseItem, MAX_BATCH]) -> uint256:
    """
    @notice Ends many sessions of one stream as their players signed. Operator only. What
            cannot be closed is skipped and logged as CloseSkipped.
    @param stream_id The stream.
    @param items Offers, agreements and the players' signatures, at most 64.
    @return Number of sessions closed.
    """
    stream: uint256 = streams._operated(stream_id)
    players: DynArray[address, MAX_BATCH] = []
    amounts: DynArray[uint256, MAX_BATCH] = []
    closed: uint256 = 0
    for item: IMicroSessions.CloseItem in items:
        terms: offer_words.Terms = offer_words._unpacked(item.offer)
        session: bytes32 = session_types._offer(item.offer)
        digest: bytes32 = session_types._close(session, item.close.net, item.close.activated, item.close.valid_until)
        signer: address = short_signature._signer(digest, item.player_signature.r, item.player_signature.vs)
        valid_until: uint256 = item.close.valid_until
        if terms.stream_id != stream_id:
            log IMicroSessions.CloseSkipped(session=session, reason="micro: of another stream")
            continue
        if not self._may_close(session, terms, valid_until, signer):
            log IMicroSessions.CloseSkipped(session=session, reason=self._close_refusal(session, valid_until))
            continue
        paid: uint256 = 0
        stream, paid = sessions._end(session, terms, stream, item.close.net, item.close.activated)
        closed += 1
        if paid != 0:
            players.append(terms.player)
            amounts.append(paid)
    streams._words[stream_id] = stream
    if len(players) != 0:
        extcall IEscrow(streams.ESCROW).pay_many(convert(stream_id, bytes32), players, amounts, IEscrow.Kind.PAYOUT)
    return closed


@external
@view
def hash_offer(offer: IMicroSessions.Offer) -> bytes32:
    """
    @notice A session's id.
    @param offer Its offer.
    @return The EIP-712 digest that the operator signs.
    """
    return session_types._offer(offer)


@external
@view
def hash_state(session_id: bytes32, state: IMicroSessions.State) -> bytes32:
    """
    @notice A state's hash: what both sides sign, and a leaf of its question's book.
    @param session_id The session.
    @param state The state.
    @return Its EIP-712 digest.
    """
    return session_types._state(session_id, state)


@external
@view
def hash_question(question: IMicroSessions.Question) -> bytes32:
    """
    @notice A question's hash, its key on the panel.
    @param question The question.
    @return Its EIP-712 digest.
    """
    return session_types._question(question)


@external
@view
def hash_quote(quote: IMicroSessions.Quote) -> bytes32:
    """
    @notice A quote's hash, which a bet names.
    @param quote The quote.
    @return The EIP-712 digest that the house key signs.
    """
    return session_types._quote(quote)


@internal
@view
def _may_close(session: bytes32, terms: offer_words.Terms, valid_until: uint256, signer: address) -> bool:
    """
    @notice Whether a session runs and its player, who is `signer`, agreed to close it by now.
    """
    return (
        (signer == terms.session_key or signer == terms.player)
        and block.timestamp <= valid_until
        and session_word._is_running(sessions._words[session])
    )


@internal
@view
def _close_refusal(session: bytes32, valid_until: uint256) -> String[32]:
    """
    @notice Why a session that may not be closed may not be.
    """
    if not session_word._is_running(sessions._words[session]):
        return "micro: session is not there"
    if block.timestamp > valid_until:
        return "micro: agreement has expired"
    return "micro: player did not agree"
