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
from .modules import event_registry
from .modules import event_word
from .modules import open_list
from .modules import prediction_word
from .modules import result_word
from .modules import tickets as lines
from .modules import unclaimed_word


implements: IPredictionEvents
initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: event_registry[ownable := ownable]
initializes: open_list


exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    event_registry.__interface__,
)


MAX_BATCH: constant(uint256) = 256
INVALID: public(constant(uint256)) = max_value(uint256)
PURGE_HOURS: constant(uint256) = 24


STAKING: public(immutable(address))
PRIZE_TOKEN: public(immutable(address))


# Event, account: see modules/prediction_word.vy.
_positions: HashMap[uint256, HashMap[address, int256]]
_results: HashMap[uint256, uint256]  # event: see modules/result_word.vy
_unclaimed: HashMap[uint256, uint256]  # event: see modules/unclaimed_word.vy


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
    assert staking != empty(address), "events: zero staking pool"
    STAKING = staking
    PRIZE_TOKEN = prize_token
    ownable.__init__()
    ownable_2step.__init__()
    event_registry.__init__(prizes, panels, blocks_per_hour, min_blocks)
    # Residues and forfeited shares go back; the pool takes only what it is handed by this contract.
    assert extcall IERC20(prize_token).approve(
        prizes, max_value(uint256), default_return_value=True
    ), "events: no approval"


@external
def predict(event_id: uint256, outcome: uint256):
    """
    @notice Sets the caller's prediction. Changing it re-dates the multiplier of
            all tickets to this moment; the same one again changes nothing.
    @param event_id An event that is open.
    @param outcome Index of the outcome.
    """
    word: uint256 = event_registry._event(event_id)
    start: uint256 = event_word._start(word)
    assert block.number < event_word._stop(word), "events: stop block reached"
    assert block.timestamp < event_word._not_before(word), "events: result may be known"
    assert outcome < event_word._outcomes(word), "events: unknown outcome"
    stake: uint256 = 0
    stake_blocks: uint256 = 0
    forfeits: uint256 = 0
    stake, stake_blocks, forfeits = staticcall IStakingPool(STAKING).ticket_basis(msg.sender, start)
    assert stake != 0 or stake_blocks != 0, "events: no stake, no tickets"

    position: int256 = self._positions[event_id][msg.sender]
    if position != 0 and prediction_word._forfeits(position) != forfeits:
        # Any forfeiture since then came before the stop block, which is not reached.
        self._purge(event_id, msg.sender, position, event_word._length(word))
        position = 0
    if position == 0:
        if not open_list._append(msg.sender, event_id):
            self._prune(msg.sender)
            assert open_list._append(msg.sender, event_id), "events: too many open"
    else:
        if prediction_word._outcome(position) == outcome:
            return
        event_registry._totals[event_id][prediction_word._outcome(position)] -= lines._line_in(position)

    x: uint256 = block.number - start
    multiplier: uint256 = event_word._multiplier(word, x)
    line: int256 = lines._line(stake_blocks * multiplier, stake * multiplier, x)
    event_registry._totals[event_id][outcome] += line
    self._positions[event_id][msg.sender] = prediction_word._pack(line, forfeits, outcome)
    log IPredictionEvents.Predicted(event_id=event_id, account=msg.sender, outcome=outcome, multiplier=multiplier)


@external
def purge(event_id: uint256, account: address):
    """
    @notice Takes a forfeited prediction out of its outcome's total. Anyone may call,
            until the event is settled.
    @param event_id The event.
    @param account Whose prediction was forfeited.
    """
    word: uint256 = event_registry._event(event_id)
    assert self._results[event_id] == 0, "events: too late to purge"
    position: int256 = self._positions[event_id][account]
    assert self._is_forfeited(word, account, position), "events: not forfeited"
    self._purge(event_id, account, position, event_word._length(word))


@external
def settle(event_id: uint256):
    """
    @notice Fixes the outcome and fetches the prize. Anyone may call, from the stop block on
            (24 h of blocks after it, for purging, if anybody was ever forfeited), once
            the result is final or its deadline is over and the event's last week is
            closed. Where nobody was right the prize stays in the pool.
    @param event_id The event.
    """
    word: uint256 = event_registry._event(event_id)
    assert self._results[event_id] == 0, "events: already settled"
    stop: uint256 = event_word._stop(word)
    assert block.number >= stop, "events: stop block not reached"
    if block.number < stop + PURGE_HOURS * event_registry.BLOCKS_PER_HOUR:
        # A forfeiture counts in an event only before its stop block: none is to come.
        assert staticcall IStakingPool(STAKING).total_forfeits() == 0, "events: time to purge"
    final: bool = False
    outcome: uint256 = 0
    final, outcome = staticcall IPanels(event_registry.PANELS).result(
        event_registry._panels[event_id], event_registry._question_id(event_id, word)
    )
    if not final:
        assert block.timestamp > event_word._deadline(word), "events: no result yet"
        outcome = INVALID
    result: uint256 = result_word._invalid()
    total: uint256 = 0
    if outcome < event_word._outcomes(word):
        total = lines._value(event_registry._totals[event_id][outcome], event_word._length(word))
        result = result_word._pack(0, 0, outcome)
    else:
        outcome = INVALID
    prize: uint256 = extcall IPrizePool(event_registry.PRIZES).take_prize(event_id, total != 0)
    if total != 0:
        result = result_word._pack(prize, total, outcome)
        self._unclaimed[event_id] = unclaimed_word._pack(total, prize)
    self._results[event_id] = result
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
        word: uint256 = event_registry._events[event_id]
        if block.number >= event_word._stop(word):
            open_list._remove(account, i)
            continue
        # Where blocks are late the result may be known before the stop block: stake added then is no prediction.
        if new > old and block.timestamp >= event_word._not_before(word):
            continue
        x: uint256 = block.number - event_word._start(word)
        position: int256 = self._positions[event_id][account]
        change: int256 = lines._change(position, old, new, event_word._multiplier(word, x), x)
        self._positions[event_id][account] = position + change
        event_registry._totals[event_id][prediction_word._outcome(position)] += change


@external
@view
def tickets(event_id: uint256, account: address) -> (uint256, uint256):
    """
    @notice An account's tickets in an event; none once it is settled.
    @param event_id The event.
    @param account Whose tickets.
    @return Actual tickets and prize tickets, WAD, rounded down.
    """
    word: uint256 = event_registry._event(event_id)
    if self._results[event_id] != 0:
        return 0, 0
    start: uint256 = event_word._start(word)
    x: uint256 = event_word._elapsed(word)
    held: uint256 = staticcall IStakingPool(STAKING).stake_blocks(account, start, start + x)
    position: int256 = self._positions[event_id][account]
    prize: uint256 = 0
    if not self._is_forfeited(word, account, position):
        prize = lines._value(position, x)
    return held * 10**12 // event_registry.BLOCKS_PER_HOUR, prize * 10**6 // event_registry.BLOCKS_PER_HOUR


@external
@view
def outcome_tickets(event_id: uint256, outcome: uint256) -> uint256:
    """
    @notice Prize tickets of all who predict an outcome; what is forfeited counts until it is purged.
    @param event_id The event.
    @param outcome Index of the outcome.
    @return WAD, rounded down.
    """
    word: uint256 = event_registry._event(event_id)
    held: uint256 = lines._value(event_registry._totals[event_id][outcome], event_word._elapsed(word))
    return held * 10**6 // event_registry.BLOCKS_PER_HOUR


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
    return lines._line_in(self._positions[event_id][account]), lines._line_in(event_registry._totals[event_id][outcome])


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
    return True, prediction_word._outcome(position)


@external
@view
def multiplier(event_id: uint256) -> uint256:
    """
    @notice What stake added or a prediction made now would be multiplied by.
    @param event_id The event.
    @return WAD, rounded down to 1e-6; 1 from the stop block on.
    """
    word: uint256 = event_registry._event(event_id)
    return event_word._multiplier(word, event_word._elapsed(word)) * 10**12


@external
@view
def prize_of(event_id: uint256, account: address) -> uint256:
    """
    @notice What `claim` would pay an account now.
    @param event_id The event.
    @param account Who.
    @return In the prize token's smallest unit, rounded down.
    """
    word: uint256 = event_registry._event(event_id)
    result: uint256 = self._results[event_id]
    position: int256 = self._positions[event_id][account]
    if prediction_word._code(position) != result_word._winning_code(result):
        return 0
    if self._is_forfeited(word, account, position):
        return 0
    return result_word._share(result, lines._value(position, event_word._length(word)))


@external
@view
def result_of(event_id: uint256) -> (bool, uint256, uint256, uint256):
    """
    @notice What settling fixed.
    @param event_id The event.
    @return Whether it is settled; its outcome, INVALID if there is none; the prize
            shared by winners; what of it is not yet paid.
    """
    event_registry._event(event_id)
    result: uint256 = self._results[event_id]
    if result == 0 or result_word._is_invalid(result):
        return result != 0, INVALID, 0, 0
    unpaid: uint256 = unclaimed_word._prize(self._unclaimed[event_id])
    return True, result_word._outcome(result), result_word._prize(result), unpaid


@internal
def _claim(event_id: uint256, accounts: DynArray[address, MAX_BATCH], strict: bool):
    """
    @notice Pays winners. The shares of those who were forfeited, and what is left with
            the last claim, less than a unit per winner, go to the pool.
    @param strict Whether to revert where somebody gets nothing, else the reason is logged.
    """
    word: uint256 = event_registry._event(event_id)
    result: uint256 = self._results[event_id]
    assert result != 0, "events: not settled"
    length: uint256 = event_word._length(word)
    unclaimed: uint256 = self._unclaimed[event_id]
    winning: uint256 = result_word._winning_code(result)
    # Asking about each winner is a tenth of a batch's cost; as a rule nobody was ever forfeited.
    any_forfeits: bool = staticcall IStakingPool(STAKING).total_forfeits() != 0
    to_pool: uint256 = 0
    for account: address in accounts:
        position: int256 = self._positions[event_id][account]
        reason: String[32] = ""
        if prediction_word._code(position) != winning:
            reason = self._refusal(result, position)
        else:
            tickets: uint256 = lines._value(position, length)
            amount: uint256 = result_word._share(result, tickets)
            self._positions[event_id][account] = 0
            if any_forfeits and self._is_forfeited(word, account, position):
                to_pool += amount
                unclaimed = unclaimed_word._less(unclaimed, tickets, amount)
                log IPredictionEvents.ForfeitClaimed(event_id=event_id, account=account, amount=amount)
            elif amount == 0 or self._pay(account, amount):
                unclaimed = unclaimed_word._less(unclaimed, tickets, amount)
                log IPredictionEvents.Claimed(event_id=event_id, account=account, amount=amount)
            else:
                self._positions[event_id][account] = position
                reason = "events: token refused"
        if len(reason) != 0:
            assert not strict, reason
            log IPredictionEvents.PrizeClaimSkipped(event_id=event_id, account=account, reason=reason)
    residue: uint256 = unclaimed_word._prize(unclaimed)
    if residue != 0 and unclaimed_word._tickets(unclaimed) == 0:
        log IPredictionEvents.ResidueReturned(event_id=event_id, amount=residue)
        to_pool += residue
        unclaimed = 0
    self._unclaimed[event_id] = unclaimed
    if to_pool != 0:
        extcall IPrizePool(event_registry.PRIZES).add_revenue(to_pool)


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
    outcome: uint256 = prediction_word._outcome(position)
    event_registry._totals[event_id][outcome] -= lines._line_in(position)
    self._positions[event_id][account] = 0
    # It is not in the list if the event is over and a change of stake came by.
    for i: uint256 in range(open_list._count(account), bound=open_list.MAX_OPEN):
        if open_list._entry(account, i) == event_id:
            open_list._remove(account, i)
            break
    log IPredictionEvents.Purged(
        event_id=event_id, account=account, outcome=outcome, tickets=lines._value(position, length)
    )


@internal
def _prune(account: address):
    """
    @notice Drops the events that are over from an account's open predictions.
    """
    count: uint256 = open_list._count(account)
    for k: uint256 in range(count, bound=open_list.MAX_OPEN):
        i: uint256 = count - 1 - k
        if block.number >= event_word._stop(event_registry._events[open_list._entry(account, i)]):
            open_list._remove(account, i)


@internal
@view
def _is_forfeited(word: uint256, account: address, position: int256) -> bool:
    """
    @notice Whether the first forfeiture since a prediction came before the event's stop block.
    """
    if position == 0:
        return False
    at_block: uint256 = staticcall IStakingPool(STAKING).forfeited_at(account, prediction_word._forfeits(position))
    return at_block != 0 and at_block < event_word._stop(word)


@internal
@pure
def _refusal(result: uint256, position: int256) -> String[32]:
    """
    @notice Why a position has no share in the prize of a settled event.
    """
    if position == 0:
        return "events: nothing left to claim"
    if result_word._is_outcome(result, prediction_word._outcome(position)):
        # It would have a share if there were any tickets.
        return "events: nobody was right"
    return "events: not a winner"
