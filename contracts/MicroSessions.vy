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
from snekmate.utils import merkle_proof_verification

from .interfaces import IEscrow
from .interfaces import IMicroSessions
from .interfaces import IPanels
from .modules import exclusion_word
from .modules import offer_words
from .modules import session_types
from .modules import session_word
from .modules import stream_word


implements: IMicroSessions
initializes: eip712_domain_separator
initializes: session_types[eip712_domain_separator := eip712_domain_separator]


exports: eip712_domain_separator.eip712Domain


DECIMALS: constant(uint8) = 6
MAX_BATCH: constant(uint256) = 64
MAX_TERM: constant(uint256) = 30 * 86_400
LATE_RESULTS: constant(uint256) = 86_400  # a bet may be due so long after its session's expiry
PROOF_WAIT: constant(uint256) = 86_400  # for a proof of the newest bet
EXCLUSION_GRACE: constant(uint256) = 60  # bets that were on their way
LAST_OUTCOME: constant(uint256) = 16  # none of the choices; what is above counts as INVALID
MS: constant(uint256) = 1_000
# Co-signed nonsense must not overflow. Every honest sum is far below, and the end is clamped far below.
BOUND: constant(uint256) = 2**128


ESCROW: public(immutable(address))
PANELS: public(immutable(address))
SHORT_WINDOW: public(immutable(uint256))
LONG_WINDOW: public(immutable(uint256))


stream_count: public(uint256)
panel_of: public(HashMap[uint256, uint256])
_streams: HashMap[uint256, uint256]
_sessions: HashMap[bytes32, uint256]
posted: public(HashMap[bytes32, bytes32])  # session to the state hash of its exit
_exclusions: HashMap[address, uint256]


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
    assert panels.is_contract, "micro: panels has no code"
    is_local: bool = chain.id == 1337 or chain.id == 31_337
    assert short_window >= (1 if is_local else 86_400) and short_window <= long_window, "micro: bad short window"
    assert long_window >= (1 if is_local else 2 * 86_400) and long_window <= 7 * 86_400, "micro: bad long window"
    ESCROW = escrow
    PANELS = panels
    SHORT_WINDOW = short_window
    LONG_WINDOW = long_window
    eip712_domain_separator.__init__("Tessera MicroSessions", "1")


@external
def open_stream(panel_id: uint256, operator: address, lock_cap: uint256) -> uint256:
    """
    @notice Opens a stream for good. Anyone.
    @param panel_id Who observes it, an existing panel.
    @param operator Who signs its offers, and funds and empties its bankroll.
    @param lock_cap Most that its open sessions may lock together, at most 2**48 - 1.
    @return The stream's number, from 1.
    """
    assert operator != empty(address), "micro: zero operator"
    assert staticcall IPanels(PANELS).threshold_of(panel_id) != 0, "micro: no such panel"
    assert lock_cap != 0 and lock_cap <= stream_word.MAX_POT, "micro: bad lock cap"
    stream_id: uint256 = self.stream_count + 1
    assert stream_id < 2**64, "micro: too many streams"
    self.stream_count = stream_id
    self.panel_of[stream_id] = panel_id
    self._streams[stream_id] = stream_word._pack(operator, 0, lock_cap)
    log IMicroSessions.StreamOpened(
        stream_id=stream_id, operator=operator, panel_id=panel_id, lock_cap=lock_cap
    )
    return stream_id


@external
def fund_stream(stream_id: uint256, amount: uint256):
    """
    @notice Adds money of the operator's Escrow balance to a stream's free bankroll.
    @param stream_id The stream.
    @param amount Money.
    """
    word: uint256 = self._operated(stream_id)
    assert amount <= stream_word.MAX_POT - stream_word._free(word), "micro: bankroll too large"
    self._set_stream(stream_id, word, stream_word._free(word) + amount, stream_word._room(word))
    self._collect(stream_id, msg.sender, amount, IEscrow.Kind.FUNDING)
    self._check_pot(stream_id)


@external
def withdraw_bankroll(stream_id: uint256, amount: uint256):
    """
    @notice Pays free bankroll, which no session locks, to the operator's Escrow balance.
    @param stream_id The stream.
    @param amount Money.
    """
    word: uint256 = self._operated(stream_id)
    assert amount <= stream_word._free(word), "micro: more than is free"
    self._set_stream(stream_id, word, stream_word._free(word) - amount, stream_word._room(word))
    extcall IEscrow(ESCROW).pay(convert(stream_id, bytes32), msg.sender, amount, IEscrow.Kind.RESIDUE)


@external
def open_session(offer: IMicroSessions.Offer, operator_signature: IMicroSessions.Signature) -> bytes32:
    """
    @notice Opens the session that the operator offered to the caller: debits deposit
            and activation cost, and locks the house's part beside them.
    @param offer Of the caller; valid now, of a session of at most 30 days.
    @param operator_signature Of the stream's operator.
    @return The session's id, the offer's digest.
    """
    assert msg.sender == offer_words._player(offer), "micro: not your offer"
    assert offer_words._session_key(offer) != empty(address), "micro: zero session key"
    assert offer_words._house_key(offer) != empty(address), "micro: zero house key"
    valid_until: uint256 = offer_words._valid_until(offer)
    expires_at: uint256 = offer_words._expires_at(offer)
    assert block.timestamp <= valid_until, "micro: offer has expired"
    assert expires_at > block.timestamp and expires_at <= block.timestamp + MAX_TERM, "micro: bad expiry"
    # A closed session stays marked until its offer is void.
    assert valid_until <= expires_at, "micro: valid for too long"
    self._check_not_excluded()
    session: bytes32 = session_types._offer(offer)
    assert self._sessions[session] == session_word.NO_SESSION, "micro: offer is used"
    stream_id: uint256 = offer_words._stream_id(offer)
    word: uint256 = self._stream(stream_id)
    assert session_types._signer(session, operator_signature) == stream_word._operator(word), "micro: not by operator"
    lock: uint256 = offer_words._house_lock(offer)
    assert lock <= stream_word._free(word), "micro: bankroll too small"
    assert lock <= stream_word._room(word), "micro: too much is locked"
    deposit: uint256 = offer_words._deposit(offer)
    activation: uint256 = offer_words._activation(offer)
    self._sessions[session] = session_word._pack_open(0)
    self._set_stream(stream_id, word, stream_word._free(word) - lock, stream_word._room(word) - lock)
    log IMicroSessions.SessionOpened(session=session, stream_id=stream_id, player=msg.sender, offer=offer)
    self._collect(stream_id, msg.sender, deposit, IEscrow.Kind.BET_DEBIT)
    if activation != 0:
        self._collect(stream_id, msg.sender, activation, IEscrow.Kind.ACTIVATION)
    self._check_pot(stream_id)
    return session


@external
def top_up(offer: IMicroSessions.Offer, amount: uint256):
    """
    @notice Adds money of the caller's Escrow balance to the deposit of an open session. Player's wallet only.
    @param offer The session's.
    @param amount Money.
    """
    assert msg.sender == offer_words._player(offer), "micro: not your session"
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._sessions[session]
    assert session_word._stage(word) == session_word.OPEN, "micro: session not open"
    assert block.timestamp < offer_words._expires_at(offer), "micro: session has expired"
    self._check_not_excluded()
    assert amount <= stream_word.MAX_POT, "micro: top-up too large"
    self._sessions[session] = session_word._pack_open(session_word._top_ups(word) + amount)
    log IMicroSessions.ToppedUp(session=session, amount=amount)
    stream_id: uint256 = offer_words._stream_id(offer)
    self._collect(stream_id, msg.sender, amount, IEscrow.Kind.BET_DEBIT)
    self._check_pot(stream_id)


@external
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
    item: IMicroSessions.Close = IMicroSessions.Close(net=net, activated=activated, valid_until=valid_until)
    session: bytes32 = session_types._offer(offer)
    stream_id: uint256 = offer_words._stream_id(offer)
    stream: uint256 = self._streams[stream_id]
    refusal: String[32] = self._close_refusal(session, offer, item, player_signature)
    assert refusal == "", refusal
    if msg.sender != stream_word._operator(stream):
        digest: bytes32 = session_types._close(session, item)
        assert session_types._signer(digest, house_signature) == offer_words._house_key(offer), "micro: not signed by house"
    paid: uint256 = 0
    stream, paid = self._end(session, offer, stream, net, activated)
    self._streams[stream_id] = stream
    self._pay(stream_id, offer_words._player(offer), paid)


@external
def close_many(stream_id: uint256, items: DynArray[IMicroSessions.CloseItem, MAX_BATCH]) -> uint256:
    """
    @notice Ends many sessions of one stream as their players signed. Operator only. What
            cannot be closed is skipped and logged as CloseSkipped.
    @param stream_id The stream.
    @param items Offers, agreements and the players' signatures, at most 64.
    @return Number of sessions closed.
    """
    stream: uint256 = self._operated(stream_id)
    players: DynArray[address, MAX_BATCH] = []
    amounts: DynArray[uint256, MAX_BATCH] = []
    closed: uint256 = 0
    for item: IMicroSessions.CloseItem in items:
        session: bytes32 = session_types._offer(item.offer)
        refusal: String[32] = self._close_refusal(session, item.offer, item.close, item.player_signature)
        if offer_words._stream_id(item.offer) != stream_id:
            refusal = "micro: of another stream"
        if refusal != "":
            log IMicroSessions.CloseSkipped(session=session, reason=refusal)
            continue
        paid: uint256 = 0
        stream, paid = self._end(session, item.offer, stream, item.close.net, item.close.activated)
        closed += 1
        if paid != 0:
            players.append(offer_words._player(item.offer))
            amounts.append(paid)
    self._streams[stream_id] = stream
    if len(players) != 0:
        extcall IEscrow(ESCROW).pay_many(convert(stream_id, bytes32), players, amounts, IEscrow.Kind.PAYOUT)
    return closed


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
    @notice Begins to end a session alone, by a state that both signed, or by the empty state of seq 0. Player, operator,
            whoever has the player's Post, and after the session's expiry anybody.
    @param offer The session's.
    @param state What is posted.
    @param player_signature Of the session key, of the state.
    @param receipt The house's signature of it.
    @param book Instead of a receipt, where the player posts: that the state is in its question's book.
    @param post The player's word, where somebody else posts for the player.
    """
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._sessions[session]
    assert session_word._stage(word) == session_word.OPEN, "micro: session not open"
    digest: bytes32 = session_types._state(session, state)
    by_player: bool = self._is_by_player(offer, session, digest, post)
    if not by_player and msg.sender != stream_word._operator(self._streams[offer_words._stream_id(offer)]):
        assert block.timestamp > offer_words._expires_at(offer), "micro: not yours to exit"
    self._check_completed(offer, state, digest, player_signature, receipt, book, by_player)
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
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._exiting(session)
    end: uint256 = session_word._end(word)
    first_end: uint256 = session_word._first_end(word)
    assert block.timestamp < end, "micro: challenge is over"
    digest: bytes32 = session_types._state(session, state)
    by_player: bool = self._is_by_player(offer, session, digest, post)
    if by_player and not session_word._by_player(word) and digest == self.posted[session]:
        self._post(session, state, digest, session_word._top_ups(word), first_end, end, True)
        return
    assert state.seq > session_word._seq(word), "micro: not a later state"
    if not by_player:
        assert block.timestamp < first_end, "micro: only the player now"
        end = max(end, block.timestamp + SHORT_WINDOW)
    self._check_completed(offer, state, digest, player_signature, receipt, book, by_player)
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
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._exiting(session)
    digest: bytes32 = self._posted_hash(session, state)
    assert len(state.open_bets) != 0, "micro: no bet to prove"
    self._check_in_book(offer, state, digest, book)
    self._sessions[session] = session_word._with_proof(word)
    log IMicroSessions.BetProven(session=session, state_hash=digest)


@external
def finalize(offer: IMicroSessions.Offer, state: IMicroSessions.State):
    """
    @notice Ends a session by its posted state: each open bet pays by the panel's result, or goes back where there is
            none. Anyone, once challenges and results are over, and where nothing shows that the newest bet counts 24 h later.
    @param offer The session's.
    @param state The posted one.
    """
    session: bytes32 = session_types._offer(offer)
    word: uint256 = self._exiting(session)
    self._posted_hash(session, state)
    stream_id: uint256 = offer_words._stream_id(offer)
    player: address = offer_words._player(offer)
    exclusion: uint256 = self._exclusions[player]
    panel_id: uint256 = self.panel_of[stream_id]
    count: uint256 = len(state.open_bets)
    newest_counts: bool = session_word._by_player(word) or session_word._proven(word)
    ready_at: uint256 = session_word._end(word)
    waits: bool = False
    bound: int256 = convert(BOUND, int256)
    net: int256 = max(min(state.net, bound), -bound)
    for i: uint256 in range(count, bound=session_types.MAX_OPEN):
        bet: IMicroSessions.OpenBet = state.open_bets[i]
        if self._goes_back(offer, bet, exclusion):
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
    stream, paid = self._end(session, offer, self._streams[stream_id], net, state.activated)
    self._streams[stream_id] = stream
    self._pay(stream_id, player, paid)


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
def stream(stream_id: uint256) -> (address, uint256, uint256, uint256):
    """
    @notice A stream's operator and money.
    @param stream_id The stream.
    @return Operator; free bankroll, what open sessions may still lock, money; panel.
    """
    word: uint256 = self._stream(stream_id)
    return stream_word._operator(word), stream_word._free(word), stream_word._room(word), self.panel_of[stream_id]


@external
@view
def session(session_id: bytes32) -> (uint256, uint256, uint256, uint256, bool, bool, uint256):
    """
    @notice What is stored of a session.
    @param session_id The offer's digest.
    @return Stage (0 none, 1 open, 2 exiting, 3 closed with an offer that is still valid), top-ups in money, end of the
            first window and of the whole challenge in unix seconds, posted by the player, newest bet proven, seq posted.
    """
    word: uint256 = self._sessions[session_id]
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
def _stream(stream_id: uint256) -> uint256:
    word: uint256 = self._streams[stream_id]
    assert word != 0, "micro: unknown stream"
    return word


@internal
@view
def _operated(stream_id: uint256) -> uint256:
    word: uint256 = self._stream(stream_id)
    assert msg.sender == stream_word._operator(word), "micro: not the operator"
    return word


@internal
def _set_stream(stream_id: uint256, word: uint256, free: uint256, room: uint256):
    self._streams[stream_id] = stream_word._pack(stream_word._operator(word), free, room)


@internal
@view
def _check_not_excluded():
    assert block.timestamp >= exclusion_word._end(self._exclusions[msg.sender]), "micro: self-excluded"


@internal
@view
def _exiting(session: bytes32) -> uint256:
    word: uint256 = self._sessions[session]
    assert session_word._stage(word) == session_word.EXITING, "micro: no exit has begun"
    return word


@internal
@view
def _posted_hash(session: bytes32, state: IMicroSessions.State) -> bytes32:
    digest: bytes32 = session_types._state(session, state)
    assert digest == self.posted[session], "micro: not the posted state"
    return digest


@internal
@view
def _is_by_player(
    offer: IMicroSessions.Offer, session: bytes32, state: bytes32, post: IMicroSessions.Post
) -> bool:
    poster: address = msg.sender
    if post.valid_until >= block.timestamp:
        poster = session_types._signer(session_types._post(session, state, post.valid_until), post.signature)
    return poster == offer_words._player(offer) or poster == offer_words._session_key(offer)


@internal
@view
def _check_completed(
    offer: IMicroSessions.Offer,
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
    assert session_types._signer(digest, player_signature) == offer_words._session_key(offer), "micro: not signed by player"
    if book.root == empty(bytes32):
        receipt_digest: bytes32 = session_types._receipt(offer_words._stream_id(offer), digest, receipt)
        assert session_types._signer(receipt_digest, receipt.signature) == offer_words._house_key(offer), "micro: no receipt"
        return
    assert by_player and len(state.open_bets) != 0, "micro: a book is for players"
    self._check_in_book(offer, state, digest, book)


@internal
@view
def _check_in_book(
    offer: IMicroSessions.Offer, state: IMicroSessions.State, digest: bytes32, book: IMicroSessions.BookProof
):
    newest: IMicroSessions.OpenBet = state.open_bets[len(state.open_bets) - 1]
    key: bytes32 = keccak256(concat(b"book", newest.question, book.root))
    final: bool = False
    outcome: uint256 = 0
    final, outcome = self._result(self.panel_of[offer_words._stream_id(offer)], key, newest)
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
    self._sessions[session] = session_word._pack_exit(top_ups, first_end, end, by_player, state.seq)
    self.posted[session] = digest
    log IMicroSessions.ExitPosted(
        session=session, state_hash=digest, by_player=by_player, first_end=first_end, end=end, state=state
    )


@internal
@view
def _goes_back(offer: IMicroSessions.Offer, bet: IMicroSessions.OpenBet, exclusion: uint256) -> bool:
    """
    @notice Whether a bet broke what the session allows: its stake and liability go back and nobody waits for it.
    """
    lock: uint256 = bet.lock // MS
    expires_at: uint256 = offer_words._expires_at(offer)
    return (
        bet.stake > offer_words._stake_cap(offer)
        or bet.lock > expires_at * MS
        or bet.report_by // MS > expires_at + LATE_RESULTS
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
    question_id: bytes32 = staticcall IPanels(PANELS).hash_question(
        IPanels.Question(
            product=self,
            key=key,
            not_before=bet.lock // MS + (1 if bet.lock % MS != 0 else 0),
            deadline=bet.report_by // MS,
        )
    )
    return staticcall IPanels(PANELS).result(panel_id, question_id)


@internal
@view
def _close_refusal(
    session: bytes32,
    offer: IMicroSessions.Offer,
    close: IMicroSessions.Close,
    player_signature: IMicroSessions.Signature,
) -> String[32]:
    """
    @notice Why a session cannot be closed as agreed; empty if it can. It never reverts.
    """
    stage: uint256 = session_word._stage(self._sessions[session])
    if stage != session_word.OPEN and stage != session_word.EXITING:
        return "micro: session is not there"
    if block.timestamp > close.valid_until:
        return "micro: agreement has expired"
    signer: address = session_types._signer(session_types._close(session, close), player_signature)
    if signer != offer_words._session_key(offer) and signer != offer_words._player(offer):
        return "micro: player did not agree"
    return ""


@internal
def _end(
    session: bytes32, offer: IMicroSessions.Offer, stream: uint256, net: int256, activated: bool
) -> (uint256, uint256):
    """
    @notice Ends a session, and shares what its two sides put in.
    @return The stream's new word, to be stored; what the player is paid.
    """
    word: uint256 = self._sessions[session]
    deposit: uint256 = offer_words._deposit(offer) + session_word._top_ups(word)
    activation: uint256 = offer_words._activation(offer)
    lock: uint256 = offer_words._house_lock(offer)
    loss: int256 = convert(min(deposit, offer_words._loss_cap(offer)), int256)
    clamped: int256 = max(min(net, convert(lock, int256)), -loss)
    paid: uint256 = convert(convert(deposit, int256) + clamped, uint256)
    # The house's part: below the pot, so it fits.
    free: uint256 = stream_word._free(stream) + convert(convert(lock, int256) - clamped, uint256)
    if activated:
        free += activation
    else:
        paid += activation
    # Until its offer is void the session stays marked, or the offer could open it again, to be closed again.
    self._sessions[session] = session_word.CLOSED if block.timestamp <= offer_words._valid_until(offer) else session_word.NO_SESSION
    if session_word._stage(word) == session_word.EXITING:
        self.posted[session] = empty(bytes32)
    log IMicroSessions.SessionClosed(session=session, net=clamped, activated=activated, paid=paid)
    return stream_word._pack(stream_word._operator(stream), free, stream_word._room(stream) + lock), paid


@internal
def _collect(stream_id: uint256, account: address, amount: uint256, kind: IEscrow.Kind):
    extcall IEscrow(ESCROW).collect(account, convert(stream_id, bytes32), amount, kind)


@internal
def _pay(stream_id: uint256, account: address, amount: uint256):
    if amount != 0:
        extcall IEscrow(ESCROW).pay(convert(stream_id, bytes32), account, amount, IEscrow.Kind.PAYOUT)


@internal
@view
def _check_pot(stream_id: uint256):
    # What a stream's word counts is part of its pot, so no session can end with more than fits.
    assert (
        staticcall IEscrow(ESCROW).pot_balance(self, convert(stream_id, bytes32)) <= stream_word.MAX_POT
    ), "micro: stream is full"
