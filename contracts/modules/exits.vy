# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Exits
@author Tessera
@license AGPL-3.0-only
@notice How a session ends by one side alone: a state is posted, challenged, proven, and paid by the panel's results.
@dev Every wait has an end that is known when it begins: the first window; a short window after the last challenge in
     it; the latest deadline of the posted bets, at most a day after the session's expiry; a day for a proof.
"""


from snekmate.utils import merkle_proof_verification

from ..interfaces import IMicroSessions
from ..interfaces import IPanels
from . import exclusion_word
from . import offer_words
from . import session_types
from . import session_word
from . import sessions
from . import short_signature
from . import stream_word
from . import streams


uses: session_types
uses: sessions
uses: streams


LATE_RESULTS: constant(uint256) = 86_400  # a bet may be due so long after its session's expiry
PROOF_WAIT: constant(uint256) = 86_400  # for a proof of the newest bet
EXCLUSION_GRACE: constant(uint256) = 60  # bets that were on their way
LAST_OUTCOME: constant(uint256) = 16  # none of the choices; what is above counts as INVALID
MS: constant(uint256) = 1_000
# Co-signed nonsense must not overflow. Every honest sum is far below, and the end is clamped far below.
BOUND: constant(uint256) = 2**128


SHORT_WINDOW: public(immutable(uint256))
LONG_WINDOW: public(immutable(uint256))


@deploy
def __init__(short_window: uint256, long_window: uint256):
    is_local: bool = chain.id == 1337 or chain.id == 31_337
    assert short_window >= (1 if is_local else 86_400) and short_window <= long_window, "micro: bad short window"
    assert long_window >= (1 if is_local else 2 * 86_400) and long_window <= 7 * 86_400, "micro: bad long window"
    SHORT_WINDOW = short_window
    LONG_WINDOW = long_window


@external
def start_exit(
    offer: IMicroSessions.Offer,
    state: IMicroSessions.State,
    player_signature: IMicroSessions.Signature,
    receipt: IMicroSessions.Receipt,
    book: IMicroSessions.BookProof,
    post: IMicroSessions.Post,
):
    """
    @notice Begins to end a session alone, by a state that both signed, or by the empty state of seq 0. Player,
            operator, whoever has the player's Post, and after the session's expiry anybody.
    @param offer The session's.
    @param state What is posted.
    @param player_signature Of the session key, of the state.
    @param receipt The house's signature of it.
    @param book Instead of a receipt, where the player posts: that the state is in its question's book.
    @param post The player's word, where somebody else posts for the player.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    session: bytes32 = session_types._offer(offer)
    word: uint256 = sessions._words[session]
    assert session_word._stage(word) == session_word.OPEN, "micro: session not open"
    digest: bytes32 = session_types._state(session, state)
    by_player: bool = self._is_by_player(terms, session, digest, post)
    if not by_player and msg.sender != stream_word._operator(streams._words[terms.stream_id]):
        assert block.timestamp > terms.expires_at, "micro: not yours to exit"
    self._check_completed(terms, state, digest, player_signature, receipt, book, by_player)
    first_end: uint256 = block.timestamp + (SHORT_WINDOW if by_player else LONG_WINDOW)
    self._post(session, state, digest, session_word._top_ups(word), first_end, first_end, by_player)


@external
def challenge(
    offer: IMicroSessions.Offer,
    state: IMicroSessions.State,
    player_signature: IMicroSessions.Signature,
    receipt: IMicroSessions.Receipt,
    book: IMicroSessions.BookProof,
    post: IMicroSessions.Post,
):
    """
    @notice Replaces the posted state of an exit by a later one. Anyone in the first window; then, for a short window
            after the last such challenge, the player alone, who may also answer with the same state.
    @param offer The session's.
    @param state Of a higher seq, completed.
    @param player_signature As in `start_exit`.
    @param receipt As in `start_exit`.
    @param book As in `start_exit`.
    @param post As in `start_exit`.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._exiting(session)
    end: uint256 = session_word._end(word)
    first_end: uint256 = session_word._first_end(word)
    assert block.timestamp < end, "micro: challenge is over"
    digest: bytes32 = session_types._state(session, state)
    by_player: bool = self._is_by_player(terms, session, digest, post)
    if by_player and not session_word._by_player(word) and digest == sessions.posted[session]:
        self._post(session, state, digest, session_word._top_ups(word), first_end, end, True)
        return
    assert state.seq > session_word._seq(word), "micro: not a later state"
    if not by_player:
        assert block.timestamp < first_end, "micro: only the player now"
        end = max(end, block.timestamp + SHORT_WINDOW)
    self._check_completed(terms, state, digest, player_signature, receipt, book, by_player)
    self._post(session, state, digest, session_word._top_ups(word), first_end, end, by_player)


@external
def prove(offer: IMicroSessions.Offer, state: IMicroSessions.State, book: IMicroSessions.BookProof):
    """
    @notice Shows that the newest bet of the posted state is in its question's book, so that it counts
            whoever posted it. Anyone, until the exit is finalized.
    @param offer The session's.
    @param state The posted one.
    @param book A root that the panel confirmed, and the way from the state's hash to it.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._exiting(session)
    digest: bytes32 = self._posted_hash(session, state)
    assert len(state.open_bets) != 0, "micro: no bet to prove"
    self._check_in_book(terms, state, digest, book)
    sessions._words[session] = session_word._with_proof(word)
    log IMicroSessions.BetProven(session=session, state_hash=digest)


@external
def finalize(offer: IMicroSessions.Offer, state: IMicroSessions.State):
    """
    @notice Ends a session by its posted state: each open bet pays by the panel's result, or goes back where there is
            none. Anyone, once challenges and results are over, and where nothing shows that the newest bet counts
            24 h later.
    @param offer The session's.
    @param state The posted one.
    """
    terms: offer_words.Terms = offer_words._unpacked(offer)
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._exiting(session)
    self._posted_hash(session, state)
    exclusion: uint256 = sessions._exclusions[terms.player]
    panel_id: uint256 = streams.panel_of[terms.stream_id]
    count: uint256 = len(state.open_bets)
    newest_counts: bool = session_word._by_player(word) or session_word._proven(word)
    ready_at: uint256 = session_word._end(word)
    waits: bool = False
    bound: int256 = convert(BOUND, int256)
    net: int256 = max(min(state.net, bound), -bound)
    for i: uint256 in range(count, bound=session_types.MAX_OPEN):
        bet: IMicroSessions.OpenBet = state.open_bets[i]
        if self._goes_back(terms, bet, exclusion):
            continue
        # Reports count up to the deadline's own second.
        ready_at = max(ready_at, bet.report_by // MS + 1)
        if i == count - 1 and not newest_counts:
            waits = True
        else:
            net += self._gain(panel_id, bet)
    if waits:
        ready_at += PROOF_WAIT
    assert block.timestamp >= ready_at, "micro: too early to finalize"
    stream: uint256 = 0
    paid: uint256 = 0
    stream, paid = sessions._end(session, terms, streams._words[terms.stream_id], net, state.activated)
    streams._words[terms.stream_id] = stream
    streams._pay(terms.stream_id, terms.player, paid)


@internal
@view
def _exiting(session: bytes32) -> uint256:
    word: uint256 = sessions._words[session]
    assert session_word._stage(word) == session_word.EXITING, "micro: no exit has begun"
    return word


@internal
@view
def _posted_hash(session: bytes32, state: IMicroSessions.State) -> bytes32:
    digest: bytes32 = session_types._state(session, state)
    assert digest == sessions.posted[session], "micro: not the posted state"
    return digest


@internal
@view
def _is_by_player(
    terms: offer_words.Terms, session: bytes32, state: bytes32, post: IMicroSessions.Post
) -> bool:
    poster: address = msg.sender
    if post.valid_until >= block.timestamp:
        digest: bytes32 = session_types._post(session, state, post.valid_until)
        poster = short_signature._signer(digest, post.signature.r, post.signature.vs)
    return poster == terms.player or poster == terms.session_key


@internal
@view
def _check_completed(
    terms: offer_words.Terms,
    state: IMicroSessions.State,
    digest: bytes32,
    player_signature: IMicroSessions.Signature,
    receipt: IMicroSessions.Receipt,
    book: IMicroSessions.BookProof,
    by_player: bool,
):
    """
    @notice Both sides signed the state, or it is the one with which a session begins.
    """
    if state.seq == 0:
        assert (
            state.prev == 0 and state.net == 0 and not state.activated and len(state.open_bets) == 0
        ), "micro: bad first state"
        return
    assert state.seq <= session_word.SEQ_MASK, "micro: seq too large"
    signer: address = short_signature._signer(digest, player_signature.r, player_signature.vs)
    assert signer == terms.session_key, "micro: not signed by player"
    if book.root == empty(bytes32):
        receipt_digest: bytes32 = session_types._receipt(terms.stream_id, digest, receipt)
        signer = short_signature._signer(receipt_digest, receipt.signature.r, receipt.signature.vs)
        assert signer == terms.house_key, "micro: no receipt"
        return
    assert by_player and len(state.open_bets) != 0, "micro: a book is for players"
    self._check_in_book(terms, state, digest, book)


@internal
@view
def _check_in_book(
    terms: offer_words.Terms, state: IMicroSessions.State, digest: bytes32, book: IMicroSessions.BookProof
):
    newest: IMicroSessions.OpenBet = state.open_bets[len(state.open_bets) - 1]
    key: bytes32 = keccak256(concat(b"book", newest.question, book.root))
    final: bool = False
    outcome: uint256 = 0
    final, outcome = self._result(streams.panel_of[terms.stream_id], key, newest)
    assert final and outcome == 1, "micro: no such book"
    assert merkle_proof_verification._verify(book.proof, book.root, digest), "micro: not in the book"


@internal
def _post(
    session: bytes32,
    state: IMicroSessions.State,
    digest: bytes32,
    top_ups: uint256,
    first_end: uint256,
    end: uint256,
    by_player: bool,
):
    sessions._words[session] = session_word._pack_exit(top_ups, first_end, end, by_player, state.seq)
    sessions.posted[session] = digest
    log IMicroSessions.ExitPosted(
        session=session, state_hash=digest, by_player=by_player, first_end=first_end, end=end, state=state
    )


@internal
@view
def _goes_back(terms: offer_words.Terms, bet: IMicroSessions.OpenBet, exclusion: uint256) -> bool:
    """
    @notice Whether a bet broke what the session allows: its stake and liability go back and nobody waits for it.
    """
    lock: uint256 = bet.lock // MS
    return (
        bet.stake > terms.stake_cap
        or bet.lock > terms.expires_at * MS
        or bet.report_by // MS > terms.expires_at + LATE_RESULTS
        or (lock > exclusion_word._start(exclusion) + EXCLUSION_GRACE and lock < exclusion_word._end(exclusion))
    )


@internal
@view
def _gain(panel_id: uint256, bet: IMicroSessions.OpenBet) -> int256:
    """
    @notice What a bet changes a player's net by; 0 where it has no result or an unknown one.
    """
    final: bool = False
    outcome: uint256 = 0
    final, outcome = self._result(panel_id, bet.question, bet)
    if not final or outcome > LAST_OUTCOME:
        return 0
    if outcome == bet.choice and outcome != LAST_OUTCOME:
        return convert(min(bet.liability, BOUND), int256)
    return -convert(bet.stake, int256)


@internal
@view
def _result(panel_id: uint256, key: bytes32, bet: IMicroSessions.OpenBet) -> (bool, uint256):
    """
    @notice What the panel said under a key within the times of a bet's question.
    """
    question_id: bytes32 = staticcall IPanels(streams.PANELS).hash_question(
        IPanels.Question(
            product=self,
            key=key,
            not_before=bet.lock // MS + (1 if bet.lock % MS != 0 else 0),
            deadline=bet.report_by // MS,
        )
    )
    return staticcall IPanels(streams.PANELS).result(panel_id, question_id)
