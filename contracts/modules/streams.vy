# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Streams
@author Tessera
@license AGPL-3.0-only
@notice Each stream's operator, panel and bankroll, and the pot that holds all money of its sessions.
"""


from ..interfaces import IEscrow
from ..interfaces import IMicroSessions
from ..interfaces import IPanels
from . import stream_word


ESCROW: public(immutable(address))
PANELS: public(immutable(address))


stream_count: public(uint256)
panel_of: public(HashMap[uint256, uint256])
_words: HashMap[uint256, uint256]


@deploy
def __init__(escrow: address, panels: address):
    assert panels.is_contract, "micro: panels has no code"
    ESCROW = escrow
    PANELS = panels


@external
def open_stream(panel_id: uint256, operator: address, lock_cap: uint256) -> uint256:
    """
    @notice Opens a stream for good. Anyone.
    @param panel_id Who observes it, an existing panel.
    @param operator Who signs its offers, and funds and empties its bankroll.
    @param lock_cap Most that its open sessions may lock together, whole tokens, below 2**32.
    @return The stream's number, from 1.
    """
    assert operator != empty(address), "micro: zero operator"
    assert staticcall IPanels(PANELS).threshold_of(panel_id) != 0, "micro: no such panel"
    assert lock_cap != 0 and lock_cap <= stream_word.ROOM_MASK, "micro: bad lock cap"
    stream_id: uint256 = self.stream_count + 1
    assert stream_id < 2**64, "micro: too many streams"
    self.stream_count = stream_id
    self.panel_of[stream_id] = panel_id
    self._words[stream_id] = stream_word._pack(operator, lock_cap)
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
    self._words[stream_id] = stream_word._with_more(word, amount)
    self._collect(stream_id, msg.sender, amount, IEscrow.Kind.FUNDING)


@external
def withdraw_bankroll(stream_id: uint256, amount: uint256):
    """
    @notice Pays free bankroll, which no session locks, to the operator's Escrow balance.
    @param stream_id The stream.
    @param amount Money.
    """
    word: uint256 = self._operated(stream_id)
    assert amount <= stream_word._free(word), "micro: more than is free"
    self._words[stream_id] = stream_word._with_less(word, amount)
    extcall IEscrow(ESCROW).pay(convert(stream_id, bytes32), msg.sender, amount, IEscrow.Kind.RESIDUE)


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


@internal
@view
def _stream(stream_id: uint256) -> uint256:
    word: uint256 = self._words[stream_id]
    assert word != 0, "micro: unknown stream"
    return word


@internal
@view
def _operated(stream_id: uint256) -> uint256:
    word: uint256 = self._stream(stream_id)
    assert msg.sender == stream_word._operator(word), "micro: not the operator"
    return word


@internal
def _collect(stream_id: uint256, account: address, amount: uint256, kind: IEscrow.Kind):
    extcall IEscrow(ESCROW).collect(account, convert(stream_id, bytes32), amount, kind, skip_contract_check=True)


@internal
def _pay(stream_id: uint256, account: address, amount: uint256):
    if amount != 0:
        extcall IEscrow(ESCROW).pay(
            convert(stream_id, bytes32), account, amount, IEscrow.Kind.PAYOUT, skip_contract_check=True
        )
