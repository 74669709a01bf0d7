# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title PredictionEvents
@author Tessera
@license AGPL-3.0-only
@notice Whoever stakes predicts, in every event at once and at no cost. Stake
        and time make tickets, early ones count more, and those who were right
        share the event's prize by their prize tickets.
@dev A person's prize tickets in an event and an outcome's total are lines (see
     modules/tickets.vy); every change adds the same number to both, so the sum of
     people's tickets is the outcome's total, to the unit, at every block. Nothing
     loops over people. A settled event's prize is held here; the sum of what
     winners get is at most that prize, and the residue leaves with the last claim.
     A position records how often its owner had been forfeited when it was made;
     it is forfeited if the next forfeiture came before the event's stop block.
@custom:halt An event begins only if a manager creates it on an approved panel;
             taking both away stops new ones. Predictions, settling and claims go on.
"""


from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IPanels
from .interfaces import IPredictionEvents
from .interfaces import IPrizePool
from .interfaces import IStakingPool
from .modules import open_list
from .modules import periods
from .modules import tickets as lines


implements: IPredictionEvents
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: open_list


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)


struct EventInfo:
    start_block: uint256
    stop_block: uint256
    e0: uint256
    outcomes: uint256
    not_before: uint256
    result_deadline: uint256
    panel_id: uint256
    settled: bool


MAX_BATCH: constant(uint256) = 256
INVALID: public(constant(uint256)) = max_value(uint256)
MIN_RESULT_SECONDS: constant(uint256) = 48 * 3600
MAX_RESULT_SECONDS: constant(uint256) = 366 * 86_400
MAX_EVENT_HOURS: constant(uint256) = 366 * 24
PURGE_HOURS: constant(uint256) = 24
BLOCK_MASK: constant(uint256) = 2**40 - 1


STAKING: public(immutable(address))
PRIZES: public(immutable(address))
PANELS: public(immutable(address))
PRIZE_TOKEN: public(immutable(address))
BLOCKS_PER_HOUR: public(immutable(uint256))
MIN_BLOCKS: public(immutable(uint256))  # least length of an event


event_count: public(uint256)  # ids start at 1
is_manager: public(HashMap[address, bool])
approved_panels: public(HashMap[uint256, bool])
# Bits 0 to 39 start block, 40 to 79 stop block, 80 to 95 E0 in hundredths, 96 to 103 number of outcomes,
# 104 to 143 not_before, 144 to 183 result deadline.
_events: HashMap[uint256, uint256]
_panels: HashMap[uint256, uint256]
# Event, outcome: the sum of the lines of those who predict it.
_totals: HashMap[uint256, HashMap[uint256, int256]]
# Event, account: the line in bits 40 and up, forfeitures before it in 8 to 39, outcome plus one in 0 to 7.
_positions: HashMap[uint256, HashMap[address, int256]]
# Once settled: prize in bits 136 and up, the winners' tickets in 8 to 135, winning outcome plus one in 0 to 7 (255: none).
_results: HashMap[uint256, uint256]
# Tickets not yet claimed for in bits 128 and up, prize not yet paid in 0 to 127.
_unclaimed: HashMap[uint256, uint256]


@deploy
def __init__(
    staking: address,
    prizes: address,
    panels: address,
    prize_token: address,
    blocks_per_hour: uint256,
    min_blocks: uint256,
):
    """
    @param staking StakingPool, which may be deployed later.
    @param prizes PrizePool, which may be deployed later.
    @param panels Where outcomes come from.
    @param prize_token What prizes are paid in.
    @param blocks_per_hour Of this chain, 1 to 14,400.
    @param min_blocks Least length of an event; 7 days of blocks unless there is a reason.
    """
    assert staking != empty(address) and prizes != empty(address), "events: zero address"
    assert panels.is_contract and prize_token.is_contract, "events: no code"
    assert blocks_per_hour != 0 and blocks_per_hour <= 14_400, "events: bad blocks per hour"
    assert min_blocks != 0 and min_blocks <= MAX_EVENT_HOURS * blocks_per_hour, "events: bad least length"
    STAKING = staking
    PRIZES = prizes
    PANELS = panels
    PRIZE_TOKEN = prize_token
    BLOCKS_PER_HOUR = blocks_per_hour
    MIN_BLOCKS = min_blocks
    ownable.__init__()
    ownable_2step.__init__()
    # Residues and forfeited shares go back; the pool takes only what it is handed by this contract.
    assert extcall IERC20(prize_token).approve(prizes, max_value(uint256), default_return_value=True)


@external
def predict(event_id: uint256, outcome: uint256):
    """
    @notice Sets the caller's prediction. Changing it re-dates the multiplier of
            all tickets to this moment; the same one again changes nothing.
    @param event_id An event that is open.
    @param outcome Index of the outcome.
    """
    word: uint256 = self._event(event_id)
    start: uint256 = word & BLOCK_MASK
    stop: uint256 = word >> 40 & BLOCK_MASK
    assert block.number < stop and block.timestamp < word >> 104 & BLOCK_MASK, "events: predictions are over"
    assert outcome < word >> 96 & 255, "events: unknown outcome"
    stake: uint256 = 0
    stake_blocks: uint256 = 0
    forfeits: uint256 = 0
    stake, stake_blocks, forfeits = staticcall IStakingPool(STAKING).ticket_basis(msg.sender, start)
    assert stake != 0 or stake_blocks != 0, "events: no stake, no tickets"

    position: int256 = self._positions[event_id][msg.sender]
    if position != 0 and self._forfeits(position) != forfeits:
        # Any forfeiture since then came before the stop block, which is not reached.
        self._purge(event_id, msg.sender, position, stop - start)
        position = 0
    if position == 0:
        if open_list._count(msg.sender) == open_list.MAX_OPEN:
            self._prune(msg.sender)
        assert open_list._count(msg.sender) < open_list.MAX_OPEN, "events: too many open"
        open_list._append(msg.sender, event_id)
    else:
        if self._outcome(position) == outcome:
            return
        self._totals[event_id][self._outcome(position)] -= position >> 40

    x: uint256 = block.number - start
    multiplier: uint256 = lines._multiplier(word >> 80 & 2**16 - 1, x, stop - start)
    line: int256 = lines._line(stake_blocks * multiplier, stake * multiplier, x)
    self._totals[event_id][outcome] += line
    self._positions[event_id][msg.sender] = (line << 40) + convert(forfeits << 8 | outcome + 1, int256)
    log IPredictionEvents.Predicted(event_id=event_id, account=msg.sender, outcome=outcome, multiplier=multiplier)


@external
def purge(event_id: uint256, account: address):
    """
    @notice Takes a forfeited prediction out of its outcome's total. Anyone may call,
            until the event is settled.
    @param event_id The event.
    @param account Whose prediction was forfeited.
    """
    word: uint256 = self._event(event_id)
    assert self._results[event_id] == 0, "events: already settled"
    position: int256 = self._positions[event_id][account]
    assert self._is_forfeited(word, account, position), "events: not forfeited"
    self._purge(event_id, account, position, (word >> 40 & BLOCK_MASK) - (word & BLOCK_MASK))


@external
def settle(event_id: uint256):
    """
    @notice Fixes the outcome and fetches the prize. Anyone may call, from 24 h of
            blocks after the stop block, once the result is final or its deadline is
            over and the event's last week is closed. Where nobody was right the prize stays in the pool.
    @param event_id The event.
    """
    word: uint256 = self._event(event_id)
    assert self._results[event_id] == 0, "events: already settled"
    stop: uint256 = word >> 40 & BLOCK_MASK
    assert block.number >= stop + PURGE_HOURS * BLOCKS_PER_HOUR, "events: time to purge"
    final: bool = False
    outcome: uint256 = 0
    final, outcome = staticcall IPanels(PANELS).result(self._panels[event_id], self._question_id(event_id, word))
    if not final:
        assert block.timestamp > word >> 144 & BLOCK_MASK, "events: no result yet"
        outcome = INVALID
    total: uint256 = 0
    code: uint256 = 255
    if outcome < word >> 96 & 255:
        total = lines._value(self._totals[event_id][outcome], stop - (word & BLOCK_MASK))
        code = outcome + 1
    else:
        outcome = INVALID
    prize: uint256 = extcall IPrizePool(PRIZES).take_prize(event_id, total != 0)
    won: uint256 = prize if total != 0 else 0
    # Both fit: total < 2**117 (modules/tickets.vy), a prize < 2**112 (PrizePool).
    self._results[event_id] = won << 136 | total << 8 | code
    self._unclaimed[event_id] = total << 128 | won
    log IPredictionEvents.EventSettled(event_id=event_id, outcome=outcome, tickets=total, prize=prize)


@external
def claim(event_id: uint256, account: address):
    """
    @notice Pays a winner, who may be anyone but pays nothing for it. Never expires.
    @param event_id A settled event.
    @param account Who predicted right.
    """
    self._claim(event_id, [account], True)


@external
def claim_many(event_id: uint256, accounts: DynArray[address, MAX_BATCH]):
    """
    @notice Pays many winners; who cannot be paid is skipped and the reason logged.
    @param event_id A settled event.
    @param accounts Who predicted right.
    """
    self._claim(event_id, accounts, False)


@external
def on_stake(account: address, old: uint256, new: uint256):
    """
    @notice Carries a change of stake into the open predictions of an account.
            StakingPool only. Costs at most 16,000 gas per open prediction.
    @param account Whose stake.
    @param old Stake before, USD with 6 decimals.
    @param new Stake after; not equal to `old`.
    """
    assert msg.sender == STAKING, "events: not the staking pool"
    count: uint256 = open_list._count(account)
    # From the last to the first: removing one puts a later one, already seen, in its place.
    for k: uint256 in range(count, bound=open_list.MAX_OPEN):
        i: uint256 = count - 1 - k
        event_id: uint256 = open_list._entry(account, i)
        word: uint256 = self._events[event_id]
        start: uint256 = word & BLOCK_MASK
        stop: uint256 = word >> 40 & BLOCK_MASK
        if block.number >= stop:
            open_list._remove(account, i)
            continue
        x: uint256 = block.number - start
        position: int256 = self._positions[event_id][account]
        change: int256 = lines._change(
            position >> 40, old, new, lines._multiplier(word >> 80 & 2**16 - 1, x, stop - start), x
        )
        self._positions[event_id][account] = position + (change << 40)
        self._totals[event_id][self._outcome(position)] += change


@external
def create_event(
    description: String[256],
    outcomes: DynArray[String[64], 16],
    stop_block: uint256,
    e0: uint256,
    weight: uint256,
    panel_id: uint256,
    result_deadline: uint256,
) -> uint256:
    """
    @notice Opens an event from this block on. It shares in the prize of each week
            from this one to the one of its expected end. Managers only.
    @param description What is predicted.
    @param outcomes Names of 2 to 16 outcomes.
    @param stop_block First block in which predicting is over and stake counts no more.
    @param e0 First multiplier in hundredths, 100 to 1,000.
    @param weight Share in the prize, 1 to 10,000.
    @param panel_id An approved panel.
    @param result_deadline Unix seconds; without a result until then the event is INVALID.
    @return The event's id.
    """
    assert self.is_manager[msg.sender], "events: not a manager"
    assert len(outcomes) >= 2, "events: one outcome"
    assert stop_block >= block.number + MIN_BLOCKS, "events: too short"
    length: uint256 = stop_block - block.number
    assert length <= MAX_EVENT_HOURS * BLOCKS_PER_HOUR, "events: too long"
    assert e0 >= 100 and e0 <= 1000, "events: bad first multiplier"
    assert weight >= 1 and weight <= 10_000, "events: bad weight"
    assert self.approved_panels[panel_id], "events: panel not approved"
    not_before: uint256 = block.timestamp + (length * 3600 + BLOCKS_PER_HOUR - 1) // BLOCKS_PER_HOUR
    assert result_deadline >= not_before + MIN_RESULT_SECONDS, "events: deadline too early"
    assert result_deadline <= not_before + MAX_RESULT_SECONDS, "events: deadline too late"

    event_id: uint256 = self.event_count + 1
    assert event_id < 2**32, "events: too many events"
    self.event_count = event_id
    word: uint256 = (
        result_deadline << 144 | not_before << 104 | len(outcomes) << 96 | e0 << 80 | stop_block << 40 | block.number
    )
    self._events[event_id] = word
    self._panels[event_id] = panel_id
    log IPredictionEvents.EventCreated(
        event_id=event_id,
        panel_id=panel_id,
        question_id=self._question_id(event_id, word),
        description=description,
        outcomes=outcomes,
        start_block=block.number,
        stop_block=stop_block,
        e0=e0,
        weight=weight,
        not_before=not_before,
        result_deadline=result_deadline,
    )
    extcall IPrizePool(PRIZES).open_event(event_id, weight, periods._period(not_before))
    return event_id


@external
def set_manager(account: address, is_manager: bool):
    """
    @notice Says who may create events. Owner only.
    @param account Who.
    @param is_manager Whether.
    """
    ownable._check_owner()
    log IPredictionEvents.ManagerSet(
        account=account, was_manager=self.is_manager[account], is_manager=is_manager
    )
    self.is_manager[account] = is_manager


@external
def approve_panel(panel_id: uint256, is_approved: bool = True):
    """
    @notice Says which panels new events may use. Owner only.
    @param panel_id An existing panel.
    @param is_approved Whether; False does not touch events that there are.
    """
    ownable._check_owner()
    assert not is_approved or staticcall IPanels(PANELS).threshold_of(panel_id) != 0, "events: no such panel"
    log IPredictionEvents.PanelApproved(
        panel_id=panel_id, was_approved=self.approved_panels[panel_id], is_approved=is_approved
    )
    self.approved_panels[panel_id] = is_approved


@external
@view
def tickets(event_id: uint256, account: address) -> (uint256, uint256):
    """
    @notice An account's tickets in an event; none once it is settled.
    @param event_id The event.
    @param account Whose tickets.
    @return Actual tickets and prize tickets, WAD, rounded down.
    """
    word: uint256 = self._event(event_id)
    if self._results[event_id] != 0:
        return 0, 0
    start: uint256 = word & BLOCK_MASK
    x: uint256 = self._elapsed(word)
    held: uint256 = staticcall IStakingPool(STAKING).stake_blocks(account, start, start + x)
    position: int256 = self._positions[event_id][account]
    prize: uint256 = 0
    if not self._is_forfeited(word, account, position):
        prize = lines._value(position >> 40, x)
    return held * 10**12 // BLOCKS_PER_HOUR, prize * 10**6 // BLOCKS_PER_HOUR


@external
@view
def outcome_tickets(event_id: uint256, outcome: uint256) -> uint256:
    """
    @notice Prize tickets of all who predict an outcome; what is forfeited counts until it is purged.
    @param event_id The event.
    @param outcome Index of the outcome.
    @return WAD, rounded down.
    """
    word: uint256 = self._event(event_id)
    return lines._value(self._totals[event_id][outcome], self._elapsed(word)) * 10**6 // BLOCKS_PER_HOUR


@external
@view
def lines_of(event_id: uint256, account: address, outcome: uint256) -> (int256, int256):
    """
    @notice The exact integers behind tickets, for proofs that nothing is lost (see modules/tickets.vy).
    @param event_id The event.
    @param account Whose line.
    @param outcome Whose total.
    @return Line of the account, whatever it predicts; line of the outcome.
    """
    return self._positions[event_id][account] >> 40, self._totals[event_id][outcome]


@external
@view
def prediction_of(event_id: uint256, account: address) -> (bool, uint256):
    """
    @notice What an account predicts. None once it was purged or claimed for.
    @param event_id The event.
    @param account Whose prediction.
    @return Whether there is one, and its outcome.
    """
    position: int256 = self._positions[event_id][account]
    if position == 0:
        return False, 0
    return True, self._outcome(position)


@external
@view
def multiplier(event_id: uint256) -> uint256:
    """
    @notice What stake added or a prediction made now would be multiplied by.
    @param event_id The event.
    @return WAD, rounded down to 1e-6; 1 from the stop block on.
    """
    word: uint256 = self._event(event_id)
    length: uint256 = (word >> 40 & BLOCK_MASK) - (word & BLOCK_MASK)
    return lines._multiplier(word >> 80 & 2**16 - 1, self._elapsed(word), length) * 10**12


@external
@view
def prize_of(event_id: uint256, account: address) -> uint256:
    """
    @notice What `claim` would pay an account now.
    @param event_id The event.
    @param account Who.
    @return In the prize token's smallest unit, rounded down.
    """
    word: uint256 = self._event(event_id)
    result: uint256 = self._results[event_id]
    position: int256 = self._positions[event_id][account]
    if len(self._refusal(result, position)) != 0 or self._is_forfeited(word, account, position):
        return 0
    length: uint256 = (word >> 40 & BLOCK_MASK) - (word & BLOCK_MASK)
    return self._share(result, lines._value(position >> 40, length))


@external
@view
def result_of(event_id: uint256) -> (bool, uint256, uint256, uint256):
    """
    @notice What settling fixed.
    @param event_id The event.
    @return Whether it is settled; its outcome, INVALID if there is none; the prize shared by winners; of it not yet paid.
    """
    self._event(event_id)
    result: uint256 = self._results[event_id]
    code: uint256 = result & 255
    if code == 0 or code == 255:
        return code != 0, INVALID, 0, 0
    return True, code - 1, result >> 136, self._unclaimed[event_id] & 2**128 - 1


@external
@view
def event_info(event_id: uint256) -> EventInfo:
    """
    @notice What was fixed at an event's creation.
    @param event_id The event.
    @return Blocks, E0 in hundredths, number of outcomes, unix seconds, panel, whether it is settled.
    """
    word: uint256 = self._event(event_id)
    return EventInfo(
        start_block=word & BLOCK_MASK,
        stop_block=word >> 40 & BLOCK_MASK,
        e0=word >> 80 & 2**16 - 1,
        outcomes=word >> 96 & 255,
        not_before=word >> 104 & BLOCK_MASK,
        result_deadline=word >> 144 & BLOCK_MASK,
        panel_id=self._panels[event_id],
        settled=self._results[event_id] != 0,
    )


@internal
def _claim(event_id: uint256, accounts: DynArray[address, MAX_BATCH], strict: bool):
    word: uint256 = self._event(event_id)
    result: uint256 = self._results[event_id]
    assert result != 0, "events: not settled"
    length: uint256 = (word >> 40 & BLOCK_MASK) - (word & BLOCK_MASK)
    unclaimed: uint256 = self._unclaimed[event_id]
    to_pool: uint256 = 0
    for account: address in accounts:
        position: int256 = self._positions[event_id][account]
        reason: String[32] = self._refusal(result, position)
        if len(reason) == 0:
            held: uint256 = lines._value(position >> 40, length)
            amount: uint256 = self._share(result, held)
            self._positions[event_id][account] = 0
            if self._is_forfeited(word, account, position):
                to_pool += amount
                unclaimed -= held << 128 | amount
                log IPredictionEvents.ForfeitClaimed(event_id=event_id, account=account, amount=amount)
            elif amount == 0 or self._pay(account, amount):
                unclaimed -= held << 128 | amount
                log IPredictionEvents.Claimed(event_id=event_id, account=account, amount=amount)
            else:
                self._positions[event_id][account] = position
                reason = "events: token refused"
        if len(reason) != 0:
            assert not strict, reason
            log IPredictionEvents.ClaimSkipped(event_id=event_id, account=account, reason=reason)
    if unclaimed < 2**128 and unclaimed != 0:
        # Nobody is left: less than a unit per winner.
        log IPredictionEvents.ResidueReturned(event_id=event_id, amount=unclaimed)
        to_pool += unclaimed
        unclaimed = 0
    self._unclaimed[event_id] = unclaimed
    if to_pool != 0:
        extcall IPrizePool(PRIZES).add_revenue(to_pool)


@internal
def _pay(account: address, amount: uint256) -> bool:
    """
    @notice Sends a prize; an account that the token refuses must not stop the others.
    """
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(
        PRIZE_TOKEN,
        abi_encode(account, amount, method_id=method_id("transfer(address,uint256)")),
        max_outsize=32,
        revert_on_failure=False,
    )
    return ok and (len(answer) == 0 or convert(answer, uint256) == 1)


@internal
def _purge(event_id: uint256, account: address, position: int256, length: uint256):
    outcome: uint256 = self._outcome(position)
    self._totals[event_id][outcome] -= position >> 40
    self._positions[event_id][account] = 0
    # It is not in the list if the event is over and a change of stake came by.
    for i: uint256 in range(open_list._count(account), bound=open_list.MAX_OPEN):
        if open_list._entry(account, i) == event_id:
            open_list._remove(account, i)
            break
    log IPredictionEvents.Purged(
        event_id=event_id, account=account, outcome=outcome, tickets=lines._value(position >> 40, length)
    )


@internal
def _prune(account: address):
    """
    @notice Drops the events that are over from an account's open predictions.
    """
    count: uint256 = open_list._count(account)
    for k: uint256 in range(count, bound=open_list.MAX_OPEN):
        i: uint256 = count - 1 - k
        if block.number >= self._events[open_list._entry(account, i)] >> 40 & BLOCK_MASK:
            open_list._remove(account, i)


@internal
@view
def _event(event_id: uint256) -> uint256:
    word: uint256 = self._events[event_id]
    assert word != 0, "events: unknown event"
    return word


@internal
@view
def _elapsed(word: uint256) -> uint256:
    """
    @notice Blocks of an event that are over.
    """
    return min(block.number, word >> 40 & BLOCK_MASK) - (word & BLOCK_MASK)


@internal
@view
def _question_id(event_id: uint256, word: uint256) -> bytes32:
    return staticcall IPanels(PANELS).hash_question(
        IPanels.Question(
            product=self,
            key=convert(event_id, bytes32),
            not_before=word >> 104 & BLOCK_MASK,
            deadline=word >> 144 & BLOCK_MASK,
        )
    )


@internal
@view
def _is_forfeited(word: uint256, account: address, position: int256) -> bool:
    """
    @notice Whether the first forfeiture since a prediction came before the event's stop block.
    """
    if position == 0:
        return False
    at_block: uint256 = staticcall IStakingPool(STAKING).forfeited_at(account, self._forfeits(position))
    return at_block != 0 and at_block < word >> 40 & BLOCK_MASK


@internal
@pure
def _refusal(result: uint256, position: int256) -> String[32]:
    """
    @notice Why a position gets no prize; empty if it does.
    """
    if position == 0:
        return "events: nothing left to claim"
    # Position and result both hold the outcome plus one.
    if convert(position & 255, uint256) != result & 255:
        return "events: not a winner"
    if result >> 8 & 2**128 - 1 == 0:
        return "events: nobody was right"
    return ""


@internal
@pure
def _share(result: uint256, held: uint256) -> uint256:
    """
    @notice Prize of that many tickets, rounded down.
    """
    return (result >> 136) * held // (result >> 8 & 2**128 - 1)


@internal
@pure
def _outcome(position: int256) -> uint256:
    return convert(position & 255, uint256) - 1


@internal
@pure
def _forfeits(position: int256) -> uint256:
    return convert(position >> 8 & 2**32 - 1, uint256)
