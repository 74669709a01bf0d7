# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Queues of stakes that wait for cover
@author Tessera
@license AGPL-3.0-only
@notice A prediction's tickets are confirmed strictly in the order they were placed.
@dev Confirming moves the head of a queue and rewrites no ticket. A ticket's id holds
     its prediction above bit 32 and its index plus one below, so it is never 0.
     The number of tickets that wait is exact until a bet is settled, and never too
     small: no ticket that waits is ever passed but by being confirmed.
"""


from . import checks
from . import line_word
from . import ticket_word


MAX_PASSED: constant(uint256) = 256


lines: HashMap[bytes32, HashMap[uint256, uint256]]  # bet id -> prediction -> its word of `line_word`
tickets: HashMap[bytes32, HashMap[uint256, uint256]]  # bet id -> ticket id -> its word of `ticket_word`


@internal
@pure
def _ticket_id(prediction: uint256, index: uint256) -> uint256:
    return (prediction << 32) | (index + 1)


@internal
@pure
def _prediction_of(ticket_id: uint256) -> uint256:
    return ticket_id >> 32


@internal
@pure
def _index_of(ticket_id: uint256) -> uint256:
    return (ticket_id & (2**32 - 1)) - 1


@internal
@view
def _parts(bet_id: bytes32, ticket_id: uint256) -> (uint256, uint256):
    """
    @notice What of a ticket is confirmed, and what waits.
    """
    amount: uint256 = ticket_word._amount(self.tickets[bet_id][ticket_id])
    if amount == 0:
        return 0, 0
    confirmed: uint256 = line_word._confirmed_part(
        self.lines[bet_id][self._prediction_of(ticket_id)], self._index_of(ticket_id), amount
    )
    return confirmed, amount - confirmed


@internal
def _append(bet_id: bytes32, prediction: uint256, line: uint256, account: address, amount: uint256) -> uint256:
    """
    @notice Stores a ticket that waits. The caller stores `_with_ticket` of the line.
    @return Its id.
    """
    tail: uint256 = line_word._tail(line)
    checks._check(tail != line_word.INDEX_MASK, "odds: queue is full")
    ticket_id: uint256 = self._ticket_id(prediction, tail)
    self.tickets[bet_id][ticket_id] = ticket_word._pack(account, amount)
    return ticket_id


@internal
@view
def _advance(
    bet_id: bytes32, prediction: uint256, line: uint256, amount: uint256, budget: uint256
) -> (uint256, uint256):
    """
    @notice The line once so much more is confirmed in the order of its tickets, and
            cancelled ones before the next that waits are passed.
    @return The line's word, and what is left of the budget of tickets to pass.
    """
    word: uint256 = line
    left: uint256 = amount
    passes: uint256 = budget
    for _: uint256 in range(MAX_PASSED):
        if passes == 0 or line_word._waiting(word) == 0:
            break
        head: uint256 = line_word._head(word)
        filled: uint256 = line_word._filled(word)
        open: uint256 = ticket_word._amount(self.tickets[bet_id][self._ticket_id(prediction, head)]) - filled
        if open > left:
            word = line_word._pack(
                line_word._staked(word), filled + left, head, line_word._tail(word), line_word._waiting(word)
            )
            left = 0
            break
        left -= open
        passes -= 1
        word = line_word._pack(
            line_word._staked(word), 0, head + 1, line_word._tail(word), line_word._waiting(word)
        )
        if open != 0:
            word = line_word._without_ticket(word)
    checks._check(left == 0, "odds: totals not reached")
    return line_word._plus(word, amount), passes


@internal
def _cancel(bet_id: bytes32, ticket_id: uint256, account: address) -> uint256:
    """
    @notice Takes what waits out of a ticket.
    @return How much that was.
    """
    confirmed: uint256 = 0
    open: uint256 = 0
    confirmed, open = self._parts(bet_id, ticket_id)
    checks._check(open != 0, "odds: nothing is pending")
    self.tickets[bet_id][ticket_id] = ticket_word._pack(account, confirmed)
    prediction: uint256 = self._prediction_of(ticket_id)
    self.lines[bet_id][prediction] = line_word._without_ticket(self.lines[bet_id][prediction])
    return open


@internal
def _take(bet_id: bytes32, ticket_id: uint256) -> (uint256, uint256):
    """
    @notice Empties a ticket of a settled bet.
    @return What of it was confirmed, and what waited.
    """
    confirmed: uint256 = 0
    open: uint256 = 0
    confirmed, open = self._parts(bet_id, ticket_id)
    self.tickets[bet_id][ticket_id] = 0
    return confirmed, open
